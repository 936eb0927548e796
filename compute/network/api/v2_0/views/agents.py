"""GET /v2.0/agents: there are none. Hosts do all work of the network themselves, and nothing is said of them here."""

from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api.views import CloudView
from portal.core.errors import NotFound


class AgentsView(CloudView):
    """An empty list, for everybody."""

    service = "network"

    def get(self, request: Request) -> Response:
        return Response({"agents": []})


class AgentView(CloudView):
    """None to find."""

    service = "network"

    def get(self, request: Request, agent_id: str) -> Response:
        raise NotFound("Agent", agent_id)
