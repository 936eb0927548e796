"""Networks that people and operators declare. Hosts make a network when the first guest needs it."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import Network
from compute.network.models.network import LOCAL, NAT, bridge_name, new_uuid
from compute.network.services import declared_ports, quotas
from compute.network.services.attributes import authorize_attributes, owner_of
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

SMALLEST_MTU, LARGEST_MTU = 576, 9000
TYPES = (LOCAL, NAT)
_GOES_ALONG = "network:dhcp"
_COLUMNS = {
    "name": "name",
    "description": "description",
    "admin_state_up": "admin_state_up",
    "shared": "shared",
    "router:external": "external",
    "port_security_enabled": "port_security_enabled",
    "mtu": "mtu",
}


@transaction.atomic
def create(*, ctx: RequestContext, values: Mapping[str, Any]) -> Network:
    """Return a new network. It has no way out unless an operator makes it a ``nat`` network."""
    project_id = owner_of(ctx, values)
    network_id = new_uuid()
    network = Network(id=network_id, project_id=project_id, bridge=bridge_name(network_id), network_type=LOCAL)
    _check(values)
    authorize(ctx, policies.CREATE_NETWORK, network)
    quotas.admit(project_id, "network")
    named = [name for name, value in values.items() if value not in (None, False) or name == "port_security_enabled"]
    authorize_attributes(ctx, "create_network", named, network)
    _write(network, values)
    network.network_type = values.get("provider:network_type") or LOCAL
    if network.network_type not in TYPES:
        raise BadRequest(
            _("Invalid input for operation: provider:network_type must be one of %(types)s.") % {"types": ", ".join(TYPES)},
            "InvalidInput",
        )
    network.save(force_insert=True)
    return network


@transaction.atomic
def change(*, ctx: RequestContext, network: Network, values: Mapping[str, Any]) -> Network:
    """Return the network after these changes."""
    authorize(ctx, policies.UPDATE_NETWORK, network)
    authorize_attributes(ctx, "update_network", values, network)
    _check(values)
    if values.get("shared") is False and network.shared and _used_by_others(network):
        raise Conflict(
            _("Unable to reconfigure sharing settings for network %(network)s. Multiple projects are using it.")
            % {"network": network.pk},
            "InvalidSharedSetting",
        )
    _write(network, values)
    network.save()
    return network


@transaction.atomic
def delete(*, ctx: RequestContext, network: Network) -> None:
    """Delete a network on which no port is left, with its subnets and what answers for addresses."""
    authorize(ctx, policies.DELETE_NETWORK, network)
    locked = Network.objects.select_for_update().filter(pk=network.pk).first()
    if locked is None:
        return
    if locked.ports.exclude(device_owner=_GOES_ALONG).exists():
        raise Conflict(
            _("Unable to complete operation on network %(network)s. There are one or more ports still in use on the network.")
            % {"network": network.pk},
            "NetworkInUse",
        )
    for port in locked.ports.all():
        declared_ports.remove(port)
    locked.delete()


def _check(values: Mapping[str, Any]) -> None:
    mtu = values.get("mtu")
    if mtu and not SMALLEST_MTU <= mtu <= LARGEST_MTU:
        raise BadRequest(
            _("Invalid input for mtu. Reason: '%(mtu)s' must be from %(least)s to %(most)s.")
            % {"mtu": mtu, "least": SMALLEST_MTU, "most": LARGEST_MTU}
        )
    if values.get("router:external"):
        raise BadRequest(_("Invalid input for router:external. Reason: this cloud has no routers yet."))


def _write(network: Network, values: Mapping[str, Any]) -> None:
    for name, column in _COLUMNS.items():
        if values.get(name) is not None and not (name == "mtu" and not values[name]):
            setattr(network, column, values[name])


def _used_by_others(network: Network) -> bool:
    return network.ports.exclude(project_id=network.project_id).exists()
