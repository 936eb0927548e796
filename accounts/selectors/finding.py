"""Finding rows by id: with a rule for those who look, without for services that ask a rule of their own."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from accounts.models import (
    DEFAULT_DOMAIN_ID,
)
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, authorize

M = TypeVar("M", bound=Model)

MAX_ID = 255


def find(model: type[M], kind: str, key: str) -> M:
    """Return the row with this id, without asking a rule; raises NotFound in identity's words."""
    row = None
    if "\x00" not in key and len(key) <= MAX_ID:
        row = model._default_manager.filter(pk=key).first()
    if row is None:
        raise NotFound(kind, key, _("Could not find %(kind)s: %(id)s.") % {"kind": _(kind), "id": key})
    return row


def home_domain(ctx: RequestContext) -> str:
    """Return the domain in which a caller makes things who names none: that of his scope."""
    return ctx.domain_id or ctx.project_domain_id or DEFAULT_DOMAIN_ID


def get_allowed(ctx: RequestContext, rule: Rule, model: type[M], kind: str, key: str) -> M:
    """Return the row with this id to whom the rule lets see it; to others an unknown one looks like another's."""
    row = model._default_manager.filter(pk=key).first() if "\x00" not in key else None
    authorize(ctx, rule, present_values(row))
    return row if row is not None else find(model, kind, key)


def present_values(row: Any) -> dict[str, Any]:
    """Return what rules may know of a row, without empty values: an absent domain must not equal an absent scope."""
    target = row.policy_target() if row is not None else {}
    return {key: value for key, value in target.items() if value is not None}


def domain_target(ctx: RequestContext) -> dict[str, Any]:
    """Return what rules about lists speak of: the domain of the caller's scope."""
    return {"target.domain_id": ctx.domain_id, "target.domain.id": ctx.domain_id} if ctx.domain_id else {}


def in_domain(rows: QuerySet[M], ctx: RequestContext) -> QuerySet[M]:
    """Keep the rows of the domain that the caller's scope is, all of them with another scope."""
    return rows.filter(domain_id=ctx.domain_id) if ctx.domain_id else rows
