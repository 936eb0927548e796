"""Intervals of use: written when a server comes to a host, changes its size there, or leaves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from compute.models import Server, UsageInterval
from compute.states import VmState

FOLLOWED = frozenset({"launched_at", "host", "vcpus"})  # a change of one of these may end an interval or begin one
_USING = Q(deleted_at=None, host__isnull=False, launched_at__isnull=False) & ~Q(vm_state=VmState.SHELVED_OFFLOADED)


def follow(server_id: str) -> None:
    """Let the intervals of a server be what its row says. Runs in the transaction that changed the row, which holds it."""
    server = Server.objects.filter(_USING, pk=server_id).first()
    running = UsageInterval.objects.filter(server_id=server_id, ended_at=None).first()
    size = None if server is None else _size(server)
    if running is not None and running.size() == size:
        return
    now = timezone.now()
    if running is not None:
        UsageInterval.objects.filter(pk=running.pk).update(ended_at=now)
    if size is not None:
        UsageInterval.objects.create(server_id=server_id, started_at=now, **size)


@dataclass(frozen=True)
class Miscounted:
    """A server that uses something that is not counted, or is counted though it uses nothing."""

    server_id: str
    uses: bool

    def __str__(self) -> str:
        return (
            f"instance {self.server_id} {'is on a host and not counted' if self.uses else 'is on no host and counted'} as used"
        )


def astray() -> Iterator[Miscounted]:
    """Yield those servers. Two queries, however many there are."""
    counted, using = UsageInterval.objects.filter(ended_at=None), Server.objects.filter(_USING)
    for pk in using.filter(~Exists(counted.filter(server=OuterRef("pk")))).values_list("pk", flat=True).iterator():
        yield Miscounted(pk, uses=True)
    for pk in counted.exclude(server__in=using).values_list("server_id", flat=True).distinct().iterator():
        yield Miscounted(pk, uses=False)


def _size(server: Server) -> dict[str, Any]:
    return {"vcpus": server.vcpus, "ram_mb": server.ram_mb, "local_gb": server.root_gb + server.ephemeral_gb}
