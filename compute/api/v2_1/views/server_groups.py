"""Server groups (compute API reference, "Server groups")."""

from rest_framework.request import Request
from rest_framework.response import Response

from compute import group_selectors
from compute.api.v2_1.base import MAX_LIMIT, ComputeView
from compute.api.v2_1.presenters import server_groups as present
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.serializers.server_groups import ServerGroupCreate, creation
from compute.models import ServerGroup
from compute.services import server_groups
from portal.core.errors import BadRequest


class _GroupsBase(ComputeView):
    def shown(self, *groups: ServerGroup) -> list[dict[str, object]]:
        members = group_selectors.member_ids(groups)
        return [present.group(group, members[group.pk], self.version) for group in groups]


class ServerGroupsView(_GroupsBase):
    """GET and POST /os-server-groups."""

    query = frozenset({"all_projects", "limit", "offset"})

    def get(self, request: Request) -> Response:
        rows = group_selectors.groups_visible(self.ctx, all_projects="all_projects" in self.params)
        offset, limit = self._number("offset", 0), min(self._number("limit", MAX_LIMIT), MAX_LIMIT)
        return Response({"server_groups": self.shown(*rows[offset : offset + limit])})

    def post(self, request: Request) -> Response:
        body = read(ServerGroupCreate, request.data, self.version)["server_group"]
        return Response({"server_group": self.shown(server_groups.create(ctx=self.ctx, **creation(body)))[0]})

    def _number(self, name: str, default: int) -> int:
        word = self.params.get(name, str(default))
        if not word.isascii() or not word.isdigit() or len(word) > 9:
            raise BadRequest(f"Invalid input for query parameters {name}. Value: {word[:50]}.")
        return int(word)


class ServerGroupView(_GroupsBase):
    """GET and DELETE /os-server-groups/{id}."""

    def get(self, request: Request, group_id: str) -> Response:
        return Response({"server_group": self.shown(group_selectors.get_group(self.ctx, group_id))[0]})

    def delete(self, request: Request, group_id: str) -> Response:
        server_groups.delete(ctx=self.ctx, group=group_selectors.get_group(self.ctx, group_id))
        return Response(status=204)
