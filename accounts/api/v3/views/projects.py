"""/v3/projects with their tags, and /v3/domains"""

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseBase, QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import policies, selectors
from accounts.api.v3 import presenters
from accounts.api.v3.filters import narrow, truth
from accounts.api.v3.serializers import DomainShape, NewDomain, ProjectShape, TagName, Tags
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Ancestor, Domain, Project
from accounts.services import domains, projects
from portal.core.errors import BadRequest
from portal.core.policy import allowed


class ProjectsView(CollectionView):
    """GET and POST /v3/projects; with ``is_domain`` the domains, in the form of projects."""

    singular, plural, shape = "project", "projects", ProjectShape
    present, create = presenters.project, projects.create

    def get(self, request: Request) -> Response:
        if truth(request.GET.get("is_domain", "false")):
            rows = narrow(selectors.domains_visible(self.ctx), request.GET, "name", flags=("enabled",))
            return self.listed("projects", rows, presenters.domain_as_project)
        return super().get(request)

    def post(self, request: Request) -> Response:
        values = self.body("project", ProjectShape)
        if not values.pop("is_domain", False):
            project = projects.create(ctx=self.ctx, **values)
            return Response({"project": presenters.project(project, self.link)}, status=201)
        if values.pop("domain_id", None) or values.pop("parent_id", None) or values.pop("tags", None):
            raise BadRequest("A project that acts as a domain stands under nothing and has no tags.")
        domain = domains.create(ctx=self.ctx, **values)
        return Response({"project": presenters.domain_as_project(domain, self.link)}, status=201)

    def rows(self) -> Any:
        params = self.request.GET
        rows = narrow(selectors.projects_visible(self.ctx), params, "name", "domain_id", flags=("enabled",))
        above = params.get("parent_id")
        if above is not None:
            rows = rows.filter(parent_id=above) | rows.filter(parent_id=None, domain_id=above)
        return _tagged(rows, params).prefetch_related("tags")


def _tagged(rows: QuerySet[Project], params: QueryDict) -> QuerySet[Project]:
    """Keep the projects with all, any, not all or none of some tags (Identity v3, "Project tags")."""
    for parameter in ("tags", "tags-any", "not-tags", "not-tags-any"):
        names = [name for name in params.get(parameter, "").split(",") if name]
        if not names:
            continue
        having = Project.objects.filter(tags__name__in=names).order_by()
        if not parameter.endswith("any"):
            having = having.annotate(matching=Count("tags")).filter(matching=len(set(names)))
        found = having.values("pk")
        rows = rows.exclude(pk__in=found) if parameter.startswith("not") else rows.filter(pk__in=found)
    return rows


class ProjectView(MemberView):
    """GET, PATCH and DELETE /v3/projects/{id}"""

    model, singular, shape, present = Project, "project", ProjectShape, presenters.project
    find, update, delete_row = selectors.get_project, projects.update, projects.delete

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if type(self) is ProjectView and Domain.objects.filter(pk=kwargs["key"]).exists():
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
        return domains.update(domain=project, **{key: value for key, value in values.items() if key != "is_domain"})

    @staticmethod
    def delete_row(*, project: Domain, **values: Any) -> None:
        domains.delete(domain=project, **values)


class ProjectTagsView(IdentityView):
    """GET, PUT and DELETE /v3/projects/{id}/tags"""

    def get(self, request: Request, project: str) -> Response:
        return self.enveloped({"tags": selectors.tags_of(self.ctx, project)})

    def put(self, request: Request, project: str) -> Response:
        form = Tags(data=request.data)
        form.is_valid(raise_exception=True)
        tags = form.validated_data["tags"]
        projects.set_tags(ctx=self.ctx, project=self.project(project), tags=tags)
        return self.enveloped({"tags": sorted(set(tags))})

    def delete(self, request: Request, project: str) -> Response:
        projects.set_tags(ctx=self.ctx, project=self.project(project), tags=[])
        return Response(status=204)

    def project(self, key: str) -> Project:
        """Return the project of the address."""
        return self.found(selectors.get_project, Project, "project", key)


class ProjectTagView(ProjectTagsView):
    """GET, HEAD, PUT and DELETE /v3/projects/{id}/tags/{tag}"""

    def get(self, request: Request, project: str, tag: str) -> Response:  # type: ignore[override]
        selectors.check_tag(self.ctx, project, tag)
        return Response(status=204)

    def put(self, request: Request, project: str, tag: str) -> Response:  # type: ignore[override]
        projects.add_tag(ctx=self.ctx, project=self.project(project), tag=TagName().run_validation(tag))
        response = Response(status=201)
        response["Location"] = self.link(f"projects/{project}/tags/{tag}")
        return response

    def delete(self, request: Request, project: str, tag: str) -> Response:  # type: ignore[override]
        projects.remove_tag(ctx=self.ctx, project=self.project(project), tag=tag)
        return Response(status=204)


class DomainsView(CollectionView):
    """GET and POST /v3/domains"""

    singular, plural, shape = "domain", "domains", NewDomain
    present, create = presenters.domain, domains.create

    def rows(self) -> Any:
        return narrow(selectors.domains_visible(self.ctx), self.request.GET, "name", flags=("enabled",))


class DomainView(MemberView):
    """GET, PATCH and DELETE /v3/domains/{id}"""

    model, singular, shape, present = Domain, "domain", DomainShape, presenters.domain
    find, update, delete_row = selectors.get_domain, domains.update, domains.delete
