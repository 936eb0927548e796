"""/v3/groups and who belongs to them"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow, narrow_time
from accounts.api.v3.serializers import GroupShape
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Group, User
from accounts.services import groups


class GroupsView(CollectionView):
    """GET and POST /v3/groups"""

    singular, plural, shape = "group", "groups", GroupShape
    present, create = presenters.group, groups.create

    def rows(self) -> Any:
        return narrow(selectors.groups_visible(self.ctx), self.request.GET, "name", "domain_id")


class GroupView(MemberView):
    """GET, PATCH and DELETE /v3/groups/{id}"""

    model, singular, shape, present = Group, "group", GroupShape, presenters.group
    find, update, delete_row = selectors.get_group, groups.update, groups.delete


class GroupUsersView(IdentityView):
    """GET /v3/groups/{id}/users"""

    def get(self, request: Request, group: str) -> Response:
        rows = narrow(selectors.users_in_group(self.ctx, group), request.GET, "name", "domain_id", flags=("enabled",))
        rows = narrow_time(rows, request.GET, "password_expires_at")
        return self.listed("users", rows, presenters.user)


class GroupUserView(IdentityView):
    """PUT, HEAD, GET and DELETE /v3/groups/{id}/users/{id}"""

    def get(self, request: Request, **ids: str) -> Response:
        groups.check(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def put(self, request: Request, **ids: str) -> Response:
        groups.add(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def delete(self, request: Request, **ids: str) -> Response:
        groups.remove(ctx=self.ctx, **self.parts(**ids))
        return Response(status=204)

    def parts(self, group: str, user: str) -> dict[str, Any]:
        """Return group and user of the address; that one is missing is told only to who may see such things."""
        return {
            "group": self.found(selectors.get_group, Group, "group", group),
            "user": self.found(selectors.get_user, User, "user", user),
        }


class UserGroupsView(IdentityView):
    """GET /v3/users/{id}/groups"""

    def get(self, request: Request, key: str) -> Response:
        rows = narrow(selectors.groups_of_user(self.ctx, key), request.GET, "name", "domain_id")
        return self.listed("groups", rows, presenters.group)
