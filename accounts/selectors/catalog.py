"""The catalog: all of it, and what a project sees of it."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import (
    CatalogService,
    Endpoint,
    EndpointGroup,
    Policy,
    PolicyAssociation,
    Project,
    ProjectEndpoint,
    Region,
)
from accounts.prepared import PreparedQuery
from accounts.selectors.finding import domain_target, get_allowed
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import authorize


def get_region(ctx: RequestContext, region_id: str) -> Region:
    """Return a region."""
    return get_allowed(ctx, policies.GET_REGION, Region, "region", region_id)


def regions_visible(ctx: RequestContext) -> QuerySet[Region]:
    """Return all regions."""
    authorize(ctx, policies.LIST_REGIONS)
    return Region.objects.all()


def get_service(ctx: RequestContext, service_id: str) -> CatalogService:
    """Return a service of the catalog."""
    return get_allowed(ctx, policies.GET_SERVICE, CatalogService, "service", service_id)


def services_visible(ctx: RequestContext) -> QuerySet[CatalogService]:
    """Return all services of the catalog."""
    authorize(ctx, policies.LIST_SERVICES, domain_target(ctx))
    return CatalogService.objects.all()


def get_endpoint(ctx: RequestContext, endpoint_id: str) -> Endpoint:
    """Return an endpoint."""
    return get_allowed(ctx, policies.GET_ENDPOINT, Endpoint, "endpoint", endpoint_id)


def endpoints_visible(ctx: RequestContext) -> QuerySet[Endpoint]:
    """Return all endpoints."""
    authorize(ctx, policies.LIST_ENDPOINTS, domain_target(ctx))
    return Endpoint.objects.all()


def endpoint_groups_visible(ctx: RequestContext) -> QuerySet[EndpointGroup]:
    """Return the groups of endpoints."""
    authorize(ctx, policies.LIST_ENDPOINT_GROUPS)
    return EndpointGroup.objects.all()


def get_endpoint_group(ctx: RequestContext, group_id: str) -> EndpointGroup:
    """Return a group of endpoints."""
    return get_allowed(ctx, policies.GET_ENDPOINT_GROUP, EndpointGroup, "endpoint group", group_id)


def find_group_of_project(group: EndpointGroup, project: Project) -> EndpointGroup:
    """Return the group when the project sees it; raises NotFound otherwise."""
    if not group.projects.filter(pk=project.pk).exists():
        raise NotFound(
            "endpoint group",
            group.pk,
            _("Endpoint group %(group)s not found in project %(project)s.") % {"group": group.pk, "project": project.pk},
        )
    return group


def in_groups(groups: Iterable[EndpointGroup]) -> Q:
    """Return the condition for endpoints of any of the groups."""
    found = Q(pk__in=[])
    for group in groups:
        found |= Q(**group.filters)
    return found


def endpoints_shown(project_id: str) -> Q | None:
    """Return the condition for the endpoints that a project was given, by themselves or in groups; None when it was given none
    and therefore sees all."""
    own = set(ProjectEndpoint.objects.filter(project_id=project_id).values_list("endpoint_id", flat=True))
    groups = list(EndpointGroup.objects.filter(projects=project_id))
    return Q(pk__in=own) | in_groups(groups) if own or groups else None


def policies_visible(ctx: RequestContext) -> QuerySet[Policy]:
    """Return the policies that are kept for services."""
    authorize(ctx, policies.LIST_POLICIES)
    return Policy.objects.all()


def get_policy(ctx: RequestContext, policy_id: str) -> Policy:
    """Return a policy that is kept for a service."""
    return get_allowed(ctx, policies.GET_POLICY, Policy, "policy", policy_id)


def endpoints_of_policy(policy: Policy) -> QuerySet[Endpoint]:
    """Return the endpoints that a policy may be for: those named by themselves, and all of the services named."""
    rows = PolicyAssociation.objects.filter(policy=policy)
    return Endpoint.objects.filter(
        Q(pk__in=rows.values("endpoint_id")) | Q(service_id__in=rows.values("service_id"))
    ).select_related("region")


def catalog(ctx: RequestContext) -> list[dict[str, Any]]:
    """Return the enabled services with their enabled endpoints, as tokens carry them; of a project what it was given."""
    entries: dict[str, dict[str, Any]] = {}
    for key, interface, region, template, *service in _rows(ctx.project_id):
        url = address(template, ctx)
        if url is None:
            continue
        entry = entries.setdefault(service[0], {"endpoints": [], **dict(zip(("id", "type", "name"), service, strict=True))})
        entry["endpoints"].append({"id": key, "interface": interface, "region_id": region, "region": region, "url": url})
    return list(entries.values())


_COLUMNS = ("pk", "interface", "region_id", "url", "service_id", "service__type", "service__name")


def _enabled() -> QuerySet[Endpoint, Any]:
    rows = Endpoint.objects.filter(enabled=True, service__enabled=True)
    return rows.order_by("service__type", "service_id", "interface", "pk").values_list(*_COLUMNS)


_ALL = PreparedQuery(_enabled)
_GIVEN = PreparedQuery(
    lambda project_id: (
        ProjectEndpoint.objects.filter(project_id=project_id)
        .order_by()
        .values_list(Value(1))
        .union(EndpointGroup.objects.filter(projects=project_id).order_by().values_list(Value(1)))
    ),
    "project_id",
)


def _rows(project_id: str | None) -> Iterable[Any]:
    if project_id and _GIVEN.rows(project_id=project_id):
        return _enabled().filter(endpoints_shown(project_id) or Q())
    return _ALL.rows()


def address(url: str, ctx: RequestContext) -> str | None:
    """Return an endpoint's address for this caller; None when it needs a project and there is none, or cannot be read."""
    values = {"user_id": ctx.user_id}
    if ctx.project_id:
        values |= {"project_id": ctx.project_id, "tenant_id": ctx.project_id}
    try:
        return url.replace("$(", "%(") % values
    except (KeyError, TypeError, ValueError):
        return None
