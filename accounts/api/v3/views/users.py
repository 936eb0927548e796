"""/v3/users"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow, narrow_time
from accounts.api.v3.serializers import OwnPassword, UserShape
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import User
from accounts.services import passwords, tokens, users


class UsersView(CollectionView):
    """GET and POST /v3/users"""

    singular, plural, shape = "user", "users", UserShape
    present, create = presenters.user, users.create

    def rows(self) -> Any:
        params = self.request.GET
        rows = narrow(selectors.users_visible(self.ctx), params, "name", "domain_id", flags=("enabled",))
        return narrow_time(rows, params, "password_expires_at")


class UserView(MemberView):
    """GET, PATCH and DELETE /v3/users/{id}"""

    model, singular, shape, present = User, "user", UserShape, presenters.user
    find, update, delete_row = selectors.get_user, users.update, users.delete


class UserProjectsView(IdentityView):
    """GET /v3/users/{id}/projects"""

    def get(self, request: Request, key: str) -> Response:
        rows = narrow(selectors.projects_of_user(self.ctx, key), request.GET, "name", "domain_id", flags=("enabled",))
        rows = rows.prefetch_related("tags")
        return self.listed("projects", rows, presenters.project)


class UserPasswordView(IdentityView):
    """POST /v3/users/{id}/password: the old password is the proof, so no token is asked for (Identity v3, "Change password
    for user")."""

    public = True

    def post(self, request: Request, key: str) -> Response:
        sent = self.body("user", OwnPassword)
        address = request.META.get("REMOTE_ADDR", "")
        passwords.change_own(user_id=key, original=sent["original_password"], password=sent["password"], address=address)
        return Response(status=204)


class UserTokensView(IdentityView):
    """DELETE /v3/users/{id}/tokens: all that the user has at this moment"""

    def delete(self, request: Request, key: str) -> Response:
        tokens.revoke_all(ctx=self.ctx, user=self.found(selectors.get_user, User, "user", key))
        return Response(status=204)
