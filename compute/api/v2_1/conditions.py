"""Conditions on servers, one for each kind of filter (compute API reference, "List Servers", query parameters)."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from compute.api.v2_1 import patterns
from compute.api.v2_1.base import ROOT_DEVICE, moment
from compute.models import Server, ServerTag
from compute.network import selectors as network
from compute.states import VmState
from portal.core.errors import BadRequest

MOST_TEXTS = 20_000
MOST_CHARACTERS = 1_000_000
READ_AT_ONCE = 1_000
EXACT = {
    "host": "host",
    "hypervisor_hostname": "host",
    "image_ref": "image_id",
    "task_state": "task_state",
    "user_id": "user_id",
    "uuid": "id",
    "vm_state": "vm_state",
}
TIMES = {"created_at": "created_at", "launched_at": "launched_at", "terminated_at": "deleted_at"}
NUMBERS = {"launch_index": "launch_index", "power_state": "power_state"}
PATTERNS = {
    "availability_zone": "availability_zone",
    "description": "description",
    "display_description": "description",
    "display_name": "name",
    "hostname": "hostname",
    "key_name": "key_name",
    "locked_by": "locked_by",
    "node": "host",
    "reservation_id": "reservation_id",
}
SAME = {"kernel_id": "", "ramdisk_id": "", "root_device_name": ROOT_DEVICE}  # what all servers have


def plain(name: str, value: str, rows: QuerySet[Server]) -> Q:
    """Return the condition that a filter of a column's own name makes; a name that means nothing here narrows nothing."""
    if name in EXACT:
        return Q(**{EXACT[name]: value})
    if name in TIMES:
        return Q(**{TIMES[name]: moment(value, name)})
    if name in NUMBERS:
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            raise BadRequest(f"Invalid input for query parameters {name}. Value: {value[:50]}.")
        return Q(**{NUMBERS[name]: int(value)})
    if name in PATTERNS:
        return named(rows, PATTERNS[name], value)
    return same(SAME[name], value) if name in SAME else Q()


def same(text: str, pattern: str) -> Q:
    """Return the condition that a filter makes on what is the same for all servers: it leaves all of them or none."""
    return Q() if _found(pattern, [(text, text)]) else nothing()


def progressed(pattern: str) -> Q:
    """Return the servers whose progress, in percent as it is shown, holds the pattern."""
    whole = Q(vm_state=VmState.ACTIVE)
    found = nothing()
    for text, beside in (("100", whole), ("0", ~whole)):
        if _found(pattern, [(text, text)]):
            found |= beside
    return found


def require_order(wanted: dict[str, str]) -> None:
    """Refuse a time between two moments of which the later comes first."""
    if {"changes-since", "changes-before"} <= wanted.keys():
        since, before = (moment(wanted[name], name) for name in ("changes-since", "changes-before"))
        if before < since:
            raise BadRequest("The value of changes-since must be less than or equal to changes-before.")


def tagged(words: str, *, every: bool) -> Q:
    """Return the servers that have these tags, parted by commas: every one of them, or any."""
    tags = words.split(",")
    if not every:
        return Q(pk__in=ServerTag.objects.filter(tag__in=tags).order_by().values("server_id"))
    found = Q()
    for tag in dict.fromkeys(tags):
        found &= Q(pk__in=ServerTag.objects.filter(tag=tag).order_by().values("server_id"))
    return found


def nothing() -> Q:
    """Return the condition that no server fulfils."""
    return Q(pk__in=[])


def named(rows: QuerySet[Server], column: str, pattern: str) -> Q:
    """Return the servers whose text holds the pattern. A plain word is left to the database."""
    if len(pattern) > patterns.MAX_PATTERN:
        raise BadRequest("The regular expression is too long.")
    if patterns.is_literal(pattern):
        return Q(**{f"{column}__contains": pattern})
    inner = pattern[1:-1]
    if pattern.startswith("^") and pattern.endswith("$") and patterns.is_literal(inner):
        return Q(**{column: inner})
    texts = rows.order_by().exclude(**{column: None}).values_list(column, flat=True).distinct()
    return Q(**{f"{column}__in": _found(pattern, ((text, text) for text in texts.iterator(READ_AT_ONCE)))})


def addressed(rows: QuerySet[Server], pattern: str, version: int) -> Q:
    """Return the servers that hold an address in which the pattern is found."""
    if patterns.is_literal(pattern):
        return Q(pk__in=network.devices_with_address(pattern, version))
    held = network.addresses_of_version(rows.order_by().values("pk"), version)
    return Q(pk__in=_found(pattern, held.iterator(READ_AT_ONCE)))


def _found(pattern: str, texts: Iterable[tuple[str, str]]) -> list[str]:
    """Return what stands beside those texts that hold the pattern; raises BadRequest when there is too much to read."""
    compiled = patterns.compile_pattern(pattern)
    found, read = [], 0
    for number, (text, beside) in enumerate(texts, 1):
        read += len(text)
        if number > MOST_TEXTS or read > MOST_CHARACTERS:
            raise BadRequest("A regular expression over so many servers takes too long: use a plain word.")
        if compiled.matches(text):
            found.append(beside)
    return found
