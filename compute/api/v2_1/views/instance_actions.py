"""What was done to a server (compute API reference, "Servers actions")."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import conditions, versions
from compute.api.v2_1.base import PAGING, ComputeView, moment
from compute.api.v2_1.presenters import actions as present
from compute.models import ServerAction
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule, allowed


class _ActionsBase(ComputeView):
    def actions(self, server_id: str, rule: Rule = policies.ACTIONS_LIST) -> QuerySet[ServerAction]:
        """Return the log; from 2.21 on that of a deleted server too."""
        ctx = self.ctx
        server = selectors.get_server(ctx, server_id, with_deleted=self.version >= versions.DELETED_ACTIONS)
        return selectors.action_log(ctx, server, rule)


class InstanceActionsView(_ActionsBase):
    """GET /servers/{id}/os-instance-actions: newest first, in pages from 2.58 on."""

    query = PAGING | {"changes-since", "changes-before"}

    def get(self, request: Request, server_id: str) -> Response:
        rows = self.actions(server_id)
        if self.version < versions.ACTION_PAGES:
            return Response({"instanceActions": [present.action(row, self.version) for row in rows]})
        found, last = self.page(self._narrowed(rows), [("started_at", True), ("pk", True)], self._marker(rows))
        body: dict[str, Any] = {"instanceActions": [present.action(row, self.version) for row in found]}
        if last is not None:
            body["links"] = self.next_links(last.request_id)
        return Response(body)

    def _narrowed(self, rows: QuerySet[ServerAction]) -> QuerySet[ServerAction]:
        if self.version >= versions.CHANGES_BEFORE:
            conditions.require_order({name: str(self.params[name]) for name in self.params})
        if "changes-since" in self.params:
            rows = rows.filter(updated_at__gte=moment(str(self.params["changes-since"]), "changes-since"))
        if "changes-before" in self.params and self.version >= versions.CHANGES_BEFORE:
            rows = rows.filter(updated_at__lte=moment(str(self.params["changes-before"]), "changes-before"))
        return rows

    def _marker(self, rows: QuerySet[ServerAction]) -> ServerAction | None:
        word = self.params.get("marker")
        if word is None:
            return None
        found = rows.filter(request_id=word).first()
        if found is None:
            raise BadRequest(f"marker [{word[:60]}] not found")
        return found


class InstanceActionView(_ActionsBase):
    """GET /servers/{id}/os-instance-actions/{request id}; its steps for everybody from 2.51 on."""

    def get(self, request: Request, server_id: str, request_id: str) -> Response:
        row = self.actions(server_id, policies.ACTIONS_SHOW).filter(request_id=request_id).first()
        if row is None:
            raise NotFound("Action", request_id, f"Action for request_id {request_id} on instance {server_id} not found")
        operator = allowed(self.ctx, policies.ACTIONS_EVENTS)
        body = present.action(row, self.version)
        if operator or self.version >= versions.EVENTS_FOR_ALL:
            with_details = allowed(self.ctx, policies.ACTIONS_EVENTS_DETAILS)
            body["events"] = [
                present.event(
                    event,
                    row.server.project_id,
                    self.version,
                    with_host=operator,
                    with_details=with_details,
                    with_traceback=operator,
                )
                for event in row.events.all()
            ]
        return Response({"instanceAction": body})
