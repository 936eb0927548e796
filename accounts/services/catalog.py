"""The catalog: regions, services and endpoints, made, changed, deleted."""

from typing import Any

from django.db import transaction

from accounts import policies, selectors
from accounts.models import CatalogService, Endpoint, Limit, Region, RegisteredLimit
from accounts.services.writing import change, conflict, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize


def create_region(*, ctx: RequestContext, id: str | None = None, parent_region_id: str | None = None, **values: Any) -> Region:
    """Return a new region; the client may choose its id."""
    authorize(ctx, policies.CREATE_REGION)
    region = Region(**({"pk": id} if id else {}))
    if parent_region_id:
        region.parent = selectors.find(Region, "region", parent_region_id)
    change(region, values)
    with storing(conflict("region", f"Duplicate ID, {region.pk}")):
        region.save(force_insert=True)
    return region


def update_region(*, ctx: RequestContext, region: Region, **changes: Any) -> Region:
    """Change a region; its id stays."""
    authorize(ctx, policies.UPDATE_REGION, region)
    changes.pop("id", None)
    if "parent_region_id" in changes:
        parent_id = changes.pop("parent_region_id")
        region.parent = selectors.find(Region, "region", parent_id) if parent_id else None
        _refuse_circle(region)
    change(region, changes)
    region.save()
    return region


@transaction.atomic
def delete_region(*, ctx: RequestContext, region: Region) -> None:
    """Delete a region with those below it; raises Forbidden where one of them has endpoints or limits."""
    authorize(ctx, policies.DELETE_REGION, region)
    rows = _with_all_below(region)
    if Endpoint.objects.filter(region__in=rows).exists():
        raise Forbidden(f"Unable to delete region {region.pk} because it or its child regions have associated endpoints.")
    if RegisteredLimit.objects.filter(region__in=rows).exists():
        raise Forbidden(f"Unable to delete region {region.pk} because it or its child regions have registered limits.")
    for row in reversed(rows):
        row.delete()


def _with_all_below(region: Region) -> list[Region]:
    found = [region]
    for row in found:  # grows while it is walked
        found += row.children.all()
    return found


def create_service(*, ctx: RequestContext, **values: Any) -> CatalogService:
    """Return a new service of the catalog."""
    authorize(ctx, policies.CREATE_SERVICE)
    service = CatalogService()
    change(service, values)
    service.save(force_insert=True)
    return service


def update_service(*, ctx: RequestContext, service: CatalogService, **changes: Any) -> CatalogService:
    """Change a service of the catalog."""
    authorize(ctx, policies.UPDATE_SERVICE, service)
    change(service, changes)
    service.save()
    return service


def delete_service(*, ctx: RequestContext, service: CatalogService) -> None:
    """Delete a service with its endpoints and registered limits; raises Forbidden where projects or domains have such limits."""
    authorize(ctx, policies.DELETE_SERVICE, service)
    if Limit.objects.filter(registered__service=service).exists():
        raise Forbidden(f"Unable to delete service {service.pk} because there are limits of projects or domains on it.")
    service.delete()


def create_endpoint(*, ctx: RequestContext, **values: Any) -> Endpoint:
    """Return a new endpoint; raises BadRequest when its service or region is not there.

    A region named by the older attribute ``region`` is made when it is missing, as upstream does.
    """
    authorize(ctx, policies.CREATE_ENDPOINT)
    endpoint = Endpoint()
    _change_endpoint(endpoint, values)
    endpoint.save(force_insert=True)
    return endpoint


def update_endpoint(*, ctx: RequestContext, endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Change an endpoint."""
    authorize(ctx, policies.UPDATE_ENDPOINT, endpoint)
    _change_endpoint(endpoint, changes)
    endpoint.save()
    return endpoint


def delete_endpoint(*, ctx: RequestContext, endpoint: Endpoint) -> None:
    """Delete an endpoint."""
    authorize(ctx, policies.DELETE_ENDPOINT, endpoint)
    endpoint.delete()


def _change_endpoint(endpoint: Endpoint, values: dict[str, Any]) -> None:
    if "service_id" in values:
        endpoint.service = _known(CatalogService, "service", values.pop("service_id"))
    older = values.pop("region", None)
    if "region_id" in values:
        region_id = values.pop("region_id")
        endpoint.region = _known(Region, "region", region_id) if region_id else None
    elif older:
        endpoint.region, _made = Region.objects.get_or_create(pk=older)
    change(endpoint, values)


def _known(model: Any, kind: str, key: str) -> Any:
    row = model.objects.filter(pk=key).first()
    if row is None:
        raise BadRequest(f"Could not find {kind}: {key}.")
    return row


def _refuse_circle(region: Region) -> None:
    above = region.parent
    while above is not None:
        if above.pk == region.pk:
            raise BadRequest("A region cannot stand under itself.")
        above = above.parent
