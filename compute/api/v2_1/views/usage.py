"""What projects used (compute API reference, "Usage reports")."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from compute import usage_selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import MAX_LIMIT, PAGING, ComputeView
from compute.api.v2_1.presenters import usage as present
from compute.models import Server
from portal.core.errors import BadRequest

_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_READ = (
    *("project_id", "name", "flavor_name", "vcpus", "ram_mb", "root_gb", "ephemeral_gb"),
    *("vm_state", "deleted_at"),
)
_MOMENT = timedelta(microseconds=1)
_ORDER = [("project_id", False), ("pk", False)]


class _UsageBase(ComputeView):
    query: ClassVar[frozenset[str] | None] = PAGING | {"start", "end"}

    def period(self) -> tuple[datetime, datetime]:
        """Return when the period begins and ends: now, where nothing else is asked; what is still to come is left out."""
        now = timezone.now()
        start = _moment(self.params.get("start"), now - _MOMENT)
        stop = _moment(self.params.get("end"), now)
        if not start < stop:
            raise BadRequest("Invalid start time. The start time cannot occur after the end time.")
        return start, min(stop, now)

    def found(self, rows: QuerySet[Server]) -> tuple[Iterable[Server], Server | None]:
        """Return one page of the servers, from 2.40 on as the query asks; before that all of them, read a few at a time."""
        rows = rows.only(*_READ)
        if self.version < versions.USAGE_PAGES:
            return rows.order_by("project_id", "pk").iterator(MAX_LIMIT), None
        marker = None
        if "marker" in self.params:
            marker = rows.filter(pk=self.params["marker"]).first()
            if marker is None:
                raise BadRequest(f"marker [{self.params['marker'][:50]}] not found")
        return self.page(rows, _ORDER, marker)

    def collection(self, name: str, shown: Any, last: Server | None) -> Response:
        body = {name: shown}
        if last is not None:
            body[f"{name}_links"] = self.next_links(last.pk)
        return Response(body)


class UsagesView(_UsageBase):
    """GET /os-simple-tenant-usage: all projects."""

    query = PAGING | {"start", "end", "detailed"}

    def get(self, request: Request) -> Response:
        rows = usage_selectors.servers_of_all(self.ctx)
        start, stop = self.period()
        servers, last = self.found(usage_selectors.during(rows, start, stop))
        detailed = self.params.get("detailed") == "1"
        return self.collection("tenant_usages", present.by_project(servers, start, stop, detailed=detailed), last)


class UsageView(_UsageBase):
    """GET /os-simple-tenant-usage/{project}."""

    def get(self, request: Request, project_id: str) -> Response:
        rows = usage_selectors.servers_of(self.ctx, project_id)
        start, stop = self.period()
        servers, last = self.found(usage_selectors.during(rows, start, stop))
        reports = present.by_project(servers, start, stop, detailed=True)
        return self.collection("tenant_usage", reports[0] if reports else {}, last)


def _moment(word: str | None, now: datetime) -> datetime:
    if not word:
        return now
    for form in _FORMATS:
        try:
            return datetime.strptime(word, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise BadRequest("Datetime is in invalid format")
