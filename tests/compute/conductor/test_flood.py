"""A host that tells without end keeps the conductor from nobody, and what is true of it is known afterwards."""

import logging
from datetime import timedelta

import dramatiq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compute.conductor import allowances
from compute.conductor.allowances import RATES, Allowances
from compute.conductor.worker import ConductorWorker
from compute.messages import CONDUCTOR_QUEUE, REPORT_ACTORS, GuestChanged, HostReport, OperationFinished, Spawn, pack
from compute.models import Host, Server
from compute.port_messages import FiltersWanted
from compute.services import lifecycle, sweeps
from compute.states import Action, PowerState, VmState
from portal.core.broker import make_broker, send
from tests.kit.compute import HostFactory
from tests.kit.queue import private_redis  # noqa: F401
from tests.kit.waiting import wait_for

FLOOD = 4_000
BEYOND = "more than is taken of one host"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """The way of reports into the conductor, by a clock that stands unless somebody sets it."""

    def __init__(self, cloud) -> None:
        self.clock, self._cloud = Clock(), cloud
        self._allowances = Allowances(lambda: frozenset(Host.objects.values_list("name", flat=True)), self.clock)
        self._allowances.admits(REPORT_ACTORS[FiltersWanted], {})  # whoever comes first has it learn the names

    def tell(self, report) -> bool:
        """Whether the conductor looked at it."""
        admitted = self._allowances.admits(REPORT_ACTORS[type(report)], pack(report))
        if admitted:
            self._cloud.tell(report)
        return admitted


@pytest.fixture
def gate(small, cloud):
    return Gate(cloud)


@pytest.fixture
def small(monkeypatch):
    """Allowances of a tenth, so that what is admitted takes no time."""
    tenth = {kind: allowances.Rate(max(1, rate.at_once // 10), rate.per_s) for kind, rate in RATES.items()}
    monkeypatch.setattr(allowances, "RATES", tenth)
    return tenth


def received(caplog, kind) -> int:
    return caplog.messages.count(f"Received {REPORT_ACTORS[kind]}")


def test_a_flood_is_dropped_unseen_while_other_hosts_are_heard(gate, small, cloud, caplog):
    HostFactory(name="quiet")
    server, at = cloud.build(), timezone.now().timestamp()
    caplog.clear()
    box, quiet = cloud.box, cloud.hosts["quiet"]
    states = (PowerState.SHUTDOWN, PowerState.RUNNING)
    with caplog.at_level(logging.DEBUG), CaptureQueriesContext(connection) as queries:
        for n in range(FLOOD):
            gate.tell(GuestChanged("host-1", server.pk, states[n % 2], at + n / 1e3))
            gate.tell(box.finished(server, Action.STOP, request_id="req-made-up"))
            gate.tell(box.report({server.pk: PowerState.RUNNING}, at=at + n / 1e3))
            if n == FLOOD // 2:
                gate.tell(quiet.report(at=at, memory_mb=4711))
    assert Host.objects.get(name="quiet").memory_mb == 4711
    for kind, of_others in ((GuestChanged, 0), (OperationFinished, 0), (HostReport, 1)):
        assert received(caplog, kind) == small[kind].at_once + of_others
    assert len(queries) < 30 * sum(rate.at_once for rate in small.values())
    assert caplog.text.count(BEYOND) == 1
    assert len(caplog.records) < FLOOD, "no line for what is dropped"


def test_what_was_true_in_a_flood_is_known_soon_after(gate, small, cloud, caplog):
    waiting, server = cloud.place(cloud.create()), cloud.build()
    at = timezone.now().timestamp()
    ended = cloud.box.finished(waiting, Action.CREATE, definition="<domain/>")
    for _ in range(FLOOD):
        gate.tell(cloud.box.finished(server, Action.STOP, request_id="req-made-up"))
        gate.tell(GuestChanged("host-1", server.pk, PowerState.RUNNING, at))
    gate.tell(ended)
    gate.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, at + 1))
    assert cloud.fresh(waiting).vm_state == VmState.BUILDING
    assert cloud.fresh(server).vm_state == VmState.ACTIVE
    gate.tell(cloud.box.report({server.pk: PowerState.SHUTDOWN, waiting.pk: PowerState.RUNNING}, at=at + 2))
    assert cloud.fresh(server).vm_state == VmState.STOPPED
    spawns = len(sent(cloud))
    Server.objects.filter(pk=waiting.pk).update(operation_at=timezone.now() - timedelta(seconds=sweeps.RESEND_AFTER_S + 1))
    with cloud.commits():
        sweeps.sweep()
    assert len(sent(cloud)) == spawns + 1, "its host tells the end again"
    gate.clock.now += allowances.NAMED_EVERY_S
    gate.tell(ended)
    assert cloud.fresh(waiting).vm_state == VmState.ACTIVE
    for _ in range(FLOOD):
        gate.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, at))
    assert caplog.text.count(BEYOND) == 2


def sent(cloud) -> list[Spawn]:
    return [command for command in cloud.box.commands if isinstance(command, Spawn)]


def asked(given: Allowances, kind: type, host: str) -> bool:
    return given.admits(REPORT_ACTORS[kind], {"host": host})


def test_a_host_may_tell_so_many_at_once_and_goes_on_as_time_passes():
    clock, rate = Clock(), RATES[GuestChanged]
    given = Allowances(lambda: frozenset({"host-1"}), clock)
    asked(given, FiltersWanted, "host-1")  # which makes it known
    told = [asked(given, GuestChanged, "host-1") for _ in range(rate.at_once + 3)]
    assert told == [True] * rate.at_once + [False] * 3
    assert asked(given, FiltersWanted, "host-1"), "each kind has its own"
    assert all(given.admits(lifecycle.BUILD, {"server_id": "any"}) for _ in range(FLOOD)), "orders are no reports"
    clock.now += 2 / rate.per_s
    assert [asked(given, GuestChanged, "host-1") for _ in range(3)] == [True, True, False]
    clock.now += 1e6
    assert [asked(given, GuestChanged, "host-1") for _ in range(rate.at_once + 1)] == [True] * rate.at_once + [False]


def test_names_that_are_made_up_share_one_allowance(caplog):
    given = Allowances(lambda: frozenset({"host-1"}), Clock())
    for name in (lambda n: f"made-up-{n}", lambda _n: ["no", "name"], lambda _n: None):
        told = [given.admits(REPORT_ACTORS[FiltersWanted], {"host": name(n)}) for n in range(FLOOD)]
        assert sum(told) <= RATES[FiltersWanted].at_once
    assert asked(given, FiltersWanted, "host-1")
    assert len(given._buckets) == 2
    assert caplog.text.count(BEYOND) == 1


@pytest.mark.django_db(transaction=True)
def test_a_flood_leaves_the_queue_without_a_thread_and_what_others_tell_is_not_held_up(private_redis, small):  # noqa: F811
    HostFactory(name="liar")
    HostFactory(name="quiet")
    old, before = dramatiq.get_encoder(), dramatiq.get_broker()
    broker, seen = make_broker(private_redis, b"k" * 32), []
    try:
        for kind in (GuestChanged, HostReport):
            name = REPORT_ACTORS[kind]
            receive = dramatiq.actor(actor_name=name, queue_name=CONDUCTOR_QUEUE, broker=broker)
            receive(lambda name=name, **payload: seen.append((name, payload["host"])))
        for n in range(1_000):
            send(broker, CONDUCTOR_QUEUE, REPORT_ACTORS[GuestChanged], {"host": "liar", "n": n})
        send(broker, CONDUCTOR_QUEUE, REPORT_ACTORS[HostReport], {"host": "quiet"})
        worker = ConductorWorker(broker, queues={CONDUCTOR_QUEUE}, worker_threads=2, worker_timeout=100)
        worker.start()
        wait_for("all to leave the queue", lambda: not broker.client.hlen(f"nebulet:{CONDUCTOR_QUEUE}.msgs"), every=0.02)
        worker.stop()
    finally:
        broker.close()
        dramatiq.set_encoder(old)
        dramatiq.set_broker(before)
    assert (REPORT_ACTORS[HostReport], "quiet") in seen
    # the first one makes the host known, and there may be some more as time passes
    assert small[GuestChanged].at_once < len(seen) < 1_000
