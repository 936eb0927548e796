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
from compute.api.v2_1 import patterns, versions
from compute.api.v2_1.base import PAGING, moment, ordering, truth
from compute.models import Server, ServerTag
from compute.network import selectors as network
from compute.states import STATUS_VM_STATES, TaskState
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import Rule, allowed
from portal.core.versions import Version

MOST_NAMES = 5_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS_TASKS = {"REBOOT": TaskState.REBOOTING, "HARD_REBOOT": TaskState.REBOOTING_HARD}

_EXACT = {
    "availability_zone": "availability_zone",
    "host": "host",
    "hypervisor_hostname": "host",
    "image_ref": "image_id",
    "key_name": "key_name",
    "node": "host",
    "reservation_id": "reservation_id",
    "task_state": "task_state",
    "user_id": "user_id",
    "uuid": "id",
    "vm_state": "vm_state",
}
_TIMES = {"created_at": "created_at", "launched_at": "launched_at", "terminated_at": "deleted_at"}
_NUMBERS = {"launch_index": "launch_index", "power_state": "power_state"}
_PATTERNS = {
    "description": "description",
    "display_description": "description",
    "display_name": "name",
    "hostname": "hostname",
}
_NEVER = frozenset({"kernel_id", "ramdisk_id", "locked_by", "progress"})
_OTHERS = frozenset(
    {
        "access_ip_v4",
        "access_ip_v6",
        "auto_disk_config",
        "config_drive",
        "deleted",
        "project_id",
        "root_device_name",
        "soft_deleted",
        "tenant_id",
    }
)
_FOR_ALL = frozenset({"name", "status", "image", "flavor", "ip", "ip6", "changes-since", "all_tenants"})
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
_ALL = _FOR_ALL | set(_EXACT) | set(_TIMES) | set(_NUMBERS) | set(_PATTERNS) | _NEVER | _OTHERS

_SORT = {
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
_NULLABLE: dict[str, Any] = {
    **dict.fromkeys(("availability_zone", "description", "host", "image_id", "key_name", "task_state"), ""),
    **dict.fromkeys(("launched_at", "deleted_at"), _LONG_AGO),
}
_ADMIN_SORT = frozenset({"host", "node"})


def known_parameters(version: Version) -> frozenset[str]:
    """Return every parameter that a list of servers understands at this version."""
    known = _ALL | PAGING | {"sort_key", "sort_dir"}
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
        """Return the filters that count for this caller, the last value of each."""
        usable = known_parameters(self.version) - PAGING - {"sort_key", "sort_dir"}
        if not self.every:
            usable &= _FOR_ALL | _TAG_FILTERS | {"changes-before", "locked"} | self._later()
        return {name: str(self.params[name]) for name in self.params if name in usable}

    def _later(self) -> frozenset[str]:
        return _FOR_ALL_LATER if self.version >= versions.FILTERS_FOR_ALL else frozenset()

    def rows(self) -> QuerySet[Server]:
        """Return the servers that match, not yet in order."""
        wanted = self.wanted()
        rows = self._visible(wanted, self._with_deleted(wanted))
        if self.every and "deleted" in wanted and truth(wanted["deleted"], "deleted"):
            rows = rows.exclude(deleted_at=None)
        _require_order(wanted)
        condition = Q()
        for name, value in wanted.items():
            condition &= self._condition(name, value, rows)
        return rows.filter(condition)

    def markable(self) -> QuerySet[Server]:
        """Return the servers after which a page may begin: all that the caller may list, deleted ones too."""
        return self._visible(self.wanted(), with_deleted=True)

    def _visible(self, wanted: dict[str, str], with_deleted: bool) -> QuerySet[Server]:
        return selectors.servers_visible(
            self.ctx, self._all_projects(wanted), with_deleted=with_deleted, rule=self.all_projects
        )

    def _all_projects(self, wanted: dict[str, str]) -> bool:
        word = wanted.get("all_tenants")
        if word is not None:
            return truth(word or "1", "all_tenants")
        return self.every and bool({"project_id", "tenant_id"} & wanted.keys())

    def _with_deleted(self, wanted: dict[str, str]) -> bool:
        if "changes-since" in wanted or "changes-before" in wanted:
            return True
        statuses = {word.upper() for word in self.params.getlist("status")}
        if "DELETED" in statuses:
            if not self.every:
                raise Forbidden("Only administrators may list deleted instances")
            return True
        return self.every and "deleted" in wanted and truth(wanted["deleted"], "deleted")

    def _condition(self, name: str, value: str, rows: QuerySet[Server]) -> Q:
        special: dict[str, Callable[[], Q]] = {
            "status": self._status,
            "name": lambda: _named(rows, "name", value),
            "image": lambda: Q(image_id=value.rpartition("/")[2]),
            "flavor": lambda: Q(flavor_id=value.rpartition("/")[2]),
            "ip": lambda: _addressed(rows, value, 4),
            "ip6": lambda: _addressed(rows, value, 6),
            "changes-since": lambda: Q(updated_at__gte=moment(value, name)),
            "changes-before": lambda: Q(updated_at__lte=moment(value, name)),
            "config_drive": lambda: Q(config_drive=truth(value, name)),
            "locked": lambda: Q(locked=truth(value, name)),
            "project_id": lambda: Q(project_id=value),
            "tenant_id": lambda: Q(project_id=value),
            "tags": lambda: _tagged(value, every=True),
            "tags-any": lambda: _tagged(value, every=False),
            "not-tags": lambda: ~_tagged(value, every=True),
            "not-tags-any": lambda: ~_tagged(value, every=False),
            "access_ip_v4": lambda: Q(access_ip_v4=value),
            "access_ip_v6": lambda: Q(access_ip_v6=value),
            "auto_disk_config": lambda: Q(auto_disk_config=truth(value, name)),
        }
        if name in special:
            return special[name]()
        return _plain(name, value, rows)

    def _status(self) -> Q:
        words = [word.upper() for word in self.params.getlist("status")]
        known = [word for word in words if word in STATUS_VM_STATES]
        if not known and self.version >= versions.INVALID_STATUS_REFUSED:
            raise BadRequest("Invalid status value")
        matched = _nothing()
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
        columns = _SORT if self.version >= versions.LOCKED_REASON else {k: v for k, v in _SORT.items() if k != "locked"}
        order = []
        for column, descending in ordering(self.params, columns, [("created_at", True)], "id"):
            name = column
            if column in _NULLABLE:
                name = f"sort_{column}"
                rows = rows.annotate(**{name: Coalesce(F(column), Value(_NULLABLE[column]))})
            order.append((name, descending))
        return rows, order


def _plain(name: str, value: str, rows: QuerySet[Server]) -> Q:
    if name in _EXACT:
        return Q(**{_EXACT[name]: value})
    if name in _TIMES:
        return Q(**{_TIMES[name]: moment(value, name)})
    if name in _NUMBERS:
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            raise BadRequest(f"Invalid input for query parameters {name}. Value: {value[:50]}.")
        return Q(**{_NUMBERS[name]: int(value)})
    if name in _PATTERNS:
        return _named(rows, _PATTERNS[name], value)
    return _nothing() if name in _NEVER else Q()


def _require_order(wanted: dict[str, str]) -> None:
    if {"changes-since", "changes-before"} <= wanted.keys():
        since, before = (moment(wanted[name], name) for name in ("changes-since", "changes-before"))
        if before < since:
            raise BadRequest("The value of changes-since must be less than or equal to changes-before.")


def _tagged(words: str, *, every: bool) -> Q:
    """Return the servers that have these tags, parted by commas: every one of them, or any."""
    tags = words.split(",")
    if not every:
        return Q(pk__in=ServerTag.objects.filter(tag__in=tags).order_by().values("server_id"))
    found = Q()
    for tag in dict.fromkeys(tags):
        found &= Q(pk__in=ServerTag.objects.filter(tag=tag).order_by().values("server_id"))
    return found


def _nothing() -> Q:
    return Q(pk__in=[])


def _named(rows: QuerySet[Server], column: str, pattern: str) -> Q:
    """Return the servers whose text holds the pattern. A plain word is left to the database."""
    if len(pattern) > patterns.MAX_PATTERN:
        raise BadRequest("The regular expression is too long.")
    if patterns.is_literal(pattern):
        return Q(**{f"{column}__contains": pattern})
    inner = pattern[1:-1]
    if pattern.startswith("^") and pattern.endswith("$") and patterns.is_literal(inner):
        return Q(**{column: inner})
    compiled = patterns.compile_pattern(pattern)
    texts = list(rows.order_by().exclude(**{column: None}).values_list(column, flat=True).distinct()[: MOST_NAMES + 1])
    if len(texts) > MOST_NAMES:
        raise BadRequest(f"A regular expression over more than {MOST_NAMES} names takes too long: use a plain word.")
    return Q(**{f"{column}__in": [text for text in texts if compiled.matches(text)]})


def _addressed(rows: QuerySet[Server], pattern: str, version: int) -> Q:
    """Return the servers that hold an address in which the pattern is found."""
    if patterns.is_literal(pattern):
        return Q(pk__in=network.devices_with_address(pattern, version))
    compiled = patterns.compile_pattern(pattern)
    held = network.addresses(rows.order_by().values_list("pk", flat=True)[:MOST_NAMES])
    return Q(
        pk__in=[
            server_id
            for server_id, items in held.items()
            if any(item.version == version and compiled.matches(item.address) for item in items)
        ]
    )
