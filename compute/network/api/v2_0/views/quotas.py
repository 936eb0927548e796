"""/v2.0/quotas and /v2.0/quotas/{project_id}: how much of the network a project may have, and has."""

from collections.abc import Mapping

from rest_framework.request import Request
from rest_framework.response import Response

from compute.network import policies, selectors
from compute.network.services import quotas
from portal.core.api.views import CloudView
from portal.core.errors import BadRequest
from portal.core.policy import authorize

_NO_LIMITS = frozenset({"tenant_id", "project_id", "check_limit", "force"})


class _QuotaBase(CloudView):
    service = "network"

    def let_in(self, project_id: str) -> None:
        authorize(self.ctx, policies.GET_QUOTA, {"project_id": project_id, "tenant_id": project_id})


class QuotasView(_QuotaBase):
    """The limits of every project that has some of its own."""

    def get(self, request: Request) -> Response:
        found = quotas.limits_of_all(ctx=self.ctx)
        return Response({"quotas": [{**one, "project_id": key, "tenant_id": key} for key, one in found.items()]})


class QuotaProjectView(_QuotaBase):
    """Whose limits are the caller's, in the word of the address: ``tenant`` or ``project``."""

    word = "project"

    def get(self, request: Request) -> Response:
        if not self.ctx.project_id:
            raise BadRequest("Tenant-id was missing from quota request.", "QuotaMissingTenant")
        return Response({self.word: {f"{self.word}_id": self.ctx.project_id}})


class QuotaView(_QuotaBase):
    """A project's limits: shown, changed, put back to the defaults."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id)
        return Response({"quota": quotas.limits(project_id)})

    def put(self, request: Request, project_id: str) -> Response:
        wish = request.data.get("quota") if isinstance(request.data, Mapping) else None
        if not isinstance(wish, Mapping) or not wish:
            raise BadRequest("Unable to find 'quota' in request body")
        changes = {name: _number(name, value) for name, value in wish.items() if name not in _NO_LIMITS}
        check = wish.get("check_limit") in (True, "True", "true")
        after = quotas.change(ctx=self.ctx, project_id=project_id, changes=changes, check=check)
        return Response({"quota": after})

    def delete(self, request: Request, project_id: str) -> Response:
        quotas.reset(ctx=self.ctx, project_id=project_id)
        return Response(status=204)


class QuotaDefaultsView(_QuotaBase):
    """The limits of a project that has none of its own."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id)
        return Response({"quota": quotas.defaults()})


class QuotaDetailsView(_QuotaBase):
    """A project's limits beside what it has."""

    def get(self, request: Request, project_id: str) -> Response:
        self.let_in(project_id)
        used = selectors.in_use(project_id)
        limits = quotas.limits(project_id)
        return Response({"quota": {name: {"limit": limits[name], "used": used[name], "reserved": 0} for name in limits}})


def _number(name: str, value: object) -> int:
    text = str(value)
    if isinstance(value, (bool, float)) or not text.removeprefix("-").isdigit() or len(text) > 10:
        raise BadRequest(f"Invalid input for {name[:60]}. Reason: '{text[:60]}' is not an integer.", "InvalidInput")
    return int(text)
