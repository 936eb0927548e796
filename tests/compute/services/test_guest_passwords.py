"""Passwords are set while the caller waits, and are kept nowhere."""

import json
from datetime import timedelta

import pytest
import redis
from django.core import serializers
from django.utils import timezone

from compute.messages import ANSWER_SEAL, QUESTION_SEAL, answer_key, question_channel
from compute.models import Server, ServerAction
from compute.services import guest_passwords
from compute.states import Action, TaskState, VmState
from compute.virt.errors import AgentSilent, DriverError
from compute.virt.fake import FakeDriver
from compute.worker.questions import Questions
from portal.core import bus
from portal.core.bus import OutboxMessage
from portal.core.errors import Conflict, Forbidden, Unavailable
from portal.core.signing import seal, unseal
from tests.kit.compute import ServerFactory, member
from tests.kit.queue import private_redis  # noqa: F401

PASSWORD = "S3cret-of-the-guest"


class Agent(FakeDriver):
    """A host whose guests have an agent, or not."""

    heard: tuple[str, ...] = ()
    refuses = ""
    silent = 0  # times

    def set_password(self, server_id, user, password):
        if self.refuses:
            raise DriverError(self.refuses)
        if self.silent:
            self.silent -= 1
            raise AgentSilent
        self.heard = (server_id, user, password)


@pytest.fixture
def agent(private_redis, settings, tmp_path):  # noqa: F811
    settings.REDIS_URL = f"{private_redis}?db=1"
    driver, client = Agent(tmp_path), redis.Redis.from_url(settings.REDIS_URL)
    questions = Questions(client, "host-1", bus.queue_key(), driver)
    questions.start()
    while not client.pubsub_numsub("nebulet:questions:host-1")[0][1]:
        pass
    yield driver
    questions.stop()


@pytest.fixture
def liar(private_redis, settings):  # noqa: F811
    """A host that answers every question with the same words."""
    settings.REDIS_URL = f"{private_redis}?db=2"
    liar = Liar(redis.Redis.from_url(settings.REDIS_URL))
    yield liar
    liar.ears.stop()


class Liar:
    says = b""

    def __init__(self, client):
        self._client = client
        heard = client.pubsub(ignore_subscribe_messages=True)
        heard.subscribe(**{question_channel("host-1"): self._answer})
        self.ears = heard.run_in_thread(sleep_time=0.01, daemon=True)

    def _answer(self, notice):
        question = unseal(bus.queue_key(), QUESTION_SEAL, notice["data"].decode(), 60)
        self._client.rpush(answer_key(question["nonce"]), self.says)


@pytest.mark.parametrize(
    ("properties", "user"),
    [({}, "root"), ({"os_type": "windows"}, "Administrator"), ({"os_admin_user": "cloud"}, "cloud")],
)
def test_the_agent_gets_the_password_of_the_administrator(cloud, agent, properties, user):
    server = ServerFactory(image_properties=properties)
    guest_passwords.change(ctx=cloud.again(), server=server, password=PASSWORD)
    assert agent.heard == (server.pk, user, PASSWORD)
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    assert [event.result for event in server.actions.get().events.all()] == ["Success"]
    rows = [*Server.objects.all(), *ServerAction.objects.all(), *OutboxMessage.objects.all()]
    assert PASSWORD not in json.dumps(serializers.serialize("json", rows))


def started(action, ago=timedelta(0)):
    """Return a server of long ago that was started so long ago."""
    then = timezone.now() - ago
    server = ServerFactory(created_at=timezone.now() - timedelta(days=1))
    ServerAction.objects.create(server=server, action=action, request_id="req-1", started_at=then, finished_at=then)
    return server


@pytest.mark.parametrize("action", [Action.CREATE, Action.START, Action.REBOOT_HARD])
def test_while_a_guest_boots_its_agent_is_waited_for(cloud, agent, monkeypatch, action):
    monkeypatch.setattr(guest_passwords, "AGAIN_S", 0)
    agent.silent = 3
    server = started(action)
    guest_passwords.change(ctx=cloud.again(), server=server, password=PASSWORD)
    assert agent.heard == (server.pk, "root", PASSWORD)


@pytest.mark.parametrize(("action", "ago"), [(Action.START, 60), (Action.STOP, 0)])
def test_after_that_an_agent_that_is_silent_is_a_conflict_at_once(cloud, agent, action, ago):
    agent.silent = 2
    server = started(action, timedelta(seconds=ago))
    with pytest.raises(Conflict, match="does not answer"):
        guest_passwords.change(ctx=cloud.again(), server=server, password=PASSWORD)
    assert (agent.silent, cloud.fresh(server).task_state) == (1, None)


def test_only_a_few_wait_so_that_there_are_threads_for_everybody(cloud, agent):
    agent.silent = 2
    for _ in range(guest_passwords.WAITING_MOST):
        assert guest_passwords._waiting.acquire(blocking=False)
    try:
        with pytest.raises(Conflict, match="does not answer"):
            guest_passwords.change(ctx=cloud.again(), server=started(Action.START), password=PASSWORD)
    finally:
        for _ in range(guest_passwords.WAITING_MOST):
            guest_passwords._waiting.release()
    assert agent.silent == 1


def test_a_guest_without_an_agent_is_a_conflict_and_stays_as_it_was(cloud, agent):
    agent.refuses = "The instance has no guest agent."
    server = ServerFactory()
    with pytest.raises(Conflict, match="has no guest agent"):
        guest_passwords.change(ctx=cloud.again(), server=server, password=PASSWORD)
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    assert server.actions.get().message == "Error"


@pytest.mark.parametrize(
    "answer",
    [
        b"no ticket",
        seal(b"another key of somebody", ANSWER_SEAL, {"found": {}}).encode(),
        {"found": "no mapping"},
        {"fault": 7},
        ["neither"],
    ],
    ids=["no ticket", "another key", "no mapping", "no sentence", "no answer at all"],
)
def test_an_answer_that_is_not_understood_is_no_answer_and_the_server_stays_as_it_was(cloud, liar, answer):
    liar.says = answer if isinstance(answer, bytes) else seal(bus.queue_key(), ANSWER_SEAL, answer).encode()
    server = ServerFactory()
    with pytest.raises(Unavailable, match="understood"):
        guest_passwords.change(ctx=cloud.again(), server=server, password=PASSWORD)
    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)


def test_only_one_at_a_time_and_only_for_members(cloud):
    with pytest.raises(Conflict):
        guest_passwords.change(ctx=cloud.again(), server=ServerFactory(task_state=TaskState.REBOOTING), password=PASSWORD)
    with pytest.raises(Forbidden):
        guest_passwords.change(ctx=member(roles=frozenset({"reader"})), server=ServerFactory(), password=PASSWORD)
