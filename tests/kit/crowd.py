"""Very many servers at once, written in bulk, and figures of what a deed asks of the database.

Each project has the same number of servers, spread over the hosts; each server has a port with an address, a tag, metadata and two
actions that ended. Every tenth was deleted, every twentieth is in ERROR.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import override_settings
from django.utils import timezone

from compute.models import ActionEvent, Host, Server, ServerAction, ServerFault, ServerNumber, ServerTag, UsageInterval
from compute.network.models import FixedAddress, Network, Port, SecurityGroup
from compute.network.services import seed
from compute.network.services.ports import DEVICE_OWNER
from compute.states import Action, PowerState, VmState
from portal.core.context import new_request_id
from tests.kit.compute import HostFactory

BATCH = 2_000
CIDR = "10.176.0.0/16"


@dataclass
class Figures:
    """What a deed asked of the database: statements, and rows that came back."""

    asked: list[tuple[str, Any]] = field(default_factory=list)
    rows: int = 0

    @property
    def queries(self) -> int:
        return len(self.asked)

    @property
    def statements(self) -> list[str]:
        return [sql for sql, _values in self.asked]

    def scans(self, *tables: str) -> list[str]:
        """Return the statements for which SQLite reads one of these tables from its beginning to its end."""
        found = []
        for sql, values in self.asked:
            if sql.startswith("SELECT"):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                    plan = [str(row[3]) for row in cursor.fetchall()]
                if any(line.startswith(f"SCAN {table}") for line in plan for table in tables):
                    found.append(sql)
        return found


class _Counting(CursorWrapper):
    """A cursor that counts what it is asked and what it gives."""

    figures: Figures

    def execute(self, sql: Any, params: Any = None) -> Any:
        self.figures.asked.append((str(sql), params))
        return super().execute(sql, params)

    def fetchone(self) -> Any:
        row = self.cursor.fetchone()
        self.figures.rows += row is not None
        return row

    def fetchmany(self, *size: int) -> Any:
        rows = self.cursor.fetchmany(*size)
        self.figures.rows += len(rows)
        return rows

    def fetchall(self) -> Any:
        rows = self.cursor.fetchall()
        self.figures.rows += len(rows)
        return rows


@contextmanager
def counted() -> Iterator[Figures]:
    """Count the statements and rows of what is done meanwhile in this thread."""
    figures = Figures()

    def make(cursor: Any) -> _Counting:
        counting = _Counting(cursor, connection)
        counting.figures = figures
        return counting

    connection.make_cursor = connection.make_debug_cursor = make  # type: ignore[method-assign]
    try:
        yield figures
    finally:
        del connection.make_cursor, connection.make_debug_cursor


def fill(number: int, *, projects: list[str], hosts: int = 5) -> list[Server]:
    """Write ``number`` servers; host ``crowd-0`` to ``crowd-<hosts - 1>`` have those that were not deleted, and claims for them."""
    names = [f"crowd-{at}" for at in range(hosts)]
    for name in names:
        if not Host.objects.filter(name=name).exists():
            HostFactory(name=name, vcpus=number, memory_mb=number * 1024, disk_gb=number * 10)
    begin = ServerNumber.objects.count()
    numbers = ServerNumber.objects.bulk_create([ServerNumber() for _ in range(number)], BATCH)
    rows = [_server(begin + at, row, projects, names) for at, row in enumerate(numbers)]
    servers = Server.objects.bulk_create(rows, BATCH)
    _surround(servers)
    _connect(begin, [server for server in servers if server.deleted_at is None])
    _claim(names)
    return servers


def _server(at: int, number: ServerNumber, projects: list[str], hosts: list[str]) -> Server:
    gone, broken = at % 10 == 9, at % 20 == 10
    began = timezone.now() - timedelta(days=20, seconds=-at)
    return Server(
        number=number,
        name=f"crowd-{at:05}",
        hostname=f"crowd-{at:05}",
        project_id=projects[at % len(projects)],
        user_id="b" * 32,
        user_name="ana",
        reservation_id=f"r-{at // 10:08}",
        image_id="70a599e0-31e7-49b7-b260-868f441e862b",
        flavor_id="1",
        flavor_name="m1.tiny",
        vcpus=1,
        ram_mb=512,
        root_gb=1,
        swap_mb=1 if at % 3 == 0 else 0,
        host=hosts[at // len(projects) % len(hosts)],
        availability_zone="nova",
        vm_state=VmState.DELETED if gone else VmState.ERROR if broken else VmState.ACTIVE,
        power_state=PowerState.NOSTATE if gone else PowerState.RUNNING,
        request_id=new_request_id(),
        operation=Action.DELETE if gone else Action.CREATE,
        operation_at=began,
        created_at=began,
        updated_at=began,
        launched_at=began,
        deleted_at=began + timedelta(days=10) if gone else None,
        metadata={"role": "web", "number": str(at)},
        public_key="ssh-rsa " + "A" * 372,
        user_data="I2Nsb3VkLWNvbmZpZwo=" * 100,
    )


def _surround(servers: list[Server]) -> None:
    """Give servers their history, use, tags and faults."""
    ServerTag.objects.bulk_create(
        [ServerTag(server=server, tag=f"rack-{at % 40}") for at, server in enumerate(servers)], BATCH
    )
    used = [
        UsageInterval(server=row, vcpus=1, ram_mb=512, local_gb=1, started_at=row.launched_at, ended_at=row.deleted_at)
        for row in servers
    ]
    UsageInterval.objects.bulk_create(used, BATCH)
    broken = [server for server in servers if server.vm_state == VmState.ERROR]
    ServerFault.objects.bulk_create([ServerFault(server=server, message="It broke.") for server in broken], BATCH)
    asked = [
        ServerAction(
            server=server,
            action=action,
            request_id=new_request_id(),
            user_id=server.user_id,
            project_id=server.project_id,
            started_at=server.created_at,
            finished_at=server.created_at + timedelta(seconds=30),
        )
        for server in servers
        for action in (Action.CREATE, Action.REBOOT)
    ]
    actions = ServerAction.objects.bulk_create(asked, BATCH)
    names = ("compute__do_build_and_run_instance", "compute_spawning")
    events = (
        ActionEvent(action=row, name=name, started_at=row.started_at, finished_at=row.finished_at, result="Success")
        for row in actions
        for name in names
    )
    ActionEvent.objects.bulk_create(events, BATCH)


def _connect(begin: int, servers: list[Server]) -> None:
    """Give each server a port with an address, in its project's default group."""
    with override_settings(NETWORK_CIDR=CIDR):
        network = Network.objects.get(pk=seed.seed("").pk)
    subnet = network.subnets.get()
    group_ids = {}
    for project_id in {server.project_id for server in servers}:
        group, _made = SecurityGroup.objects.get_or_create(project_id=project_id, name="default")
        group_ids[project_id] = group.pk
    ports = Port.objects.bulk_create(
        [
            Port(
                network=network,
                project_id=server.project_id,
                device_id=server.pk,
                device_owner=DEVICE_OWNER,
                mac_address="fa:16:3e:" + ":".join(f"{begin + at:06x}"[pair : pair + 2] for pair in (0, 2, 4)),
                host=server.host or "",
            )
            for at, server in enumerate(servers)
        ],
        BATCH,
    )
    base = subnet.range.network_address + 10 + begin
    addresses = (FixedAddress(port=port, subnet=subnet, address=str(base + at)) for at, port in enumerate(ports))
    FixedAddress.objects.bulk_create(addresses, BATCH)
    through = Port.security_groups.through
    member = (through(port_id=port.pk, securitygroup_id=group_ids[port.project_id]) for port in ports)
    through.objects.bulk_create(member, BATCH)


def _claim(hosts: list[str]) -> None:
    """Have the hosts claimed what their servers need."""
    for name in hosts:
        here = Server.objects.present().filter(host=name)
        disk_gb = sum(server.disk_gb for server in here.only("root_gb", "ephemeral_gb", "swap_mb"))
        count = here.count()
        Host.objects.filter(name=name).update(vcpus_used=count, memory_mb_used=512 * count, disk_gb_used=disk_gb)
