"""/v3/role_assignments, and roles of users on projects, domains and the system"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import contexts, policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow, truth
from accounts.api.v3.views.base import IdentityView
from accounts.models import Domain, Project, Role, User
from accounts.services import assignments
from accounts.services.assignments import Place
from portal.core.errors import NotFound
from portal.core.policy import authorize

FILTERS = {
    "user.id": "user_id",
    "role.id": "role_id",
    "scope.project.id": "project_id",
    "scope.domain.id": "domain_id",
}


class RoleAssignmentsView(IdentityView):
    """GET /v3/role_assignments; ``effective`` shows what implied roles give, instead of what was given."""

    def get(self, request: Request) -> Response:
        params = request.GET
        effective = "effective" in params and truth(params["effective"])
        names = "include_names" in params and truth(params["include_names"])
        rows = selectors.assignments_visible(self.ctx)
        wanted = {key: column for key, column in FILTERS.items() if not (effective and key == "role.id")}
        rows = narrow(rows, params, others=wanted)
        if "group.id" in params:
            rows = rows.none()
        if "scope.system" in params:
            rows = rows.filter(contexts.on_system())
        if "scope.OS-INHERIT:inherited_to" in params:
            rows = rows.filter(inherited=True)
        found = self.effective(rows) if effective else [presenters.assignment(row, self.link, names) for row in rows]
        return self.enveloped({"role_assignments": found})

    def effective(self, rows: Any) -> list[dict[str, Any]]:
        """Return every role that is held in the end, each once per user and place, with the way it came."""
        names = "include_names" in self.request.GET and truth(self.request.GET["include_names"])
        role_id = self.request.GET.get("role.id")
        table = contexts.implications()
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: row.pk):
            given = row.role
            for role in contexts.expand([given], table):
                if role_id not in (None, role.pk):
                    continue
                row.role = role
                body = presenters.assignment(row, self.link, names)
                if role.pk != given.pk:
                    body["links"]["prior_role"] = self.link(f"roles/{given.pk}/implies/{role.pk}")
                key = (row.user_id, row.target_type, row.target_id, role.pk)
                if key not in found or role.pk == given.pk:
                    found[key] = body
        return list(found.values())


class _GrantView(IdentityView):
    """Finds user, role and place without asking a rule: the services ask, with all of them as target."""

    def parts(self, user: str, role: str | None = None, **where: str) -> dict[str, Any]:
        """Return user, role and place of the address; that one is missing is told only to who may see such things."""
        try:
            found = {"user": selectors.find(User, "user", user), "place": self.place(**where)}
            return found | ({"role": selectors.find(Role, "role", role)} if role is not None else {})
        except NotFound:
            authorize(self.ctx, policies.LIST_GRANTS, {})
            raise

    def place(self, project: str | None = None, domain: str | None = None) -> Place:
        """Return the place that the address names."""
        if project is not None:
            return Place(project=selectors.find(Project, "project", project))
        return Place(domain=selectors.find(Domain, "domain", domain)) if domain is not None else Place()


class UserRolesView(_GrantView):
    """GET /v3/{projects/{id},domains/{id},system}/users/{id}/roles"""

    def get(self, request: Request, **where: str) -> Response:
        return self.listed("roles", assignments.held(ctx=self.ctx, **self.parts(**where)), presenters.role)


class UserRoleView(_GrantView):
    """PUT, DELETE, HEAD and GET /v3/{projects/{id},domains/{id},system}/users/{id}/roles/{id}"""

    def get(self, request: Request, **where: str) -> Response:
        assignments.check(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)

    def put(self, request: Request, **where: str) -> Response:
        assignments.grant(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)

    def delete(self, request: Request, **where: str) -> Response:
        assignments.withdraw(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)
