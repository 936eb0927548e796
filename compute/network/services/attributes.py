"""What several resources of the network service check before they are written: attributes that need a rule, and whose they become."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from compute.network import policies
from compute.network.models import Network, Port
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize


def authorize_attributes(ctx: RequestContext, verb: str, names: Iterable[str], target: Any) -> None:
    """Let a request name these attributes, or raise Forbidden; ``verb`` is such as ``create_port``."""
    for name in names:
        rule = policies.ATTRIBUTE_RULES.get(f"{verb}:{name}")
        if rule is not None:
            authorize(ctx, rule, target)


def authorize_addresses(ctx: RequestContext, project_id: str, cards: Iterable[Mapping[str, Any]]) -> None:
    """Let a request choose the addresses of a server's cards (``fixed_ip`` on ``uuid``), or raise Forbidden: the rule is that of ports."""
    chosen = {card["uuid"] for card in cards if card.get("fixed_ip") and card.get("uuid")}
    for network in Network.objects.filter(Q(project_id=project_id) | Q(shared=True), pk__in=chosen):
        authorize_attributes(ctx, "create_port", ["fixed_ips:ip_address"], Port(network=network, project_id=project_id))


def owner_of(ctx: RequestContext, values: Mapping[str, Any]) -> str:
    """Return the project that a new resource belongs to: the caller's, or for operators the one that the request names."""
    wanted = values.get("project_id") or values.get("tenant_id")
    if wanted and wanted != ctx.project_id and not ctx.is_operator:
        raise BadRequest(
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges"
        )
    return str(wanted or ctx.project_id or "")
