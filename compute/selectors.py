"""Reads that need a context or several tables. What the caller may not see is hidden here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import Count, Prefetch, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.services import quotas
from compute import policies
from compute.models import (
    ActionEvent,
    Flavor,
    Host,
    HostImage,
    Keypair,
    Migration,
    Server,
    ServerAction,
    ServerDefinition,
    ServerFault,
    ServerTag,
    Service,
)
from compute.models.host import DEFAULT_ZONE
from compute.models.server import ServerQuerySet
from compute.scheduler import core
from images import policies as image_policies
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, allowed, authorize
from portal.core.policy.checks import granted
from portal.core.policy.sql import Column, keep_allowed

# What rules call %(name)s, see Server.policy_target.
COLUMNS: dict[str, Column] = {"project_id": "project_id", "user_id": "user_id"}
# Resizes under way whose end gives a server another size than its row says.
_GROWING = ("migrating", "reverting")
_NOBODYS = {"project_id": "", "user_id": ""}


def servers_visible(
    ctx: RequestContext, all_projects: bool = False, *, with_deleted: bool = False, rule: Rule = policies.INDEX_ALL
) -> ServerQuerySet:
    """Return the servers of the caller's project and those shared with him; of all projects for whoever ``rule`` lets list them."""
    authorize(ctx, policies.INDEX)
    rows = Server.objects.all() if with_deleted else Server.objects.present()
    if all_projects:
        authorize(ctx, rule)
    else:
        rows = rows.filter(_mine(ctx))
    return keep_allowed(rows, ctx, policies.SHOW, COLUMNS)


def get_server(ctx: RequestContext, server_id: str, *, with_deleted: bool = False) -> Server:
    """Return a server the caller may see; any other id is simply not found."""
    rows = (Server.objects.all() if with_deleted else Server.objects.present()).select_related("number")
    if not allowed(ctx, policies.SHOW, _NOBODYS):  # who passes even so sees every project's
        rows = rows.filter(_mine(ctx))
    server = rows.filter(pk=server_id).first()
    if server is None:
        raise NotFound("Instance", server_id)
    authorize(ctx, policies.SHOW, server)
    return server


def _mine(ctx: RequestContext) -> Q:
    found = Q(project_id=ctx.project_id) if ctx.project_id else Q(pk__in=[])
    if ctx.user_id:
        found |= granted("compute.view_server", Server, ctx.user_id, ctx.project_id)
    return found


def list_flavors(ctx: RequestContext) -> QuerySet[Flavor]:
    """Return the flavors that the caller's project may use; all of them for whoever may see access lists."""
    rows = Flavor.objects.filter(disabled=False)
    if allowed(ctx, policies.FLAVOR_ACCESS):
        return rows
    return rows.filter(Q(is_public=True) | Q(accesses__project_id=ctx.project_id)).distinct()


def get_flavor(ctx: RequestContext, flavor_id: str) -> Flavor:
    """Return a flavor the caller may use, by the id that clients use."""
    flavor = list_flavors(ctx).filter(flavor_id=flavor_id).first()
    if flavor is None:
        raise NotFound("Flavor", flavor_id)
    return flavor


def list_keypairs(ctx: RequestContext, user_id: str | None = None) -> QuerySet[Keypair]:
    """Return the keypairs of the caller, or of ``user_id`` for whoever may see them."""
    owner = user_id or ctx.user_id
    authorize(ctx, policies.KEYPAIRS_INDEX, {"user_id": owner})
    return Keypair.objects.filter(user_id=owner).order_by("name")


def get_keypair(ctx: RequestContext, name: str, user_id: str | None = None, rule: Rule = policies.KEYPAIRS_SHOW) -> Keypair:
    """Return one keypair by its name."""
    owner = user_id or ctx.user_id
    authorize(ctx, rule, {"user_id": owner})
    keypair = Keypair.objects.filter(user_id=owner, name=name).first()
    if keypair is None:
        raise NotFound("Keypair", name, _("Keypair %(name)s not found for user %(user)s") % {"name": name, "user": owner})
    return keypair


@dataclass(frozen=True)
class Usage:
    """How much of one resource a project has; ``limit`` None means without limit."""

    used: int
    limit: int | None

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def in_use(project_ids: list[str]) -> dict[str, int]:
    """Return what the servers of projects take of a quota, together, counted from the rows."""
    return counted(Server.objects.present().filter(project_id__in=project_ids))


def counted(servers: QuerySet[Server]) -> dict[str, int]:
    """Return what these servers take of a quota; one that is growing takes already what it will have."""
    sums = servers.aggregate(instances=Count("pk"), cores=Sum("vcpus"), ram=Sum("ram_mb"))
    found = {name: value or 0 for name, value in sums.items()}
    moving = Migration.objects.filter(server__in=servers.order_by().values("pk"), open=True, status__in=_GROWING)
    for status, old, new in moving.values_list("status", "old_flavor", "new_flavor"):
        now, then = (old, new) if status == "migrating" else (new, old)
        found["cores"] += max(0, then["vcpus"] - now["vcpus"])
        found["ram"] += max(0, then["ram_mb"] - now["ram_mb"])
    return found


def usage(who: RequestContext | str) -> dict[str, Usage]:
    """Return use and limit of instances, cores and ram of the caller's project, or of the project with this id."""
    project_id = who if isinstance(who, str) else (who.project_id or "")
    limits, used = quotas.limits(project_id), in_use([project_id])
    return {name: Usage(used[name], None if limits[name] < 0 else limits[name]) for name in used}


def fits(ctx: RequestContext, flavors: Iterable[Flavor]) -> dict[str, dict[str, int | None]]:
    """Return how many more of each flavor fit on the hosts ``now``, and how many the ``quota`` allows (None: any number)."""
    hosts, filters, room = host_states(), scheduler_filters(), usage(ctx)
    found: dict[str, dict[str, int | None]] = {}
    for flavor in flavors:
        spec = core.RequestSpec(flavor.vcpus, flavor.ram_mb, disk_gb_of(flavor))
        costs = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram_mb}
        rooms = [free // costs[name] for name, each in room.items() if (free := each.free) is not None]
        found[flavor.flavor_id] = {"now": core.how_many(spec, hosts, filters), "quota": min(rooms) if rooms else None}
    return found


def disk_gb_of(flavor: Flavor) -> int:
    """Return what a server of this flavor claims of a host's disk."""
    return flavor.root_gb + flavor.ephemeral_gb + -(-flavor.swap_mb // 1024)


def actions_of(ctx: RequestContext, server: Server) -> list[ServerAction]:
    """Return what was asked of a server, newest first, with the steps of each."""
    authorize(ctx, policies.ACTIONS_LIST if server.project_id == ctx.project_id else policies.SHOW, server)
    return list(server.actions.prefetch_related(Prefetch("events", ActionEvent.objects.order_by("started_at", "pk"))))


def action_log(ctx: RequestContext, server: Server, rule: Rule = policies.ACTIONS_LIST) -> QuerySet[ServerAction]:
    """Return what was asked of a server, newest first, as rows that can be narrowed and paged."""
    authorize(ctx, rule, server)
    events = Prefetch("events", ActionEvent.objects.order_by("started_at", "pk"))
    return server.actions.select_related("server").prefetch_related(events)


def definitions_of(ctx: RequestContext, server: Server) -> list[ServerDefinition]:
    """Return the stored domain definitions, newest first, for whoever may see hosts and domains."""
    authorize(ctx, policies.EXTENDED_ATTRIBUTES, server)
    return list(server.definitions.order_by("-created_at", "-pk"))


def faults_of(server_ids: Iterable[str]) -> dict[str, ServerFault]:
    """Return the fault of each server that has one, with one query."""
    return {fault.server_id: fault for fault in ServerFault.objects.filter(server__in=list(server_ids))}


def tags_of(server_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the tags of each server that has some, with one query."""
    found: dict[str, list[str]] = {}
    for server_id, tag in ServerTag.objects.filter(server__in=list(server_ids)).values_list("server_id", "tag"):
        found.setdefault(server_id, []).append(tag)
    return found


def services(ctx: RequestContext, rule: Rule = policies.SERVICES_LIST) -> QuerySet[Service]:
    """Return every running part of the cloud."""
    authorize(ctx, rule)
    return Service.objects.all()


def hosts(ctx: RequestContext, rule: Rule = policies.HYPERVISORS_LIST) -> QuerySet[Host]:
    """Return the compute hosts with their services."""
    authorize(ctx, rule)
    return Host.objects.select_related("service")


def host_images(ctx: RequestContext, rule: Rule = image_policies.CACHE_LIST) -> QuerySet[HostImage]:
    """Return which images lie on which hosts, and which are asked for."""
    authorize(ctx, rule)
    return HostImage.objects.select_related("host")


def is_up(service: Service) -> bool:
    """Whether a service reported lately and was not declared down."""
    if service.forced_down or service.seen_at is None:
        return False
    return timezone.now() - service.seen_at < timedelta(seconds=settings.HOST_SILENT_S)


def host_statuses() -> dict[str, str]:
    """Return the state of every compute host in the compute API's words: UP, DOWN, UNKNOWN or MAINTENANCE."""
    return {row.host: _host_status(row) for row in Service.objects.filter(binary="nova-compute")}


def _host_status(service: Service) -> str:
    if service.forced_down:
        return "DOWN"
    if service.disabled:
        return "MAINTENANCE"
    return "UP" if is_up(service) else "UNKNOWN"


def servers_on_hosts(names: Iterable[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Return id, name and domain name of the servers on each host, with one query."""
    found: dict[str, list[tuple[str, str, str]]] = {name: [] for name in names}
    rows = Server.objects.present().filter(host__in=list(found)).order_by("created_at", "pk")
    for server in rows.only("host", "name", "number"):
        found[server.host or ""].append((server.pk, server.name, server.domain_name))
    return found


@dataclass(frozen=True)
class Load:
    """How many servers a host has, and with how many of them something is being done."""

    servers: int = 0
    busy: int = 0


IDLE = Load()


def loads_of_hosts() -> dict[str, Load]:
    """Return what each host that has servers is busy with, with one query."""
    rows = Server.objects.present().exclude(host=None).order_by().values("host")
    counts = rows.annotate(servers=Count("pk"), busy=Count("task_state"))
    return {str(row["host"]): Load(row["servers"], row["busy"]) for row in counts}


def zone_services(ctx: RequestContext) -> QuerySet[Service]:
    """Return every service for a list by zone and host."""
    authorize(ctx, policies.ZONES_DETAIL)
    return Service.objects.order_by("zone", "host", "binary")


def availability_zones(ctx: RequestContext) -> dict[str, bool]:
    """Return the zones in which servers can be, each with whether a host of it takes servers now."""
    authorize(ctx, policies.ZONES_LIST)
    found: dict[str, bool] = {}
    for service in Service.objects.filter(binary="nova-compute").order_by("zone"):
        found[service.zone] = found.get(service.zone, False) or (is_up(service) and not service.disabled)
    return found or {DEFAULT_ZONE: False}


def host_states() -> list[core.HostState]:
    """Return every host as placement sees it now."""
    return [
        core.HostState(
            name=host.name,
            zone=host.service.zone,
            up=is_up(host.service),
            enabled=not host.service.disabled,
            disabled_reason=host.service.disabled_reason or "",
            vcpus=host.vcpus,
            vcpus_used=host.vcpus_used,
            memory_mb=host.memory_mb,
            memory_mb_used=host.memory_mb_used,
            disk_gb=host.disk_gb,
            disk_gb_used=host.disk_gb_used,
            vcpus_ratio=settings.CPU_ALLOCATION_RATIO,
            memory_ratio=settings.RAM_ALLOCATION_RATIO,
            disk_ratio=settings.DISK_ALLOCATION_RATIO,
            cpu_arch=host.cpu_arch,
            hypervisor_type=host.hypervisor_type,
        )
        for host in Host.objects.select_related("service").order_by("name")
    ]


def scheduler_filters() -> list[core.Filter]:
    """Return the filters that the settings name, in their order."""
    return [_made(name) for name in settings.SCHEDULER_FILTERS]


def scheduler_weighers() -> list[tuple[core.Weigher, float]]:
    """Return the weighers that the settings name, with their multipliers."""
    return [(_made(name), multiplier) for name, multiplier in settings.SCHEDULER_WEIGHERS]


@lru_cache(maxsize=64)
def _made(name: str) -> Any:
    return import_string(name)()
