"""Projects: made, changed, deleted."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group as SharedWith

from accounts import policies, selectors
from accounts.models import Ancestor, Domain, Project
from accounts.services import limit_tree
from accounts.services import tags as project_tags
from accounts.services.writing import change, conflict, named, refuse_immutable, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize
from portal.core.policy.checks import project_group


def create(
    *,
    ctx: RequestContext,
    name: str,
    domain_id: str | None = None,
    parent_id: str | None = None,
    tags: list[str] | None = None,
    **values: Any,
) -> Project:
    """Return a new project under its domain, or under another project of the same domain."""
    parent = _parent(parent_id, domain_id)
    domain_id = (
        domain_id or (parent.domain_id if parent else None) or _domain_as_parent(parent_id) or selectors.home_domain(ctx)
    )
    authorize(ctx, policies.CREATE_PROJECT, {"target.project.domain_id": domain_id})
    if parent is not None and parent.domain_id != domain_id:
        raise BadRequest("The project and its parent must be in the same domain.")
    _refuse_depth(parent)
    if parent is not None and not parent.enabled:
        raise Forbidden(f"Cannot create a project under the disabled project {parent.pk}.")
    project = Project(name=name, domain=selectors.find(Domain, "domain", domain_id), parent=parent)
    change(project, values)
    with storing(conflict("project", named(name, domain_id))):
        project.save(force_insert=True)
        if parent is not None:
            _place_below(project, parent)
        project_tags.replace(project, tags or [])
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
    if changes.pop("is_domain", False):
        raise BadRequest("Update of `is_domain` is not allowed.")
    _refuse_switch(project, changes.get("enabled", project.enabled))
    tags = changes.pop("tags", None)
    change(project, changes)
    with storing(conflict("project", named(project.name, project.domain_id))):
        project.save()
        if tags is not None:
            project_tags.replace(project, tags)
    return project


def delete(*, ctx: RequestContext, project: Project) -> None:
    """Delete a project with its assignments, its limits, and what was shared with it."""
    authorize(ctx, policies.DELETE_PROJECT, project)
    refuse_immutable("project", project, "delete")
    if project.children.exists():
        raise Forbidden(f"Cannot delete the project {project.pk} since it is not a leaf in the hierarchy.")
    with storing(conflict("project", "it is still in use")):
        forget([project.pk])
        project.delete()


def forget(project_ids: list[str]) -> None:
    """Drop what hangs on projects by name alone: the groups in which things were shared with them."""
    SharedWith.objects.filter(name__in=[project_group(project_id) for project_id in project_ids]).delete()


def _parent(parent_id: str | None, domain_id: str | None) -> Project | None:
    """Return the project above, None when that is the domain itself."""
    if parent_id is None or parent_id == domain_id or Domain.objects.filter(pk=parent_id).exists():
        return None
    return selectors.find(Project, "project", parent_id)


def _domain_as_parent(parent_id: str | None) -> str | None:
    return Domain.objects.filter(pk=parent_id).values_list("pk", flat=True).first() if parent_id else None


def _place_below(project: Project, parent: Project) -> None:
    rows = [Ancestor(project=project, above=parent, distance=1)]
    rows += [Ancestor(project=project, above_id=row.above_id, distance=row.distance + 1) for row in parent.ancestors.all()]
    Ancestor.objects.bulk_create(rows)


def _refuse_depth(parent: Project | None) -> None:
    """Raise Forbidden where the tree below a domain would grow deeper than allowed."""
    depth = 1 if parent is None else 2 + parent.ancestors.count()
    if depth > (1 if limit_tree.is_strict() else settings.MAX_PROJECT_TREE_DEPTH):
        raise Forbidden(f"Max hierarchy depth reached for {parent.pk if parent else ''} branch.")


def _refuse_switch(project: Project, enabled: bool) -> None:
    """Raise Forbidden for a project switched on below one that is off, or off above one that is on."""
    if enabled == project.enabled:
        return
    if enabled and Project.objects.filter(descendants__project=project, enabled=False).exists():
        raise Forbidden(f"Cannot enable project {project.pk} since it has disabled parents")
    if not enabled and Project.objects.filter(ancestors__above=project, enabled=True).exists():
        raise Forbidden(f"Cannot disable project {project.pk} since its subtree contains enabled projects.")
