"""How far audits of use are (compute API reference, "Server usage audit log").

Here no host audits anything: use is counted from the servers' own times (``usage_selectors``). So every host has yet to run.
"""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1.base import ComputeView
from portal.core.errors import BadRequest
from portal.core.policy import Rule


class _AuditBase(ComputeView):
    def log(self, rule: Rule, before: datetime) -> dict[str, Any]:
        """Return the state of the audit of the last whole month before a time."""
        hosts = [row.name for row in selectors.hosts(self.ctx, rule).order_by("name")]
        end = before.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        begin = end.replace(year=end.year - 1, month=12) if end.month == 1 else end.replace(month=end.month - 1)
        done = f"0 of {len(hosts)}" if hosts else "ALL"
        return {
            "period_beginning": f"{begin:%Y-%m-%d %H:%M:%S}",
            "period_ending": f"{end:%Y-%m-%d %H:%M:%S}",
            "num_hosts": len(hosts),
            "num_hosts_done": 0,
            "num_hosts_running": 0,
            "num_hosts_not_run": len(hosts),
            "hosts_not_run": hosts,
            "total_instances": 0,
            "total_errors": 0,
            "overall_status": f"{done} hosts done. 0 errors.",
            "log": {},
        }


class AuditsView(_AuditBase):
    """GET /os-instance_usage_audit_log: the latest period."""

    def get(self, request: Request) -> Response:
        return Response({"instance_usage_audit_logs": self.log(policies.AUDIT_LIST, timezone.now())})


class AuditView(_AuditBase):
    """GET /os-instance_usage_audit_log/{before}: the period that ended before a time."""

    def get(self, request: Request, before: str) -> Response:
        return Response({"instance_usage_audit_log": self.log(policies.AUDIT_SHOW, _moment(before))})


def _moment(word: str) -> datetime:
    try:
        moment = datetime.strptime(word, "%Y-%m-%d %H:%M:%S.%f" if "." in word else "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if moment.year > 1:
            return moment
    except ValueError:
        pass
    raise BadRequest(f"Invalid timestamp for date {word[:50]}")
