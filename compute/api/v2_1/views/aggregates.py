"""GET /os-aggregates: hosts are not grouped here, and that is what this says (compute API reference, "Host aggregates")."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1.base import ComputeView
from portal.core.policy import authorize


class AggregatesView(ComputeView):
    """The aggregates: none. Clients ask when they show a hypervisor."""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.AGGREGATES_INDEX)
        return Response({"aggregates": []})
