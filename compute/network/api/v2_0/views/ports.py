"""/v2.0/ports and /v2.0/ports/{id}."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from compute.network import policies, selectors
from compute.network.api.v2_0 import bodies, presenters
from compute.network.api.v2_0.base import (
    MAX_VALUES,
    Attribute,
    CollectionView,
    MemberView,
    ResourceView,
    boolean,
    text_or_400,
)
from compute.network.models import FixedAddress, Port
from compute.network.services import declared_ports
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import allowed

_FIXED_IP_COLUMNS = {"ip_address": "address", "ip_address_substr": "address__contains", "subnet_id": "subnet_id"}


class _Ports(ResourceView):
    singular, plural, kind = "port", "ports", "Port"
    attributes = {
        "id": Attribute("id"),
        "name": Attribute("name"),
        "description": Attribute("description"),
        "project_id": Attribute("project_id"),
        "tenant_id": Attribute("project_id"),
        "network_id": Attribute("network_id"),
        "mac_address": Attribute("mac_address"),
        "device_id": Attribute("device_id"),
        "device_owner": Attribute("device_owner"),
        "admin_state_up": Attribute("admin_state_up", boolean),
        "status": Attribute("status"),
        "port_security_enabled": Attribute("port_security_enabled", boolean),
        "security_groups": Attribute("security_groups", sortable=False),
        "fixed_ips": Attribute("fixed_addresses", sortable=False),
    }

    creation, changes = bodies.PortCreate, bodies.PortChanges

    def rows(self, ctx: RequestContext) -> QuerySet[Port]:
        return selectors.ports_visible(ctx)

    @cached_property
    def with_host(self) -> bool:
        return allowed(self.ctx, policies.GET_PORT_BINDING)

    def present(self, row: Port) -> dict[str, Any]:
        return presenters.port(row, with_host=self.with_host)

    def create(self, values: Mapping[str, Any]) -> Port:
        network = selectors.get_network(self.ctx, values["network_id"])
        return declared_ports.create(ctx=self.ctx, network=network, values=values)

    def change(self, row: Port, values: Mapping[str, Any]) -> Port:
        return declared_ports.change(ctx=self.ctx, port=row, values=values)

    def remove(self, row: Port) -> None:
        declared_ports.delete(ctx=self.ctx, port=row)


class PortsView(_Ports, CollectionView):
    """The ports that the caller sees."""

    def condition(self, name: str, values: list[str]) -> Q:
        if name == "binding:host_id":
            return Q(host__in=[text_or_400(value) for value in values[:MAX_VALUES]]) if self.with_host else Q(pk__in=())
        if name == "fixed_ips":
            return _fixed_ips(values[:MAX_VALUES])
        if name == "security_groups":
            return Q(pk__in=Port.objects.filter(super().condition(name, values)).values("pk"))
        return super().condition(name, values)


class PortView(_Ports, MemberView):
    """One port."""


def _fixed_ips(values: list[str]) -> Q:
    """Return the ports that hold an address which fits every ``ip_address=…`` and ``subnet_id=…``."""
    wanted: dict[str, list[str]] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if key not in _FIXED_IP_COLUMNS or not equals:
            raise BadRequest(f"'{value[:60]}' is not a valid value for fixed_ips.", "InvalidInput")
        wanted.setdefault(_FIXED_IP_COLUMNS[key], []).append(text_or_400(text))
    held = FixedAddress.objects.all()
    for column, texts in wanted.items():
        either = Q()
        for text in texts:
            either |= Q(**{column: text})
        held = held.filter(either)
    return Q(pk__in=held.values("port_id"))
