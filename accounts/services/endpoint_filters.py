"""Which endpoints a project sees: single ones, and groups of them (OS-EP-FILTER)."""

from typing import Any

from accounts import policies, selectors
from accounts.models import Endpoint, EndpointGroup, Project, ProjectEndpoint
from accounts.services.writing import change
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize


def create_group(*, ctx: RequestContext, **values: Any) -> EndpointGroup:
    """Return a new group of the endpoints that have all of its filters."""
    authorize(ctx, policies.CREATE_ENDPOINT_GROUP)
    group = EndpointGroup(**values)
    group.save(force_insert=True)
    return group


def update_group(*, ctx: RequestContext, endpoint_group: EndpointGroup, **changes: Any) -> EndpointGroup:
    """Change a group of endpoints."""
    authorize(ctx, policies.UPDATE_ENDPOINT_GROUP, endpoint_group)
    change(endpoint_group, changes)
    endpoint_group.save()
    return endpoint_group


def delete_group(*, ctx: RequestContext, endpoint_group: EndpointGroup) -> None:
    """Delete a group of endpoints; the endpoints stay."""
    authorize(ctx, policies.DELETE_ENDPOINT_GROUP, endpoint_group)
    endpoint_group.delete()


def show_group_to(*, ctx: RequestContext, group: EndpointGroup, project: Project) -> None:
    """Let a project see a group of endpoints; once more changes nothing."""
    authorize(ctx, policies.ADD_ENDPOINT_GROUP_TO_PROJECT, project)
    group.projects.add(project)


def hide_group_from(*, ctx: RequestContext, group: EndpointGroup, project: Project) -> None:
    """Let a project see a group of endpoints no more; raises NotFound when it does not."""
    authorize(ctx, policies.REMOVE_ENDPOINT_GROUP_FROM_PROJECT, project)
    selectors.find_group_of_project(group, project)
    group.projects.remove(project)


def show_to(*, ctx: RequestContext, endpoint: Endpoint, project: Project) -> None:
    """Let a project see an endpoint; once more changes nothing."""
    authorize(ctx, policies.ADD_ENDPOINT_TO_PROJECT, project)
    ProjectEndpoint.objects.get_or_create(endpoint=endpoint, project=project)


def hide_from(*, ctx: RequestContext, endpoint: Endpoint, project: Project) -> None:
    """Let a project see an endpoint no more; raises NotFound when it does not."""
    authorize(ctx, policies.REMOVE_ENDPOINT_FROM_PROJECT, project)
    if not ProjectEndpoint.objects.filter(endpoint=endpoint, project=project).delete()[0]:
        raise not_shown(endpoint, project)


def check(*, ctx: RequestContext, endpoint: Endpoint, project: Project) -> None:
    """Return when a project was given an endpoint; raises NotFound otherwise."""
    authorize(ctx, policies.CHECK_ENDPOINT_IN_PROJECT, project)
    if not ProjectEndpoint.objects.filter(endpoint=endpoint, project=project).exists():
        raise not_shown(endpoint, project)


def not_shown(endpoint: Endpoint, project: Project) -> NotFound:
    """Return the sentence for an endpoint that a project was not given."""
    return NotFound("endpoint", endpoint.pk, f"Endpoint {endpoint.pk} not found in project {project.pk}.")
