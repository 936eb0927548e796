"""/v3/projects and /v3/domains"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow, truth
from accounts.api.v3.serializers import DomainShape, NewDomain, ProjectShape
from accounts.api.v3.views.base import CollectionView, MemberView
from accounts.models import Ancestor, Domain, Project
from accounts.services import domains, projects
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import allowed


class ProjectsView(CollectionView):
    """GET and POST /v3/projects; with ``is_domain`` the domains, in the form of projects."""

    singular, plural, shape = "project", "projects", ProjectShape
    present, create = presenters.project, projects.create

    def get(self, request: Request) -> Response:
        if truth(request.GET.get("is_domain", "false")):
            return self.listed("projects", _domains(self.ctx, request.GET), presenters.domain_as_project)
        return super().get(request)

    def post(self, request: Request) -> Response:
        values = self.body("project", ProjectShape)
        if not values.pop("is_domain", False):
            project = projects.create(ctx=self.ctx, **values)
            return Response({"project": presenters.project(project, self.link)}, status=201)
        if values.pop("domain_id", None) or values.pop("parent_id", None):
            raise BadRequest("A project that acts as a domain stands under nothing.")
        domain = domains.create(ctx=self.ctx, **values)
        return Response({"project": presenters.domain_as_project(domain, self.link)}, status=201)

    def rows(self) -> Any:
        params = self.request.GET
        rows = narrow(selectors.projects_visible(self.ctx), params, "name", "domain_id", flags=("enabled",))
        above = params.get("parent_id")
        if above is not None:
            rows = rows.filter(parent_id=above) | rows.filter(parent_id=None, domain_id=above)
        return selectors.tagged(rows, params)


class ProjectView(MemberView):
    """GET, PATCH and DELETE /v3/projects/{id}"""

    model, singular, shape, present = Project, "project", ProjectShape, presenters.project
    find, update, delete_row = selectors.get_project, projects.update, projects.delete

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if selectors.acts_as_domain(kwargs["key"]):
            return DomainAsProjectView.as_view()(request, *args, **kwargs)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request, key: str) -> Response:
        project = selectors.get_project(self.ctx, key)
        return Response({"project": presenters.project(project, self.link) | self.family(project)})

    def family(self, project: Project) -> dict[str, Any]:
        """Return what the query asks about the projects above and below."""
        params = self.request.GET
        found: dict[str, Any] = {}
        for name, above in (("parents", True), ("subtree", False)):
            if f"{name}_as_list" in params and f"{name}_as_ids" in params:
                raise BadRequest(f"Cannot use {name}_as_list and {name}_as_ids together.")
            if f"{name}_as_list" in params:
                rows = _relatives(project, above).prefetch_related("tags")
                held = [row for row in rows if allowed(self.ctx, policies.GET_PROJECT, row)]
                found[name] = [{"project": presenters.project(row, self.link)} for row in held]
            elif f"{name}_as_ids" in params:
                found[name] = _parents_as_ids(project) if above else _subtree_as_ids(project)
        return found


def _relatives(project: Project, above: bool) -> QuerySet[Project]:
    if above:
        return Project.objects.filter(descendants__project=project).order_by("descendants__distance")
    return Project.objects.filter(ancestors__above=project).order_by("ancestors__distance", "name")


def _parents_as_ids(project: Project) -> dict[str, Any]:
    tree: Any = {project.domain_id: None}
    for row in Ancestor.objects.filter(project=project).order_by("-distance"):
        tree = {row.above_id: tree}
    return dict(tree)


def _subtree_as_ids(project: Project) -> dict[str, Any] | None:
    below: dict[str | None, list[str]] = {}
    for key, parent_id in _relatives(project, above=False).values_list("pk", "parent_id"):
        below.setdefault(parent_id, []).append(key)

    def tree(key: str) -> dict[str, Any] | None:
        return {child: tree(child) for child in below[key]} if key in below else None

    return tree(project.pk)


class DomainAsProjectView(MemberView):
    """A domain at the address of a project."""

    model, singular, shape, present = Domain, "project", ProjectShape, presenters.domain_as_project
    find = selectors.get_domain

    @staticmethod
    def update(*, project: Domain, **values: Any) -> Domain:
        return domains.update(domain=project, **values)

    @staticmethod
    def delete_row(*, project: Domain, **values: Any) -> None:
        domains.delete(domain=project, **values)


class DomainsView(CollectionView):
    """GET and POST /v3/domains"""

    singular, plural, shape = "domain", "domains", NewDomain
    present, create = presenters.domain, domains.create

    def rows(self) -> Any:
        return _domains(self.ctx, self.request.GET)


def _domains(ctx: RequestContext, params: QueryDict) -> QuerySet[Domain]:
    """Return the domains that the caller may list and asks for."""
    return selectors.tagged(narrow(selectors.domains_visible(ctx), params, "name", flags=("enabled",)), params)


class DomainView(MemberView):
    """GET, PATCH and DELETE /v3/domains/{id}"""

    model, singular, shape, present = Domain, "domain", DomainShape, presenters.domain
    find, update, delete_row = selectors.get_domain, domains.update, domains.delete
