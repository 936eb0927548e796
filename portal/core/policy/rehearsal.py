"""A policy file tried on what was really asked: who would newly be refused, who would newly be let in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.utils import timezone
from oslo_policy import policy

from portal.core.context import RequestContext
from portal.core.models import PolicyRecord
from portal.core.policy.engine import ServicePolicy, service_policy
from portal.core.policy.rules import registry


@dataclass(frozen=True)
class Difference:
    """One kind of request whose answer would change to ``allowed``."""

    rule: str
    caller: dict[str, Any]
    target: dict[str, Any]
    count: int
    allowed: bool


def read(file: Path, service: str) -> ServicePolicy:
    """Return the rules of a service as a file would have them; raises ValueError for a file that cannot be read."""
    wanted = ServicePolicy(service, file, tried=True)
    wanted.refresh()
    if wanted.broken:
        raise ValueError("; ".join(wanted.problems))
    return wanted


def rehearse(wanted: ServicePolicy, *, days: int) -> Iterator[Difference]:
    """Yield every difference between the present rules of a service and others, over the requests of the last days.

    Both are asked anew: what changed since in roles is in the record, what changed in shares is read as it stands now.
    """
    service, present = wanted.service, service_policy(wanted.service)
    since = timezone.now().date() - timedelta(days=days)
    rows = PolicyRecord.objects.filter(day__gt=since, rule__in=list(registry.of(service))).order_by("rule", "day", "pk")
    for row in rows.iterator():
        credentials, target = context_of(row.caller).credentials(), target_of(row.target)
        after = wanted.check(row.rule, target, credentials)
        if after != present.check(row.rule, target, credentials):
            yield Difference(row.rule, row.caller, row.target, row.count, after)


def service_of(file: Path) -> str:
    """Return the service that a file is for: whose rules it names most. Raises ValueError where that is not clear."""
    try:
        found = policy.parse_file_contents(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    names = set(found) if isinstance(found, dict) else set()
    counts = {service: len(names & registry.of(service).keys()) for service in registry.services()}
    most = max(counts.values())
    likely = [service for service, count in counts.items() if count == most > 0]
    if len(likely) != 1:
        raise ValueError(f"{file} does not tell for which service it is; say it with --service.")
    return likely[0]


def context_of(caller: dict[str, Any]) -> RequestContext:
    """Return a caller as he was."""
    return RequestContext(**{**caller, "roles": frozenset(caller.get("roles", ()))})


def target_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return a target as rules see it, with the row itself where it is still there."""
    target = dict(kept)
    label, _colon, key = str(target.pop("_object", "")).partition(":")
    if label:
        row = apps.get_model(label)._default_manager.filter(pk=key).first()
        if row is not None:
            target["_object"] = row
    return target
