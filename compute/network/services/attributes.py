"""What several resources of the network service check before they are written: attributes that need a rule, and whose they become."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from compute.network import policies
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


def authorize_attributes(ctx: RequestContext, verb: str, names: Iterable[str], target: Any) -> None:
    """Let a request name these attributes, or raise Forbidden; ``verb`` is such as ``create_port``."""
    for name in names:
        rule = policies.ATTRIBUTE_RULES.get(f"{verb}:{name}")
        if rule is not None:
            authorize(ctx, rule, target)


def owner_of(ctx: RequestContext, values: Mapping[str, Any]) -> str:
    """Return the project that a new resource belongs to: the caller's, or for operators the one that the request names."""
    wanted = values.get("project_id") or values.get("tenant_id")
    if wanted and wanted != ctx.project_id and not ctx.is_operator:
        raise BadRequest(
            _(
                "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request "
                "requires admin privileges"
            )
        )
    return str(wanted or ctx.project_id or "")
