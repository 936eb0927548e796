"""Which servers a list asks for (compute API reference, "List Servers", query parameters).

What is not among the filters that everybody may use is ignored for whoever may not use them all, as upstream does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict

from compute import policies, selectors
from compute.api.v2_1 import conditions, versions
from compute.api.v2_1.base import PAGING, moment, ordering, truth
from compute.models import Server
from compute.states import STATUS_VM_STATES, TaskState, VmState, status
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import Rule, allowed
from portal.core.versions import Version

_STATUS_TASKS = {"REBOOT": TaskState.REBOOTING, "HARD_REBOOT": TaskState.REBOOTING_HARD}

_OTHERS = frozenset(
    {
        "access_ip_v4",
        "access_ip_v6",
        "auto_disk_config",
        "config_drive",
        "deleted",
        "progress",
        "project_id",
        "soft_deleted",
        "tenant_id",
    }
)
_PROJECTS = frozenset({"project_id", "tenant_id"})
# Known, and refused to whoever may use every filter: they are no columns of a server.
_OTHER_TABLES = frozenset(
    {
        "block_device_mapping",
        "info_cache",
        "metadata",
        "pci_devices",
        "security_groups",
        "services",
        "system_metadata",
    }
)
_FOR_ALL = frozenset({"name", "status", "image", "flavor", "ip", "reservation_id", "changes-since", "all_tenants"})
_TAG_FILTERS = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})
_FOR_ALL_LATER = frozenset(
    {
        "availability_zone",
        "config_drive",
        "created_at",
        "key_name",
        "launched_at",
        "power_state",
        "progress",
        "task_state",
        "terminated_at",
        "user_id",
        "vm_state",
    }
)
_ALL = (
    _FOR_ALL
    | set(conditions.EXACT)
    | set(conditions.TIMES)
    | set(conditions.NUMBERS)
    | set(conditions.PATTERNS)
    | set(conditions.SAME)
    | {"ip6"}
    | _OTHERS
)

_SORT = {
    **dict.fromkeys(("kernel_id", "progress", "ramdisk_id", "root_device_name"), "id"),  # equal, or nearly, for all
    "access_ip_v4": "access_ip_v4",
    "access_ip_v6": "access_ip_v6",
    "auto_disk_config": "auto_disk_config",
    "availability_zone": "availability_zone",
    "config_drive": "config_drive",
    "created_at": "created_at",
    "display_description": "description",
    "display_name": "name",
    "host": "host",
    "hostname": "hostname",
    "image_ref": "image_id",
    "instance_type_id": "flavor_id",
    "key_name": "key_name",
    "launch_index": "launch_index",
    "launched_at": "launched_at",
    "locked": "locked",
    "locked_by": "locked_by",
    "node": "host",
    "power_state": "power_state",
    "project_id": "project_id",
    "task_state": "task_state",
    "terminated_at": "deleted_at",
    "updated_at": "updated_at",
    "user_id": "user_id",
    "uuid": "id",
    "vm_state": "vm_state",
}


class _Moment(Value):
    """A time. MariaDB has to be told that it is one, or it makes text of the column beside it."""

    def as_mysql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, Any]:
        sql, params = self.as_sql(compiler, connection)
        return f"CAST({sql} AS datetime(6))", params


_NULLABLE: dict[str, Any] = {
    **dict.fromkeys(
        ("availability_zone", "description", "host", "image_id", "key_name", "locked_by", "task_state"), Value("")
    ),
    **dict.fromkeys(("launched_at", "deleted_at"), _Moment(datetime(1970, 1, 1, tzinfo=UTC))),
}
_ADMIN_SORT = frozenset({"host", "node"})
# Until 2.75 these keys are taken, and nothing is sorted by them.
_UNSORTED = frozenset(
    {
        *("architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted", "deleted_at"),
        *("disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "launched_on", "locked", "memory_mb"),
        *("os_type", "reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode"),
    }
)


def known_parameters(version: Version) -> frozenset[str]:
    """Return every parameter that a list of servers understands at this version."""
    known = _ALL | _OTHER_TABLES | PAGING | {"sort_key", "sort_dir"}
    known |= _TAG_FILTERS if version >= versions.TAGS else frozenset()
    known |= {"changes-before"} if version >= versions.CHANGES_BEFORE else frozenset()
    return frozenset(known | ({"locked"} if version >= versions.LOCKED_REASON else set()))


@dataclass
class ServerFilter:
    """One list request: its parameters and who asks."""

    ctx: RequestContext
    params: QueryDict
    version: Version
    all_projects: Rule = policies.INDEX_ALL
    every: bool = field(init=False)

    def __post_init__(self) -> None:
        self.every = allowed(self.ctx, policies.ALLOW_ALL_FILTERS)

    def wanted(self) -> dict[str, str]:
        """Return the filters that count for this caller, the last value of each; a project only among those of all projects."""
        usable = known_parameters(self.version) - PAGING - {"sort_key", "sort_dir"}
        if not self.every:
            usable &= _FOR_ALL | _TAG_FILTERS | {"changes-before", "locked"} | self._later()
        for name in self.params.keys() & usable & _OTHER_TABLES:
            raise BadRequest(f"Invalid filter field: {name}.")
        if "all_tenants" not in self.params:
            usable -= _PROJECTS
        return {name: str(self.params[name]) for name in self.params if name in usable}

    def _later(self) -> frozenset[str]:
        later = _FOR_ALL_LATER if self.version >= versions.FILTERS_FOR_ALL else frozenset()
        return later | {"ip6"} if self.version >= versions.IPV6_FOR_ALL else later

    def rows(self) -> QuerySet[Server]:
        """Return the servers that match, not yet in order."""
        wanted = self.wanted()
        rows = self._visible(wanted, self._with_deleted(wanted)).filter(self._gone_or_not(wanted))
        conditions.require_order(wanted)
        condition = Q()
        for name, value in wanted.items():
            condition &= self._condition(name, value, rows)
        return rows.filter(condition)

    def _gone_or_not(self, wanted: dict[str, str]) -> Q:
        """Return which of the deleted are listed; those that can be restored are as if they were gone, unless they are asked for."""
        gone, rests = Q(deleted_at__isnull=False), Q(vm_state=VmState.SOFT_DELETED)
        if self._deleted_only(wanted):
            return gone | rests if truth(wanted.get("soft_deleted", "1"), "soft_deleted") else gone
        by_state = {wanted.get("vm_state"), *(word.upper() for word in self.params.getlist("status"))}
        named = by_state & {VmState.SOFT_DELETED, status(VmState.SOFT_DELETED, None)}
        if named or self._changed(wanted) or truth(wanted.get("soft_deleted", "0"), "soft_deleted"):
            return Q()
        return ~rests

    def _deleted_only(self, wanted: dict[str, str]) -> bool:
        return self.every and "deleted" in wanted and truth(wanted["deleted"], "deleted")

    def _changed(self, wanted: dict[str, str]) -> bool:
        return "changes-since" in wanted or "changes-before" in wanted

    def markable(self) -> QuerySet[Server]:
        """Return the servers after which a page may begin: all that the caller may list, deleted ones too."""
        return self._visible(self.wanted(), with_deleted=True)

    def _visible(self, wanted: dict[str, str], with_deleted: bool) -> QuerySet[Server]:
        return selectors.servers_visible(
            self.ctx, self._all_projects(wanted), with_deleted=with_deleted, rule=self.all_projects
        )

    def _all_projects(self, wanted: dict[str, str]) -> bool:
        word = wanted.get("all_tenants")
        return word is not None and truth(word or "1", "all_tenants")

    def _with_deleted(self, wanted: dict[str, str]) -> bool:
        if self._changed(wanted):
            return True
        statuses = {word.upper() for word in self.params.getlist("status")}
        if "DELETED" in statuses:
            if not self.every:
                raise Forbidden("Only administrators may list deleted instances")
            return True
        return self._deleted_only(wanted)

    def _condition(self, name: str, value: str, rows: QuerySet[Server]) -> Q:
        special: dict[str, Callable[[], Q]] = {
            "status": self._status,
            "name": lambda: conditions.named(rows, "name", value),
            "image": lambda: Q(image_id=value.rpartition("/")[2]),
            "flavor": lambda: Q(flavor_id=value.rpartition("/")[2]),
            "ip": lambda: conditions.addressed(rows, value, 4),
            "ip6": lambda: conditions.addressed(rows, value, 6),
            "changes-since": lambda: Q(updated_at__gte=moment(value, name)),
            "changes-before": lambda: Q(updated_at__lte=moment(value, name)),
            "config_drive": lambda: Q(config_drive=truth(value, name)),
            "locked": lambda: Q(locked=truth(value, name)),
            "progress": lambda: conditions.progressed(value),
            "project_id": lambda: Q(project_id=value),
            "tenant_id": lambda: Q(project_id=value),
            "tags": lambda: conditions.tagged(value, every=True),
            "tags-any": lambda: conditions.tagged(value, every=False),
            "not-tags": lambda: ~conditions.tagged(value, every=True),
            "not-tags-any": lambda: ~conditions.tagged(value, every=False),
            "access_ip_v4": lambda: Q(access_ip_v4=value),
            "access_ip_v6": lambda: Q(access_ip_v6=value),
            "auto_disk_config": lambda: Q(auto_disk_config=truth(value, name)),
        }
        if name in special:
            return special[name]()
        return conditions.plain(name, value, rows)

    def _status(self) -> Q:
        words = [word.upper() for word in self.params.getlist("status")]
        known = [word for word in words if word in STATUS_VM_STATES]
        if not known and self.version >= versions.INVALID_STATUS_REFUSED:
            raise BadRequest("Invalid status value")
        matched = conditions.nothing()
        for word in known:
            states = Q(vm_state__in=STATUS_VM_STATES[word])
            task = _STATUS_TASKS.get(word)
            matched |= states & Q(task_state=task) if task else states
        return matched

    def ordered(self, rows: QuerySet[Server]) -> tuple[QuerySet[Server], list[tuple[str, bool]]]:
        """Return the rows with the columns to sort by, and the order; a column that may be null gets a stand-in."""
        keys = self.params.getlist("sort_key")
        hidden = [key for key in keys if key in _ADMIN_SORT]
        if hidden and not self.every:
            raise Forbidden(f"Only administrators can sort servers by {hidden[0]}")
        order = []
        for column, descending in ordering(self.params, _SORT, [("created_at", True)], "id", self._ignored_keys()):
            name = column
            if column in _NULLABLE:
                name = f"sort_{column}"
                rows = rows.annotate(**{name: Coalesce(F(column), _NULLABLE[column])})
            order.append((name, descending))
        return rows, order

    def _ignored_keys(self) -> frozenset[str]:
        if self.version >= versions.STRICT:
            return frozenset()
        return _UNSORTED - {"locked"} if self.version >= versions.LOCKED_REASON else _UNSORTED
