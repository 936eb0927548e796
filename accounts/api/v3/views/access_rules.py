"""/v3/users/{id}/access_rules"""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow
from accounts.api.v3.views.base import IdentityView
from accounts.models import AccessRule
from accounts.services import access_rules


def access_rule(row: AccessRule, link: Callable[[str], str]) -> dict[str, Any]:
    """Return an access rule as the API shows it."""
    return {**presenters.access_rule(row), "links": {"self": link(f"users/{row.user_id}/access_rules/{row.pk}")}}


class AccessRulesView(IdentityView):
    """GET /v3/users/{id}/access_rules"""

    def get(self, request: Request, user: str) -> Response:
        rows = narrow(access_rules.visible(self.ctx, user), request.GET, "service", "path", "method")
        return self.listed("access_rules", rows, access_rule)


class AccessRuleView(IdentityView):
    """GET, HEAD and DELETE /v3/users/{id}/access_rules/{id}"""

    def get(self, request: Request, user: str, key: str) -> Response:
        return Response({"access_rule": access_rule(access_rules.get(self.ctx, user, key), self.link)})

    def delete(self, request: Request, user: str, key: str) -> Response:
        access_rules.delete(ctx=self.ctx, user_id=user, key=key)
        return Response(status=204)
