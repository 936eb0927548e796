"""/v3/role_assignments, and roles of users and groups on projects, domains and the system"""

from typing import Any

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import contexts, effective, policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import truth
from accounts.api.v3.views.base import IdentityView
from accounts.models import Ancestor, Domain, Group, Project, Role, User
from accounts.services import assignments
from accounts.services.assignments import Place
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import authorize

INHERITED = "scope.OS-INHERIT:inherited_to"
EXCLUSIVE = (
    ("scope.domain.id", "scope.project.id"),
    ("scope.domain.id", "scope.system"),
    ("scope.project.id", "scope.system"),
    ("user.id", "group.id"),
)


class RoleAssignmentsView(IdentityView):
    """GET /v3/role_assignments (Identity v3, "List role assignments").

    ``effective`` tells what is held in the end, by users alone, instead of what was given.
    """

    def get(self, request: Request) -> Response:
        params = request.GET
        _refuse_contradiction(params)
        subtree = _asked(params, "include_subtree")
        if subtree and "scope.project.id" not in params:
            raise BadRequest("scope.project.id must be specified if include_subtree is also specified")
        rows = selectors.assignments_visible(self.ctx, tree=subtree)
        projects = _projects(params, subtree)
        found = self.held(rows, projects) if _asked(params, "effective") else self.given(rows, projects)
        names = _asked(params, "include_names")
        return self.enveloped({"role_assignments": [presenters.assignment(item, self.link, names) for item in found]})

    def given(self, rows: Any, projects: set[str] | None) -> list[effective.Held]:
        """Return the assignments themselves."""
        params = self.request.GET
        for parameter, column in (("user.id", "user_id"), ("group.id", "group_id"), ("role.id", "role_id")):
            if parameter in params:
                rows = rows.filter(**{column: params[parameter]})
        if projects is not None:
            rows = rows.filter(project_id__in=projects)
        return effective.as_given(_on_places(rows, params))

    def held(self, rows: Any, projects: set[str] | None) -> list[effective.Held]:
        """Return what users hold in the end."""
        params = self.request.GET
        if "group.id" in params:
            raise BadRequest("Combining effective and group filter will always result in an empty list.")
        if INHERITED in params and "scope.domain.id" in params:
            raise BadRequest("Combining effective, domain and inherited filters will always result in an empty list.")
        user_id, role_id = params.get("user.id"), params.get("role.id")
        if user_id is not None:
            rows = rows.filter(contexts.given_to(user_id))
        if projects is not None:
            rows = rows.filter(project__isnull=False) | rows.filter(domain__isnull=False, inherited=True)
        found = effective.as_held(_on_places(rows, params), user_id=user_id, project_ids=projects)
        return [item for item in found if role_id in (None, item.role.pk) and (projects is None or item.place_id in projects)]


def _refuse_contradiction(params: QueryDict) -> None:
    """Raise BadRequest where two filters exclude each other."""
    for one, other in EXCLUSIVE:
        if params.get(one) and params.get(other):
            raise BadRequest(f"Specify only one of {one} and {other}.")


def _on_places(rows: Any, params: QueryDict) -> Any:
    if "scope.domain.id" in params:
        rows = rows.filter(domain_id=params["scope.domain.id"])
        if _asked(params, "effective"):
            rows = rows.filter(inherited=False)
    if "scope.system" in params:
        rows = rows.filter(contexts.on_system())
    if INHERITED in params:
        if params[INHERITED] != "projects":
            raise BadRequest(f"{INHERITED} can only be projects.")
        rows = rows.filter(inherited=True)
    return rows


def _projects(params: QueryDict, subtree: bool) -> set[str] | None:
    """Return the projects that are asked for, None when any will do."""
    project_id = params.get("scope.project.id")
    if project_id is None:
        return None
    below = Ancestor.objects.filter(above_id=project_id).values_list("project_id", flat=True) if subtree else ()
    return {project_id, *below}


def _asked(params: QueryDict, name: str) -> bool:
    return name in params and truth(str(params[name]))


class _GrantView(IdentityView):
    """Finds actor, role and place without asking a rule: the services ask, with all of them as target."""

    inherited = False

    def parts(
        self, user: str | None = None, group: str | None = None, role: str | None = None, **where: str
    ) -> dict[str, Any]:
        """Return actor, role and place of the address; that one is missing is told only to who may see such things."""
        try:
            actor = selectors.find(User, "user", user) if user is not None else selectors.find(Group, "group", group or "")
            found = {"actor": actor, "place": self.place(**where)}
            return found | ({"role": selectors.find(Role, "role", role)} if role is not None else {})
        except NotFound:
            authorize(self.ctx, policies.LIST_GRANTS, {})
            raise

    def place(self, project: str | None = None, domain: str | None = None) -> Place:
        """Return the place that the address names."""
        if project is not None:
            return Place(project=selectors.find(Project, "project", project), inherited=self.inherited)
        if domain is not None:
            return Place(domain=selectors.find(Domain, "domain", domain), inherited=self.inherited)
        return Place()


class GrantedRolesView(_GrantView):
    """GET /v3/{projects/{id},domains/{id},system}/{users,groups}/{id}/roles, and the same below /v3/OS-INHERIT"""

    def get(self, request: Request, **where: str) -> Response:
        return self.listed("roles", assignments.held(ctx=self.ctx, **self.parts(**where)), presenters.role)


class GrantedRoleView(_GrantView):
    """PUT, DELETE, HEAD and GET of one of them"""

    def get(self, request: Request, **where: str) -> Response:
        assignments.check(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)

    def put(self, request: Request, **where: str) -> Response:
        assignments.grant(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)

    def delete(self, request: Request, **where: str) -> Response:
        assignments.withdraw(ctx=self.ctx, **self.parts(**where))
        return Response(status=204)
