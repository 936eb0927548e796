"""Very many servers and operations: what is done costs what it needs, whatever else there is; one poisonous message stops nobody."""

from datetime import timedelta

import dramatiq
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from compute.conductor import actors
from compute.conductor.connections import DatabaseConnections
from compute.messages import CONDUCTOR_QUEUE, REPORT_ACTORS, OperationFinished, pack
from compute.models import Server
from compute.network.models import Subnet
from compute.services import findings, healing, repairs, sweeps
from compute.states import Action, PowerState, TaskState, VmState
from portal.core import broker as brokers
from portal.core import bus
from portal.core.models import OutboxMessage
from tests.accounts.factories import ProjectFactory
from tests.kit.compute import PROJECT, broker, cloud, commits, ctx, hosts  # noqa: F401
from tests.kit.crowd import CIDR, counted, fill
from tests.kit.identity import personas  # noqa: F401
from tests.kit.waiting import wait_for

SERVERS = "/compute/v2.1/servers"
ALL = f"{SERVERS}/detail?all_tenants=1&limit=5"
ADMIN = "/admin/compute"
FEW, MANY = 240, 480


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


@pytest.fixture
def deeds(personas, broker, settings, tmp_path):  # noqa: F811
    """What people, operators and the clock do, by name."""
    settings.STATE_DIR = tmp_path
    browsers = {name: getattr(personas, name).sign_in(Client()) for name in ("member", "admin")}

    def asking(name, path):
        return lambda: getattr(personas, name).api.get(path, OpenStack_API_Version="compute 2.96")

    def opening(name, path):
        return lambda: browsers[name].get(path)

    asked = [
        f"{ALL}&{more}"
        for more in ("host=crowd-1", "status=ERROR", "tags=rack-7", "deleted=1", f"project_id={personas.lab.pk}")
    ]
    asked += [ALL, f"{ALL}&sort_key=display_name", "/network/v2.0/ports?limit=5", f"{SERVERS}?all_tenants=1&limit=5"]
    asked += [f"/compute/v2.1/os-quota-sets/{personas.lab.pk}/detail", "/compute/v2.1/os-hypervisors/detail"]
    looked = [f"{ADMIN}/{model}/" for model in ("server", "serveraction", "actionevent")]
    found = {f"API {path}": asking("admin", path) for path in asked}
    found |= {f"API {path}, member": asking("member", path) for path in (f"{SERVERS}/detail", "/compute/v2.1/limits")}
    found |= {f"page {path}": opening("admin", path) for path in (*looked, "/admin/")}
    found |= {
        f"page {path}, member": opening("member", path) for path in ("/overview/", "/instances/", "/instances/?q=crowd-0")
    }
    found |= {"sweep": sweeps.sweep, "repairs": repairs.repair, "housekeeping": healing.keep_house}
    return found | {"heal": lambda: list(healing.heal(dry_run=True)), "invariants": lambda: list(healing.left())}


@pytest.fixture
def worker(monkeypatch):
    """A conductor's thread that reads a queue of this process and soon tries again what failed."""
    stub = StubBroker(middleware=[DatabaseConnections(), Retries(min_backoff=1, max_backoff=1)])
    actors.declare(stub)
    monkeypatch.setattr(bus, "broker", lambda: stub)
    worker = dramatiq.Worker(stub, worker_threads=1)
    worker.start()
    yield worker
    worker.stop()
    stub.close()


def begin_stops(*, since_s):
    """Have every server that runs be stopped since a while."""
    began = timezone.now() - timedelta(seconds=since_s)
    idle = Server.objects.present().filter(vm_state=VmState.ACTIVE)
    idle.update(operation=Action.STOP, task_state=TaskState.POWERING_OFF, operation_at=began)


def test_nothing_costs_more_for_what_others_have(deeds, personas):  # noqa: F811
    """Neither statements nor rows grow with servers of other projects, for whoever sees one page of all of them either."""

    others = [ProjectFactory().pk for _ in range(9)]

    def costs():
        found = {}
        for name, deed in deeds.items():
            with counted() as figures:
                answer = deed()
            assert getattr(answer, "status_code", 200) == 200, name
            found[name] = figures.queries, figures.rows
        return found

    fill(FEW, projects=[personas.lab.pk, *others])
    few = costs()
    fill(MANY, projects=others)
    many = costs()
    # one query and five rows: of the servers on the page some may be in ERROR now, of which the fault is read
    grown = {
        name: (few[name], many[name]) for name in deeds if many[name][0] > few[name][0] + 1 or many[name][1] > few[name][1] + 5
    }
    assert grown == {}
    assert max(queries for queries, _rows in many.values()) < 40


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plans of SQLite follow from the indexes alone")
def test_what_the_clock_looks_for_every_few_seconds_it_finds_by_an_index(broker, db, settings):  # noqa: F811
    settings.RECLAIM_INSTANCE_INTERVAL_S = settings.RESIZE_CONFIRM_WINDOW_S = 60
    fill(40, projects=[PROJECT])
    begin_stops(since_s=25)
    with counted() as figures:
        sweeps.sweep()
    assert figures.queries > 10
    assert figures.scans("compute_server", "compute_serveraction", "compute_migration", "network_port") == []
    with counted() as figures:
        repairs.repair()
    assert figures.queries > 10
    assert figures.scans("compute_usageinterval") == []


def test_a_birth_reads_no_more_for_the_servers_of_others(cloud):  # noqa: F811
    def cost():
        fill(300, projects=["e" * 32])
        cloud.build()
        with counted() as figures:
            cloud.place(cloud.create())
        return figures.rows

    Subnet.objects.update(cidr=CIDR, allocation_pools=[{"start": "10.176.0.10", "end": "10.176.255.254"}])
    assert cost() + 100 >= cost()  # it looks at 64 addresses somewhere, of which all may be taken or none


def test_a_report_of_many_guests_costs_the_same_queries_and_reads_no_more_than_it_compares(broker, hosts, db):  # noqa: F811
    def cost(number):
        fill(number, projects=[PROJECT], hosts=1)
        guests = dict.fromkeys(Server.objects.present().values_list("pk", flat=True), PowerState.RUNNING)
        host = hosts["crowd-0"]
        host.tell(host.report(guests))
        with counted() as figures:
            host.tell(host.report(guests))
        assert not [sql for sql in figures.statements if "user_data" in sql or "public_key" in sql]
        assert figures.rows <= len(guests) + 10
        return figures.queries

    assert cost(40) == cost(400)


def test_a_sweep_goes_round_in_slices_so_that_none_keeps_another_from_its_turn(broker, db, monkeypatch):  # noqa: F811
    monkeypatch.setattr(findings, "SLICE", 10)
    fill(25, projects=[PROJECT], hosts=1)
    begin_stops(since_s=25)
    assert [sweeps.sweep() for _ in range(4)] == [10, 10, 2, 0]
    Server.objects.update(operation_at=timezone.now() - timedelta(seconds=4000))
    assert len(list(sweeps.all_operations())) == 22


def test_of_five_hundred_operations_all_end_but_the_one_whose_message_is_poisonous(worker, transactional_db):
    fill(590, projects=[PROJECT], hosts=1)
    begin_stops(since_s=0)
    stopping = list(Server.objects.filter(task_state=TaskState.POWERING_OFF).order_by("pk"))
    poisonous = stopping[200]
    for server in stopping:
        at = 1e18 if server == poisonous else timezone.now().timestamp()  # no calendar has that day
        told = OperationFinished("crowd-0", server.pk, server.request_id, Action.STOP, None, PowerState.SHUTDOWN, at=at)
        brokers.send(worker.broker, CONDUCTOR_QUEUE, REPORT_ACTORS[OperationFinished], pack(told))

    dead = worker.broker.dead_letters_by_queue[CONDUCTOR_QUEUE]
    wait_for("all ends", lambda: Server.objects.filter(task_state=TaskState.POWERING_OFF).count() == 1 and dead, 60)

    assert len(stopping) >= 500
    assert Server.objects.filter(vm_state=VmState.STOPPED, task_state=None).count() == len(stopping) - 1
    assert [message.kwargs["server_id"] for message in dead] == [poisonous.pk]
    Server.objects.filter(pk=poisonous.pk).update(operation_at=timezone.now() - timedelta(seconds=4000))
    sweeps.sweep()
    poisonous.refresh_from_db()
    assert (poisonous.vm_state, poisonous.task_state) == (VmState.ERROR, None)
    assert poisonous.fault.message.startswith("The host did not answer within")


def test_a_queue_that_is_down_is_asked_a_few_times_and_not_for_each_message(broker, caplog, db):  # noqa: F811
    OutboxMessage.objects.bulk_create(OutboxMessage(queue="q", actor="a", payload={"n": n}) for n in range(500))
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(seconds=60))
    broker.down = True
    assert bus.resend() == 0
    assert len([line for line in caplog.messages if "waits in the outbox" in line]) == bus.FAILURES_MOST
    broker.down = False
    assert bus.resend() == 500
    assert not OutboxMessage.objects.exists()
