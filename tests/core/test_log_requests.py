"""What requests leave in the log: the access line, statements, decisions."""

import re
from io import StringIO

import pytest
from django.core.management import call_command

from portal.core.context import RequestContext
from portal.core.log.context import ContextFilter
from portal.core.sockets import SocketLog
from tests.kit.identity import Api, personas  # noqa: F401


@pytest.fixture
def told(caplog):
    """What our own loggers say, with the request that each line belongs to."""
    filters = [lambda record: record.name.startswith(("images", "portal.core.statements", "nebulet")), ContextFilter("portal")]
    for each in filters:
        caplog.handler.addFilter(each)
    yield caplog
    for each in filters:  # the handler serves all tests
        caplog.handler.removeFilter(each)


def access(caplog):
    return [(record.service, record.call) for record in caplog.records if record.name == "nebulet.access"]


@pytest.mark.django_db
def test_a_request_is_told_with_who_asked(personas, caplog):  # noqa: F811
    answer = personas.member.api.get("/identity/v3/auth/projects?name=x")

    ((service, told),) = access(caplog)
    assert service == "identity"
    assert (told["user"], told["project"]) == (personas.member.user.pk, personas.lab.pk)
    assert (told["method"], told["path"], told["status"]) == ("GET", "/identity/v3/auth/projects", answer.status_code)
    assert told["address"] == "127.0.0.1"


@pytest.mark.django_db
def test_a_stranger_has_no_name_and_a_page_is_the_portals(caplog):
    Api().get("/compute/v2.1/servers")
    Api().get("/account/sign-in/?next=/secret-place/")

    (refused, page) = access(caplog)
    assert refused[0] == "compute"
    assert (refused[1]["user"], refused[1]["status"]) == (None, 401)
    assert page[0] == "portal"
    assert page[1]["path"] == "/account/sign-in/"


@pytest.mark.django_db
def test_debug_shows_statements_and_decisions_without_a_value(personas, caplog):  # noqa: F811
    caplog.set_level("DEBUG", "portal")
    personas.reader.api.post("/identity/v3/users", {"user": {"name": "a-name-of-note", "password": "a-password-of-note"}})

    statements = [record.getMessage() for record in caplog.records if record.name == "portal.core.statements"]
    decisions = [record.getMessage() for record in caplog.records if record.name == "portal.core.policy.engine"]
    assert any(" ms: SELECT " in line for line in statements)
    assert any("Rule identity:create_user for user" in line and "refused: " in line for line in decisions)
    assert personas.lab.pk not in " ".join(statements)
    assert "of-note" not in caplog.text


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4001}], 4001),
        ([{"type": "websocket.accept"}], 1006),
        ([{"type": "websocket.close"}], 403),
    ],
)
async def test_a_websocket_is_told_when_it_closes(told, messages, status):
    async def application(scope, receive, send):
        scope["cloud_context"] = RequestContext(user_id="u", project_id="p")
        for message in messages:
            await send(message)
        await receive()

    async def receive():
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message):
        assert message in messages

    scope = {"type": "websocket", "path": "/ws/vnc/", "query_string": b"token=abc", "client": ("192.0.2.1", 1)}
    await SocketLog(application, "compute")(scope, receive, send)

    (entry,) = told.records
    assert re.fullmatch(rf"192\.0\.2\.1 u p WEBSOCKET /ws/vnc/ {status} [\d.]+ ms", entry.getMessage())
    assert entry.request_id.startswith("req-")


def test_the_command_turns_the_switch(settings, tmp_path):
    settings.LOG = {"switch": tmp_path / "debug", "debug": False}
    said = []
    for words in (("debug",), ("debug", "on"), ("debug", "off"), ("debug", "off")):
        out = StringIO()
        call_command("log", *words, stdout=out)
        said.append((out.getvalue(), settings.LOG["switch"].exists()))

    assert said == [("debug is off\n", False), ("debug is on\n", True), ("debug is off\n", False), ("debug is off\n", False)]
