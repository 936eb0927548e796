"""GET /v2.0/quotas/{project_id}: nothing is limited by this service, and that is what it says (-1)."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute.network import policies, selectors
from portal.core.api.views import CloudView
from portal.core.policy import authorize

UNLIMITED = -1
_RESOURCES = ("network", "subnet", "port", "security_group", "security_group_rule")


class QuotaView(CloudView):
    """A project's limits, or their defaults: the same."""

    service = "network"

    def get(self, request: Request, project_id: str) -> Response:
        authorize(self.ctx, policies.GET_QUOTA, {"project_id": project_id, "tenant_id": project_id})
        return Response({"quota": dict.fromkeys(_RESOURCES, UNLIMITED)})


class QuotaDetailsView(CloudView):
    """A project's limits beside what it has."""

    service = "network"

    def get(self, request: Request, project_id: str) -> Response:
        authorize(self.ctx, policies.GET_QUOTA, {"project_id": project_id, "tenant_id": project_id})
        used = selectors.in_use(project_id)
        return Response({"quota": {name: {"limit": UNLIMITED, "used": used[name], "reserved": 0} for name in _RESOURCES}})
