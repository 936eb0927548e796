"""Servers: list, create, show, change, delete (compute API reference, "Servers")."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies, selectors
from compute.api.v2_1 import versions
from compute.api.v2_1.base import Addresses, ComputeView
from compute.api.v2_1.filters import ServerFilter, known_parameters
from compute.api.v2_1.presenters.servers import ServerPresenter, Sight, Surroundings, disk_config
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.servers import ServerCreate, ServerUpdate, changes, creation
from compute.models import Server
from compute.network import selectors as network
from compute.services import lifecycle
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import Rule, allowed, authorize
from portal.core.versions import Version

_UNSEEN = (
    "public_key",
    "operation_at",
    "request_id",
    "operation",
    "operation_details",
    "rebuild",
    "attempts",
    "requested_host",
    "injected_files",
    "sealed_password",
)
_FOR_OPERATORS = ("user_data",)
_LATER = {"image_properties": versions.IMAGE_PROPERTIES, "scheduler_hints": versions.SCHEDULER_HINTS}


def sight_of(ctx: RequestContext) -> Sight:
    """Return which guarded attributes a caller may see."""
    return Sight(
        extended=allowed(ctx, policies.EXTENDED_ATTRIBUTES),
        host_status=allowed(ctx, policies.SHOW_HOST_STATUS),
        host_unknown=allowed(ctx, policies.SHOW_HOST_UNKNOWN),
        extra_specs=allowed(ctx, policies.SHOW_EXTRA_SPECS),
        fault_details=ctx.is_operator,
    )


def presenter_of(ctx: RequestContext, version: Version, addresses: Addresses, servers: list[Server]) -> ServerPresenter:
    """Return what shows these servers, with a fixed number of queries however many there are."""
    ids, sight = [server.pk for server in servers], sight_of(ctx)
    with_hosts = (sight.host_status or sight.host_unknown) and version >= versions.HOST_STATUS
    around = Surroundings(
        addresses=network.addresses(ids),
        groups=network.group_names(ids),
        faults=selectors.faults_of(server.pk for server in servers if server.status in ("ERROR", "DELETED")),
        host_statuses=selectors.host_statuses() if with_hosts else {},
        tags=selectors.tags_of(ids) if version >= versions.TAGS else {},
    )
    return ServerPresenter(addresses, version, sight, around)


class _ServersBase(ComputeView):
    all_projects: ClassVar[Rule] = policies.INDEX_ALL

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        super().check_query(request, known_parameters(self.version))

    def found(self) -> tuple[list[Server], Server | None]:
        """Return one page of the servers that the query asks for."""
        wanted = ServerFilter(self.ctx, self.params, self.version, self.all_projects)
        rows, order = wanted.ordered(wanted.rows().defer(*self.unseen()))
        marker = None
        if "marker" in self.params:
            visible, _order = wanted.ordered(wanted.markable())
            marker = visible.filter(pk=self.params["marker"]).first()
            if marker is None:
                raise BadRequest(f"marker [{self.params['marker'][:50]}] not found")
        return self.page(rows, order, marker)

    def unseen(self) -> tuple[str, ...]:
        """Return the columns that a list does not show to this caller."""
        later = [column for column, since in _LATER.items() if self.version < since]
        return (*_UNSEEN, *later) if self.sight().extended else (*_UNSEEN, *later, *_FOR_OPERATORS)

    def sight(self) -> Sight:
        """Return which guarded attributes the caller may see."""
        return sight_of(self.ctx)

    def presenter(self, servers: list[Server]) -> ServerPresenter:
        """Return what shows these servers."""
        return presenter_of(self.ctx, self.version, self.addresses, servers)

    def collection(self, shown: list[dict[str, Any]], last: Server | None) -> Response:
        body: dict[str, Any] = {"servers": shown}
        if last is not None:
            body["servers_links"] = self.next_links(last.pk)
        return Response(body)


class ServersView(_ServersBase):
    """GET and POST /servers."""

    def get(self, request: Request) -> Response:
        rows, last = self.found()
        present = ServerPresenter(self.addresses, self.version, Sight(), Surroundings())
        return self.collection([present.brief(row) for row in rows], last)

    def post(self, request: Request) -> Response:
        whole = read(ServerCreate, request.data, self.version)
        body, wish = whole["server"], creation(whole, self.version)
        servers = lifecycle.create(ctx=self.ctx, **wish)
        if body.get("return_reservation_id"):
            return Response({"reservation_id": servers[0].reservation_id}, status=202)
        server = servers[0]
        shown = {
            "id": server.pk,
            "links": self.addresses.links(f"servers/{server.pk}"),
            "adminPass": wish["extras"].admin_pass,
            "OS-DCF:diskConfig": disk_config(server),
            "security_groups": [{"name": name} for name in wish["security_groups"] or ["default"]],
        }
        location = {"Location": self.addresses.of(f"servers/{server.pk}")}
        return Response({"server": shown}, status=202, headers=location)


class ServersDetailView(_ServersBase):
    """GET /servers/detail."""

    all_projects = policies.DETAIL_ALL

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.DETAIL)
        rows, last = self.found()
        present = self.presenter(rows)
        return self.collection([present.detail(row) for row in rows], last)


class ServerView(_ServersBase):
    """GET, PUT and DELETE /servers/{id}."""

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        ComputeView.check_query(self, request, None)

    def get(self, request: Request, server_id: str) -> Response:
        server = selectors.get_server(self.ctx, server_id)
        return Response({"server": self.presenter([server]).one(server)})

    def put(self, request: Request, server_id: str) -> Response:
        wanted = changes(read(ServerUpdate, request.data, self.version)["server"])
        server = selectors.get_server(self.ctx, server_id)
        server = lifecycle.update(ctx=self.ctx, server=server, **wanted)
        return Response({"server": self.presenter([server]).updated(server)})

    def delete(self, request: Request, server_id: str) -> Response:
        lifecycle.delete(ctx=self.ctx, server=selectors.get_server(self.ctx, server_id))
        return Response(status=204)
