"""The services that make up the cloud (compute API reference, "Compute services")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from compute.api.v2_1.presenters import hosts as present
from compute.api.v2_1.serializers import others as bodies
from compute.api.v2_1.serializers.base import read
from compute.services import hosts
from portal.core.errors import NotFound


class ServicesView(ComputeView):
    """GET /os-services."""

    query = frozenset({"host", "binary"})

    def get(self, request: Request) -> Response:
        rows = selectors.services(self.ctx)
        for name in ("host", "binary"):
            if name in self.params:
                rows = rows.filter(**{name: self.params[name]})
        return Response({"services": [present.service(row, selectors.is_up(row), self.version) for row in rows]})


class ServiceView(ComputeView):
    """PUT /os-services/{uuid} (from 2.53), PUT /os-services/{word} (before), DELETE /os-services/{id}."""

    def put(self, request: Request, name: str) -> Response:
        return self._update(request, name) if self.version >= versions.UUIDS else self._word(request, name)

    def delete(self, request: Request, name: str) -> Response:
        hosts.delete(ctx=self.ctx, service=self._found(name))
        return Response(status=204)

    def _found(self, service_id: str) -> Any:
        return hosts.get(ctx=self.ctx, service_id=service_id, by_uuid=self.version >= versions.UUIDS)

    def _update(self, request: Request, service_id: str) -> Response:
        body = read(bodies.ServiceUpdate, request.data, self.version)
        service = hosts.change(
            ctx=self.ctx,
            service=self._found(service_id),
            disabled=body["status"] == "disabled" if "status" in body else None,
            disabled_reason=body.get("disabled_reason"),
            forced_down=body.get("forced_down"),
        )
        return Response({"service": present.service(service, selectors.is_up(service), self.version)})

    def _word(self, request: Request, word: str) -> Response:
        kinds = {"enable": bodies.ServiceWord, "disable": bodies.ServiceWord, "disable-log-reason": bodies.ServiceReason}
        if self.version >= versions.FORCED_DOWN:
            kinds["force-down"] = bodies.ServiceForcedDown
        if word not in kinds:
            raise NotFound("Resource", "", "Unknown action")
        body = read(kinds[word], request.data, self.version)
        service = hosts.find(ctx=self.ctx, host=body["host"], binary=body["binary"])
        if word == "force-down":
            hosts.change(ctx=self.ctx, service=service, forced_down=body["forced_down"])
            return Response({"service": body})
        reason = body.get("disabled_reason")
        hosts.change(ctx=self.ctx, service=service, disabled=word != "enable", disabled_reason=reason)
        status = "enabled" if word == "enable" else "disabled"
        return Response({"service": {**body, "status": status}})
