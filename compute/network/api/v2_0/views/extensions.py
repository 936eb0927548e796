"""GET /v2.0/extensions: what is true of this service, and nothing more (Networking API, "Extensions")."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api.views import CloudView
from portal.core.errors import NotFound

_UPDATED = "2026-01-01T00:00:00-00:00"
_EXTENSIONS = {
    "agent": ("agent", "Lists what works for the network beside the hosts, of which there is nothing."),
    "allowed-address-pairs": ("Allowed Address Pairs", "Lets a port use further addresses."),
    "binding": ("Port Binding", "Shows operators on which host a port is bound."),
    "external-net": ("Neutron external network", "Says of a network whether it is external."),
    "filter-validation": ("Filter parameters validation", "Refuses filters that are no attribute."),
    "net-mtu": ("Network MTU", "Shows the largest packet of a network."),
    "empty-string-filtering": ("Empty String Filtering Extension", "Lists may be asked for what is empty."),
    "pagination": ("Pagination support", "Lists come in pages."),
    "port-security": ("Port Security", "Says of a port whether its traffic is filtered."),
    "project-id": ("project_id field enabled", "Resources name their project as project_id."),
    "provider": ("Provider Network", "Shows operators how a network is made on the hosts."),
    "quotas": ("Quota management support", "Shows the limits of a project."),
    "quota-check-limit": ("Quota engine limit check", "Refuses limits below what is used, if asked to."),
    "quota_details": ("Quota details management support", "Shows what of a limit is used."),
    "security-group": ("security-group", "Security groups and their rules."),
    "security-groups-normalized-cidr": ("Normalized CIDR", "Rules show the range that their prefix means."),
    "sorting": ("Sorting support", "Lists can be sorted."),
    "standard-attr-description": ("standard-attr-description", "Resources have a description."),
    "standard-attr-timestamp": ("Resource timestamps", "Resources say when they were made and changed."),
}


def _shown(alias: str) -> dict[str, Any]:
    name, description = _EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": description, "updated": _UPDATED, "links": []}


class ExtensionsView(CloudView):
    """All extensions."""

    service = "network"

    def get(self, request: Request) -> Response:
        return Response({"extensions": [_shown(alias) for alias in _EXTENSIONS]})


class ExtensionView(CloudView):
    """One extension."""

    service = "network"

    def get(self, request: Request, alias: str) -> Response:
        if alias not in _EXTENSIONS:
            raise NotFound("", alias, f"Extension with alias {alias} does not exist")
        return Response({"extension": _shown(alias)})
