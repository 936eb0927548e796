"""Projects: made, changed, deleted."""

from typing import Any

from django.contrib.auth.models import Group

from accounts import policies, selectors
from accounts.models import Domain, Project
from accounts.services import quotas
from accounts.services.writing import change, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize
from portal.core.policy.checks import project_group


def create(
    *, ctx: RequestContext, name: str, domain_id: str | None = None, parent_id: str | None = None, **values: Any
) -> Project:
    """Return a new project under its domain, or under another project of the same domain."""
    parent = _parent(parent_id, domain_id)
    domain_id = (
        domain_id or (parent.domain_id if parent else None) or _domain_as_parent(parent_id) or selectors.home_domain(ctx)
    )
    authorize(ctx, policies.CREATE_PROJECT, {"target.project.domain_id": domain_id})
    if parent is not None and parent.domain_id != domain_id:
        raise BadRequest("The project and its parent must be in the same domain.")
    project = Project(name=name, domain=selectors.find(Domain, "domain", domain_id), parent=parent)
    change(project, values)
    with storing("project", named(name, domain_id)):
        project.save(force_insert=True)
    return project


def update(*, ctx: RequestContext, project: Project, **changes: Any) -> Project:
    """Change a project; nobody can work in a disabled one."""
    authorize(ctx, policies.UPDATE_PROJECT, project)
    refuse_immutable("project", project, "update", changes)
    if changes.pop("domain_id", project.domain_id) != project.domain_id:
        raise BadRequest("Cannot change Domain ID.")
    above = project.parent_id or project.domain_id
    if changes.pop("parent_id", above) != above:
        raise Forbidden("Update of `parent_id` is not allowed.")
    change(project, changes)
    with storing("project", named(project.name, project.domain_id)):
        project.save()
    return project


def delete(*, ctx: RequestContext, project: Project) -> None:
    """Delete a project with its assignments, its limits, and what was shared with it."""
    authorize(ctx, policies.DELETE_PROJECT, project)
    refuse_immutable("project", project, "delete")
    if project.children.exists():
        raise Forbidden(f"Cannot delete the project {project.pk} since it is not a leaf in the hierarchy.")
    with storing("project", "it is still in use"):
        forget([project.pk])
        project.delete()


def forget(project_ids: list[str]) -> None:
    """Drop what hangs on projects by name alone: their limits, and the groups in which things were shared with them."""
    for project_id in project_ids:
        quotas.reset(project_id)
    Group.objects.filter(name__in=[project_group(project_id) for project_id in project_ids]).delete()


def _parent(parent_id: str | None, domain_id: str | None) -> Project | None:
    """Return the project above, None when that is the domain itself."""
    if parent_id is None or parent_id == domain_id or Domain.objects.filter(pk=parent_id).exists():
        return None
    return selectors.find(Project, "project", parent_id)


def _domain_as_parent(parent_id: str | None) -> str | None:
    return Domain.objects.filter(pk=parent_id).values_list("pk", flat=True).first() if parent_id else None
