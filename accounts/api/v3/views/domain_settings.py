"""/v3/domains/{id}/config: a domain's own configuration"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3.views.base import IdentityView
from accounts.models import Domain
from accounts.services import domain_settings
from portal.core.errors import BadRequest


class DomainSettingsView(IdentityView):
    """GET, HEAD, PUT, PATCH and DELETE /v3/domains/{id}/config[/{group}[/{option}]]; PUT only of the whole"""

    def get(self, request: Request, domain: str, **part: str) -> Response:
        return Response({"config": domain_settings.show(ctx=self.ctx, domain=self.domain(domain), **part)})

    def put(self, request: Request, domain: str) -> Response:
        row, config = self.domain(domain), self.sent()
        created = not row.settings.exists()
        domain_settings.replace(ctx=self.ctx, domain=row, config=config)
        return Response({"config": domain_settings.show(ctx=self.ctx, domain=row)}, status=201 if created else 200)

    def patch(self, request: Request, domain: str, **part: str) -> Response:
        row = self.domain(domain)
        domain_settings.update(ctx=self.ctx, domain=row, config=self.sent(), **part)
        group = {name: value for name, value in part.items() if name == "group"}
        return Response({"config": domain_settings.show(ctx=self.ctx, domain=row, **group)})

    def delete(self, request: Request, domain: str, **part: str) -> Response:
        domain_settings.delete(ctx=self.ctx, domain=self.domain(domain), **part)
        return Response(status=204)

    def domain(self, key: str) -> Domain:
        """Return the domain of the address."""
        return self.found(selectors.get_domain, Domain, "domain", key)

    def sent(self) -> Any:
        """Return what the client sent; raises BadRequest."""
        if not isinstance(self.request.data, dict) or not isinstance(self.request.data.get("config"), dict):
            raise BadRequest("Expecting to find config in request body.")
        return self.request.data["config"]


class DefaultSettingsView(IdentityView):
    """GET /v3/domains/config[/{group}[/{option}]]/default"""

    def get(self, request: Request, **part: str) -> Response:
        return Response({"config": domain_settings.defaults(ctx=self.ctx, **part)})


class SecurityComplianceView(IdentityView):
    """GET and HEAD /v3/domains/{id}/config/security_compliance[/{option}]"""

    def get(self, request: Request, domain: str, option: str | None = None) -> Response:
        return Response({"config": domain_settings.security_compliance(ctx=self.ctx, domain_id=domain, option=option)})
