"""What hosts report of themselves: resources, guests, life."""

import logging
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from compute import notify, rpc
from compute.copy_messages import Offload
from compute.messages import Destroy, HostReport
from compute.models import Host, PlacementDecision, Server, ServerFault, Service
from compute.models.host import DEFAULT_ZONE, INTERNAL_ZONE
from compute.services import failures, image_cache, reports, restarts
from compute.states import LOSABLE, PowerState, VmState, resting
from portal.core.context import new_request_id

LOG = logging.getLogger(__name__)

COMPUTE = "nova-compute"
STALE = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=10)
MEMORY_OF_REPORTS_S = 600
WORKERS_REMEMBERED = 20
# What is read of each guest of each report; the rest of those that changed is read when it is needed.
_COMPARED = (
    "name",
    "host",
    "project_id",
    "user_id",
    "vm_state",
    "power_state",
    "task_state",
    "observed_at",
    "operation_order",
)
GONE = "The host does not know this instance any more: it was removed outside of the cloud."

_last_view: dict[str, str] = {}
_wrong_clocks: set[str] = set()
_last_unknown: dict[str, set[str]] = {}


def host_report(report: HostReport) -> None:
    """Take over what a host is, has and runs; an older report than the last one changes nothing.

    The first of a worker that was started since is believed whatever time it tells: the host's clock may have been set back.
    """
    at = datetime.fromtimestamp(report.at, tz=UTC)
    with transaction.atomic():
        host = _write(report, at)
        if host is not None and report.images is not None:
            image_cache.take_over(host, report.images, at)
    if host is None:
        LOG.debug("Host %s repeated an older report.", report.host)
        return
    _log_resources(host)
    _watch_clock(host.name, at)
    restarted = restarts.noticed(host, report)
    _compare_guests(report, at, restarted)
    restarts.settle(host, report)


def _write(report: HostReport, at: datetime) -> Host | None:
    service, _made = Service.objects.get_or_create(
        binary=COMPUTE, host=report.host, defaults={"zone": DEFAULT_ZONE, "version": report.version}
    )
    facts = report.facts
    known = Host.objects.select_for_update().filter(name=report.host).first()
    last = known.reported_at if known is not None else None
    if _is_old(report, at, last):
        return None
    if last is not None and at <= last:
        LOG.warning("The clock of host %s was set back by %.0f s.", report.host, (last - at).total_seconds())
        Server.objects.turn_back(report.host, at)
    now = timezone.now()
    Service.objects.filter(pk=service.pk).update(seen_at=now, version=report.version, updated_at=now)
    host, _made = Host.objects.update_or_create(
        name=report.host,
        defaults={
            "service": service,
            "hypervisor_type": facts.hypervisor_type,
            "hypervisor_version": facts.hypervisor_version,
            "address": facts.address,
            "relay": report.relay,
            "vcpus": facts.vcpus,
            "memory_mb": facts.memory_mb,
            "disk_gb": facts.disk_gb,
            "memory_mb_actually_used": facts.memory_mb_used,
            "disk_gb_free": facts.disk_gb_free,
            "cpu_arch": facts.cpu_arch,
            "cpu_model": facts.cpu_model,
            "cpu_features": facts.cpu_features,
            "kvm": facts.kvm,
            "foreign_guests": facts.foreign_guests,
            "uptime": report.uptime[:255],
            "reported_at": at,
        },
    )
    return host


def _is_old(report: HostReport, at: datetime, last: datetime | None) -> bool:
    """Whether a report is of an earlier worker of its host, or not younger than the last one of the same worker.

    Where it is not known which worker the last one came from, a report that is far older tells of a clock that was set back.
    """
    key = f"compute:workers:{report.host}"
    workers: list[str] = cache.get(key, [])
    if not report.worker_id or not workers:
        old = last is not None and at <= last < at + STALE
    elif report.worker_id == workers[-1]:
        old = last is not None and at <= last
    else:
        old = report.worker_id in workers
    if report.worker_id and not old:
        others = [worker_id for worker_id in workers if worker_id != report.worker_id]
        cache.set(key, [*others[-WORKERS_REMEMBERED:], report.worker_id], MEMORY_OF_REPORTS_S)
    return old


def _watch_clock(host: str, at: datetime) -> None:
    """Tell once that a host has another time than we; order goes by the host's clock alone, tickets do not."""
    ahead = at - timezone.now()
    if abs(ahead) < CLOCKS_DIFFER:
        _wrong_clocks.discard(host)
    elif host not in _wrong_clocks:
        _wrong_clocks.add(host)
        told = "Reports of host %s tell a time %+.0f s from ours: they wait long, or one of the clocks is wrong and consoles stay shut."
        LOG.warning(told, host, ahead.total_seconds())


def _log_resources(host: Host) -> None:
    """Tell what the host has and what is promised of it, whenever that changed."""
    view = (
        f"name={host.name} phys_ram={host.memory_mb}MB used_ram={host.memory_mb_used}MB "
        f"phys_disk={host.disk_gb}GB used_disk={host.disk_gb_used}GB "
        f"total_vcpus={host.vcpus} used_vcpus={host.vcpus_used} pci_stats=[]"
    )
    if _last_view.get(host.name) != view:
        _last_view[host.name] = view
        LOG.info("Final resource view: %s", view)


def _compare_guests(report: HostReport, at: datetime, restarted: bool) -> None:
    """Bring rows and guests together: power states, guests without a row, rows without a guest."""
    cache.set(f"compute:guests:{report.host}", sorted(report.guests), MEMORY_OF_REPORTS_S)
    mine = Server.objects.present().filter(host=report.host)
    here = {server.pk: server for server in mine.only(*_COMPARED)}
    lost = set(mine.filter(vm_state=VmState.ERROR, fault__code=failures.LOST).values_list("pk", flat=True))
    known = [(here[server_id], power_state) for server_id, power_state in report.guests.items() if server_id in here]
    for server, power_state in known:
        if not (restarted and restarts.take_over(server, power_state, at, again=report.resumes)):
            _agree(server, power_state, at, lost)
    strangers = set(report.guests) - set(here)
    if strangers:
        _remove_strays(report.host, strangers)
    else:
        _last_unknown.pop(report.host, None)
    _miss(report.host, {key: server for key, server in here.items() if key not in report.guests}, at)


def _agree(server: Server, power_state: PowerState, at: datetime, lost: set[str]) -> None:
    """Write the guest's power state down, and nothing while an operation runs: that tells the end itself."""
    if server.task_state is not None or (server.observed_at is not None and at <= server.observed_at):
        return
    vm_state = resting(server.vm_state, power_state)
    if vm_state is None:
        return
    if server.pk in lost:
        _recover(server, vm_state, power_state, at)
    elif server.vm_state != VmState.ERROR and (vm_state, power_state) != (server.vm_state, server.power_state):
        with transaction.atomic():
            reports.take_over(server, power_state, at)


@transaction.atomic
def _recover(server: Server, vm_state: VmState, power_state: PowerState, at: datetime) -> None:
    """Take a server that was missed out of ERROR, now that its guest is there again."""
    if Server.objects.recover(server.pk, server.host or "", vm_state, power_state, at):
        ServerFault.objects.filter(server=server, code=failures.LOST).delete()
        LOG.info("Instance %s is known to its host again.", server.pk)
        notify.server_changed(server)


def _remove_strays(host: str, guest_ids: set[str]) -> None:
    """Remove guests that a row says must not be there; a guest without any row is left alone and named in the log, once."""
    rows = {
        server.pk: server for server in Server.objects.filter(pk__in=list(guest_ids)).only("deleted_at", "operation_order")
    }
    placed_here = set(PlacementDecision.objects.filter(server__in=list(rows), chosen=host).values_list("server_id", flat=True))
    unknown = guest_ids - set(rows)
    for guest_id in sorted(unknown - _last_unknown.get(host, set())):
        LOG.warning("Host %s has guest %s, of which nothing is known here: it is left alone.", host, guest_id)
    _last_unknown[host] = unknown
    for guest_id, server in sorted(rows.items()):
        if server.deleted_at is not None or guest_id in placed_here:
            LOG.warning("Host %s still has guest %s: it is told to remove it.", host, guest_id)
            with transaction.atomic():
                # one that lives may come back to this host, which builds nothing any more for an id that it was told to destroy
                gone = server.deleted_at is not None
                # a request of its own: a host carries out each command once, and its last one it may have carried out before
                rpc.send(host, (Destroy if gone else Offload)(guest_id, new_request_id(), order=server.operation_order))


def _miss(host: str, absent: dict[str, Server], at: datetime) -> None:
    """Put servers in ERROR whose guest two reports in a row did not know."""
    key = f"compute:absent:{host}"
    before = set(cache.get(key, ()))
    candidates = {pk for pk, server in absent.items() if server.vm_state in LOSABLE and server.task_state is None}
    for server_id in sorted(candidates & before):
        with transaction.atomic():
            server = absent[server_id]
            if Server.objects.lose(server_id, host, at):
                failures.write_fault(server, GONE, failures.LOST)
                LOG.warning("Instance %s is not known to its host %s any more.", server_id, host)
                notify.server_changed(server)
    if candidates or before:
        cache.set(key, sorted(candidates), MEMORY_OF_REPORTS_S)


def heartbeat(binary: str, host: str, version: str) -> None:
    """Note that a part beside the database is alive."""
    now = timezone.now()
    rows = Service.objects.filter(binary=binary, host=host)
    if not rows.update(seen_at=now, version=version, updated_at=now):
        Service.objects.get_or_create(
            binary=binary, host=host, defaults={"zone": INTERNAL_ZONE, "seen_at": now, "version": version}
        )
