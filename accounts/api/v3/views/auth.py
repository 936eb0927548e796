"""/v3/auth: tokens, and what the caller's own token opens."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import truth
from accounts.api.v3.serializers import AuthBody
from accounts.api.v3.views.base import IdentityView
from accounts.services import authentication, tokens
from accounts.services.receipts import MoreProofNeeded
from accounts.services.tokens import Grant
from portal.core.errors import CloudError, NotFound, Unauthorized
from portal.core.policy import authorize

ACCESS_RULES_VERSION = 1.0
_BODY = AuthBody()  # made once: a serializer copies all of its fields for each new one


class TokensView(IdentityView):
    """POST, GET, HEAD and DELETE /v3/auth/tokens"""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.public = request.method == "POST"  # type: ignore[misc]
        super().initial(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        auth = _BODY.run_validation(request.data)["auth"]
        receipt = request.headers.get("Openstack-Auth-Receipt")
        address = request.META.get("REMOTE_ADDR", "")
        token, grant = authentication.authenticate(auth["identity"], auth.get("scope"), receipt, address=address)
        return self.told(token, grant, status=201)

    def get(self, request: Request) -> Response:
        token, grant = self.subject()
        if grant.delegation is not None and grant.delegation.access_rules and not self.heeds_access_rules():
            raise NotFound("token", "", "Failed to validate token")
        rule = policies.CHECK_TOKEN if request.method == "HEAD" else policies.VALIDATE_TOKEN
        authorize(self.ctx, rule, {"target.token.user_id": grant.user.pk})
        return self.told(token, grant)

    def delete(self, request: Request) -> Response:
        _token, grant = self.subject()
        authorize(self.ctx, policies.REVOKE_TOKEN, {"target.token.user_id": grant.user.pk})
        tokens.revoke(grant)
        return Response(status=204)

    def subject(self) -> tuple[str, Grant]:
        """Return the token that is looked at; raises NotFound when it is not good."""
        token = self.request.headers.get("X-Subject-Token", "")
        allow_expired = truth(self.request.GET.get("allow_expired", "no")) and self.request.method != "DELETE"
        try:
            return token, tokens.validate(token, allow_expired=allow_expired)
        except Unauthorized as error:
            raise NotFound("token", "", "Failed to validate token") from error

    def heeds_access_rules(self) -> bool:
        """Whether the service that asks enforces access rules itself: to others a token with such rules would be good for all."""
        try:
            return float(self.request.headers.get("OpenStack-Identity-Access-Rules", "")) >= ACCESS_RULES_VERSION
        except ValueError:
            return False

    def fault(self, error: CloudError) -> Response:
        response = super().fault(error)
        if isinstance(error, MoreProofNeeded):
            response.data = presenters.receipt(error)
            response["Openstack-Auth-Receipt"] = error.sealed
        return response

    def told(self, token: str, grant: Grant, status: int = 200) -> Response:
        """Return what a token grants, the token itself in a header."""
        wanted = grant.payload.kind and "nocatalog" not in self.request.GET
        catalog = selectors.catalog(grant.context()) if wanted else None
        response = Response({"token": presenters.token(grant, catalog)}, status=status)
        response["X-Subject-Token"] = token
        return response


class AuthCatalogView(IdentityView):
    """GET /v3/auth/catalog"""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.GET_AUTH_CATALOG)
        return self.enveloped({"catalog": selectors.catalog(self.ctx)})


class AuthProjectsView(IdentityView):
    """GET /v3/auth/projects"""

    def get(self, request: Request) -> Response:
        return self.listed("projects", selectors.own_projects(self.ctx).prefetch_related("tags"), presenters.project)


class AuthDomainsView(IdentityView):
    """GET /v3/auth/domains"""

    def get(self, request: Request) -> Response:
        return self.listed("domains", selectors.own_domains(self.ctx).prefetch_related("tags"), presenters.domain)


class AuthSystemView(IdentityView):
    """GET /v3/auth/system"""

    def get(self, request: Request) -> Response:
        return self.enveloped({"system": [{"all": True}] if selectors.holds_system_role(self.ctx) else []})
