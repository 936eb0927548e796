"""Intervals of use: written when a server comes to a host, changes its size there, or leaves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from compute.models import Server, UsageInterval
from compute.states import VmState

FOLLOWED = frozenset({"launched_at", "host", "vcpus"})  # a change of one of these may end an interval or begin one
_USING = Q(deleted_at=None, host__isnull=False, launched_at__isnull=False) & ~Q(vm_state=VmState.SHELVED_OFFLOADED)


def follow(server_id: str) -> None:
    """Let the intervals of a server be what its row says. Runs in the transaction that changed the row, which holds it."""
    server = Server.objects.filter(_USING, pk=server_id).first()
    size = None if server is None else _size(server)
    running = list(UsageInterval.objects.filter(server_id=server_id, ended_at=None))
    right = next((row for row in running if row.size() == size), None)
    now = timezone.now()
    for row in running:
        if row is not right:
            UsageInterval.objects.filter(pk=row.pk).update(ended_at=now)
    if size is not None and right is None:
        UsageInterval.objects.create(server_id=server_id, started_at=now, **size)


@transaction.atomic
def set_right(server_id: str) -> None:
    """Let the intervals of a server be right from now on."""
    Server.objects.select_for_update().filter(pk=server_id).first()
    follow(server_id)


@dataclass(frozen=True)
class Miscounted:
    """A server whose use is not counted as it is, or is counted though there is none."""

    server_id: str
    uses: bool

    def __str__(self) -> str:
        how = "is on a host and its use is not counted as it is" if self.uses else "is on no host and its use is counted"
        return f"instance {self.server_id} {how}"


def astray() -> Iterator[Miscounted]:
    """Yield those servers. Three queries, however many there are."""
    counted, using = UsageInterval.objects.filter(ended_at=None).order_by(), Server.objects.filter(_USING).order_by()
    as_it_is = counted.filter(
        server=OuterRef("pk"),
        vcpus=OuterRef("vcpus"),
        ram_mb=OuterRef("ram_mb"),
        local_gb=OuterRef("root_gb") + OuterRef("ephemeral_gb"),
    )
    twice = counted.values("server").annotate(times=Count("pk")).filter(times__gt=1).values_list("server", flat=True)
    for pk in {*using.filter(~Exists(as_it_is)).values_list("pk", flat=True), *twice}:
        yield Miscounted(pk, uses=True)
    for pk in counted.exclude(server__in=using.values("pk")).values_list("server_id", flat=True).distinct():
        yield Miscounted(pk, uses=False)


def _size(server: Server) -> dict[str, Any]:
    return {"vcpus": server.vcpus, "ram_mb": server.ram_mb, "local_gb": server.root_gb + server.ephemeral_gb}
