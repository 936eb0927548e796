"""What was asked of the rules: counted in memory, written down every few seconds, so that a new file can be tried on real use.

A record holds rule, caller, scope, what the rule saw of the target, and the verdict; no bodies. Alike ones are one row a day with
a count. Nothing is noted before ``start``: commands and tests leave no records.
"""

import hashlib
import json
import logging
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import F
from django.utils import timezone

from portal.core.context import RequestContext

LOG = logging.getLogger(__name__)

WRITE_EVERY_S = 5
MOST_AT_ONCE = 5_000
KEPT_DAYS = 30

Key = tuple[str, str, bool]


class Recorder:
    """Counts decisions until they are written. Beyond a bound new ones are dropped, and that is logged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._dropped = 0

    def note(self, caller: Mapping[str, Any], rule: str, target: Mapping[str, Any], allowed: bool) -> None:
        """Count one decision."""
        facts = json.dumps({"caller": caller, "target": target}, sort_keys=True, separators=(",", ":"))
        key = (rule, facts, allowed)
        with self._lock:
            if key in self._counts or len(self._counts) < MOST_AT_ONCE:
                self._counts[key] += 1
            else:
                self._dropped += 1

    def write(self) -> int:
        """Add what was counted to the rows of today; return how many kinds there were."""
        from portal.core.models import PolicyRecord  # the engine is imported before models are loaded

        with self._lock:
            counts, self._counts = self._counts, Counter()
            dropped, self._dropped = self._dropped, 0
        if dropped:
            LOG.warning("%d decisions were not recorded: too many kinds at once.", dropped)
        today = timezone.now().date()
        for (rule, facts, allowed), count in counts.items():
            mark = hashlib.sha256(f"{rule} {allowed} {facts}".encode()).hexdigest()
            known = PolicyRecord.objects.filter(day=today, mark=mark)
            if known.update(count=F("count") + count):
                continue
            found = json.loads(facts)
            row = PolicyRecord(day=today, mark=mark, rule=rule, allowed=allowed, count=count, **found)
            with transaction.atomic():
                PolicyRecord.objects.bulk_create([row], ignore_conflicts=True)
        return len(counts)


_recorder: Recorder | None = None


def start() -> Recorder:
    """Begin to note what this process decides, and to write it by a thread of its own."""
    global _recorder  # noqa: PLW0603
    _recorder = Recorder()
    threading.Thread(target=_write_for_ever, args=(_recorder,), name="policy-records", daemon=True).start()
    return _recorder


def note(ctx: RequestContext, rule: str, target: Mapping[str, Any], allowed: bool) -> None:
    """Note a decision about a request, if this process notes any."""
    if _recorder is not None:
        _recorder.note(caller_of(ctx), rule, target_of(target), allowed)


def caller_of(ctx: RequestContext) -> dict[str, Any]:
    """Return what is kept of a caller: ids, scope and roles."""
    found = {
        "user_id": ctx.user_id,
        "user_domain_id": ctx.user_domain_id,
        "project_id": ctx.project_id,
        "project_domain_id": ctx.project_domain_id,
        "domain_id": ctx.domain_id,
        "system_scope": ctx.system_scope,
        "roles": sorted(ctx.roles),
    }
    return {name: value for name, value in found.items() if value}


def target_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a target: its plain values, and which row it was."""
    found = {name: value for name, value in target.items() if isinstance(value, str | bool | int) or value is None}
    obj = target.get("_object")
    if obj is not None:
        found["_object"] = f"{obj._meta.label_lower}:{obj.pk}"
    return found


def sweep() -> int:
    """Forget what is older than is kept; return how many rows."""
    from portal.core.models import PolicyRecord

    return int(PolicyRecord.objects.filter(day__lt=timezone.now().date() - timedelta(days=KEPT_DAYS)).delete()[0])


def _write_for_ever(recorder: Recorder) -> None:
    pause = threading.Event()
    while not pause.wait(WRITE_EVERY_S):
        try:
            recorder.write()
        except DatabaseError as error:
            LOG.warning("Decisions of the last seconds are not recorded: %s", error)
        finally:
            close_old_connections()
