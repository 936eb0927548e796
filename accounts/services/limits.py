"""Registered limits and limits, as identity's API makes, changes and deletes them."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import CatalogService, Domain, Limit, Project, Region, RegisteredLimit
from accounts.services import limit_tree
from accounts.services.writing import change, storing
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden
from portal.core.policy import authorize

Wanted = dict[str, Any]


@transaction.atomic
def register(*, ctx: RequestContext, wanted: list[Wanted]) -> list[RegisteredLimit]:
    """Return new registered limits, all or none."""
    authorize(ctx, policies.CREATE_REGISTERED_LIMITS)
    rows = []
    for values in wanted:
        row = RegisteredLimit()
        _place(row, values)
        clash = _(
            "Conflict occurred attempting to store registered_limit - "
            "Duplicate entry for resource %(resource)s of service %(service)s."
        )
        with storing(_twice(clash, values)):
            row.save(force_insert=True)
        rows.append(row)
    return rows


def update_registered(*, ctx: RequestContext, registered_limit: RegisteredLimit, **changes: Any) -> RegisteredLimit:
    """Change a registered limit; what names its resource only while no limit refers to it."""
    authorize(ctx, policies.UPDATE_REGISTERED_LIMIT, registered_limit)
    if {"service_id", "region_id", "resource_name"} & changes.keys():
        _refuse_in_use(registered_limit)
    _place(registered_limit, changes)
    clash = _("Conflict occurred attempting to store registered_limit - there is one for this resource already.")
    with storing(clash):
        registered_limit.save()
    registered_limit.refresh_from_db()
    return registered_limit


def delete_registered(*, ctx: RequestContext, registered_limit: RegisteredLimit) -> None:
    """Delete a registered limit to which no limit refers."""
    authorize(ctx, policies.DELETE_REGISTERED_LIMIT, registered_limit)
    _refuse_in_use(registered_limit)
    registered_limit.delete()


@transaction.atomic
def create(*, ctx: RequestContext, wanted: list[Wanted]) -> list[Limit]:
    """Return new limits of projects and domains, all or none."""
    authorize(ctx, policies.CREATE_LIMITS)
    rows = []
    for values in sorted(wanted, key=lambda each: each.get("domain_id") is None):
        owner = _owner(values)
        registered = _registered(values)
        limit_tree.check(registered=registered, limit=values["resource_limit"], **owner)
        row = Limit(
            registered=registered,
            resource_limit=values["resource_limit"],
            description=values.get("description"),
            **owner,
        )
        clash = _(
            "Conflict occurred attempting to store limit - Duplicate entry for resource %(resource)s of service %(service)s."
        )
        with storing(_twice(clash, values)):
            row.save(force_insert=True)
        rows.append(row)
    return rows


def update(*, ctx: RequestContext, limit: Limit, **changes: Any) -> Limit:
    """Change a limit; whose and of what it is stays."""
    authorize(ctx, policies.UPDATE_LIMIT, limit)
    if "resource_limit" in changes:
        wanted = changes["resource_limit"]
        limit_tree.check(registered=limit.registered, limit=wanted, project=limit.project, domain=limit.domain)
    change(limit, changes)
    limit.save()
    return limit


def delete(*, ctx: RequestContext, limit: Limit) -> None:
    """Delete a limit; the registered one holds again."""
    authorize(ctx, policies.DELETE_LIMIT, limit)
    limit.delete()


def _place(row: RegisteredLimit, values: Wanted) -> None:
    values = dict(values)
    if "service_id" in values:
        row.service = _known(CatalogService, "service", values.pop("service_id"))
    if "region_id" in values:
        region_id = values.pop("region_id")
        row.region = _known(Region, "region", region_id) if region_id else None
    change(row, values)


def _known(model: Any, kind: str, key: str) -> Any:
    row = model.objects.filter(pk=key).first()
    if row is None:
        raise BadRequest(_("Could not find %(kind)s: %(id)s.") % {"kind": _(kind), "id": key})
    return row


def _owner(values: Wanted) -> dict[str, Any]:
    if (values.get("project_id") is None) == (values.get("domain_id") is None):
        raise BadRequest(_("A limit is that of a project or of a domain."))
    if values.get("project_id") is not None:
        return {"project": _known(Project, "project", values["project_id"]), "domain": None}
    return {"project": None, "domain": _known(Domain, "domain", values["domain_id"])}


def _registered(values: Wanted) -> RegisteredLimit:
    row = RegisteredLimit.objects.filter(
        service_id=values["service_id"], region_id=values.get("region_id"), resource_name=values["resource_name"]
    ).first()
    if row is None:
        raise Forbidden(_("Unable to create a limit that has no corresponding registered limit."))
    return row


def _refuse_in_use(row: RegisteredLimit) -> None:
    if row.limits.exists():
        raise Forbidden(
            _("Unable to update or delete registered limit %(id)s because there are project limits associated with it.")
            % {"id": row.pk}
        )


def _twice(words: str, values: Wanted) -> str:
    return words % {"resource": values["resource_name"], "service": values["service_id"]}
