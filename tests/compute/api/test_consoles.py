"""Consoles: each type at each microversion, where the console of a token is, and what is not offered."""

from urllib.parse import parse_qs, urlsplit

import pytest

from compute.models import ConsoleToken, Host, Server
from compute.states import TaskState, VmState
from tests.kit.api import Row, check, matrix

SERVERS = "/compute/v2.1/servers"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def action(server):
    return f"{SERVERS}/{server.pk}/action"


def remote(server):
    return f"{SERVERS}/{server.pk}/remote-consoles"


def wish(protocol, kind):
    return {"remote_console": {"protocol": protocol, "type": kind}}


def query(url):
    return parse_qs(urlsplit(url).query)


@pytest.mark.parametrize(
    ("name", "kind", "begins"),
    [
        ("os-getVNCConsole", "novnc", "http://testserver/console/?path=ws%2Fvnc%2F%3Ftoken%3D"),
        ("os-getVNCConsole", "xvpvnc", "http://testserver/console/viewer/?token="),
        ("os-getSerialConsole", "serial", "ws://testserver/ws/serial/?token="),
    ],
)
def test_consoles_by_action(personas, cloud, settings, name, kind, begins):
    settings.PUBLIC_URL = "http://testserver"
    body = {name: {"type": kind}}
    bad = [{name: {}}, {name: {"type": "telepathy"}}, {name: {"type": kind, "more": 1}}, {name: None}]
    rows = matrix("post", action(cloud.server), body=body, ok=200, weak="reader", malformed=bad, version="2.5")
    console = check(personas, *rows)[-1].json()["console"]
    assert console["type"] == kind
    assert console["url"].startswith(begins)
    check(personas, Row("member", "post", action(cloud.server), 404, body, "2.6"))


@pytest.mark.parametrize(("protocol", "kind"), [("vnc", "novnc"), ("vnc", "xvpvnc"), ("serial", "serial")])
def test_remote_consoles(personas, cloud, protocol, kind):
    body = wish(protocol, kind)
    bad = [{}, {"remote_console": {"protocol": protocol}}, wish("x", kind), wish(protocol, "x"), wish(protocol, 1)]
    rows = matrix("post", remote(cloud.server), body=body, ok=200, weak="reader", malformed=bad, version="2.6")
    console = check(personas, *rows)[-1].json()["remote_console"]
    assert (console["protocol"], console["type"]) == (protocol, kind)
    check(personas, Row("member", "post", remote(cloud.server), 404, body, "2.5"))
    Server.objects.filter(pk=cloud.server.pk).update(vm_state=VmState.STOPPED)
    check(personas, Row("member", "post", remote(cloud.server), 409, body, "2.6", says="is not ready"))
    Server.objects.filter(pk=cloud.server.pk).update(vm_state=VmState.ACTIVE, task_state=TaskState.DELETING)
    check(personas, Row("member", "post", remote(cloud.server), 409, body, "2.6"))


@pytest.mark.parametrize(
    ("protocol", "kind", "version"),
    [("spice", "spice-html5", "2.6"), ("rdp", "rdp-html5", "2.6"), ("mks", "webmks", "2.8")],
)
def test_what_guests_do_not_have_is_unavailable(personas, cloud, protocol, kind, version):
    says = f"Unavailable console type {kind}"
    check(personas, Row("member", "post", remote(cloud.server), 400, wish(protocol, kind), version, says=says))


def test_a_type_goes_with_its_protocol_and_comes_with_its_version(personas, cloud):
    check(
        personas,
        Row("member", "post", remote(cloud.server), 400, wish("serial", "novnc"), "2.6", says="Invalid console type novnc"),
        Row("member", "post", remote(cloud.server), 400, wish("vnc", "serial"), "2.6", says="Invalid console type serial"),
        Row("member", "post", remote(cloud.server), 400, wish("mks", "webmks"), "2.7", says="is not"),
        Row("member", "post", remote(cloud.server), 400, wish("spice", "spice-direct"), "2.95", says="is not"),
    )


def test_former_consoles_are_gone(personas, cloud):
    check(
        personas,
        Row("member", "post", action(cloud.server), 400, {"os-getSPICEConsole": {"type": "spice-html5"}}, "2.1"),
        Row("member", "post", action(cloud.server), 410, {"os-getRDPConsole": {"type": "rdp-html5"}}, "2.1"),
        Row("member", "get", f"{SERVERS}/{cloud.server.pk}/consoles", 410),
        Row("member", "delete", f"{SERVERS}/{cloud.server.pk}/consoles/1", 410),
    )


def test_the_console_log_has_no_negative_lengths_and_no_strangers(personas, cloud):
    for length in (-2, "x", 1.5, True, [], 2**31):
        check(personas, Row("member", "post", action(cloud.server), 400, {"os-getConsoleOutput": {"length": length}}))
    check(
        personas,
        Row("member", "post", f"{SERVERS}/{MADE_UP}/action", 404, {"os-getConsoleOutput": {}}),
        Row("stranger", "post", action(cloud.server), 404, {"os-getConsoleOutput": {}}),
        Row("reader", "post", action(cloud.server), 403, {"os-getConsoleOutput": {}}),
    )


def issued(personas, server, protocol="vnc", kind="novnc"):
    answer = check(personas, Row("member", "post", remote(server), 200, wish(protocol, kind), "2.6"))[0]
    found = query(answer.json()["remote_console"]["url"])
    return found["token"][0] if "token" in found else found["path"][0].partition("token=")[2]


def test_operators_see_where_the_console_of_a_token_is(personas, cloud, settings):
    Host.objects.update(relay="tcp:10.0.0.5:6099")
    token = issued(personas, cloud.server)
    path = f"/compute/v2.1/os-console-auth-tokens/{token}"
    check(
        personas,
        Row("anonymous", "get", path, 401, version="2.31"),
        Row("member", "get", path, 403, version="2.31"),
        Row("admin", "get", path, 400, version="2.30"),
        Row("admin", "get", "/compute/v2.1/os-console-auth-tokens/made-up", 404, version="2.31", says="Token not found"),
    )
    console = check(personas, Row("admin", "get", path, 200, version="2.31"))[0].json()["console"]
    assert console == {"instance_uuid": cloud.server.pk, "host": "10.0.0.5", "port": 6099, "internal_access_path": None}
    Host.objects.update(relay="unix:/run/relay.sock")
    console = check(personas, Row("admin", "get", path, 200, version="2.31"))[0].json()["console"]
    assert (console["host"], console["port"]) == (cloud.server.host, 0)
    assert console["internal_access_path"] == "/run/relay.sock"
    native = f"/compute/v2.1/os-console-auth-tokens/{issued(personas, cloud.server, 'vnc', 'xvpvnc')}"
    console = check(personas, Row("admin", "get", native, 200, version="2.31"))[0].json()["console"]
    assert console["port"] == settings.VIEWER_PORT
    ConsoleToken.objects.update(expires_at="2020-01-01T00:00:00Z")
    check(personas, Row("admin", "get", path, 404, version="2.31"))
