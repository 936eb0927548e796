"""Ports that people make, change and delete themselves, with a device or without (Networking API, "Ports")."""

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import FixedAddress, Network, Port, SecurityGroup, Subnet
from compute.network.models.port import new_mac
from compute.network.services import addressing, hosts, quotas
from compute.network.services import security_groups as groups
from compute.network.services.attributes import authorize_attributes, owner_of
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden, NotFound
from portal.core.policy import authorize

MOST_ADDRESSES = 5
MOST_PAIRS = 10
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_PLAIN = {
    "name": "name",
    "description": "description",
    "admin_state_up": "admin_state_up",
    "device_id": "device_id",
    "device_owner": "device_owner",
    "port_security_enabled": "port_security_enabled",
    "binding:host_id": "host",
}


@transaction.atomic
def create(*, ctx: RequestContext, network: Network, values: Mapping[str, Any]) -> Port:
    """Return a new port, with one address of the network unless the request says which or none."""
    port = Port(network=network, project_id=owner_of(ctx, values), port_security_enabled=network.port_security_enabled)
    port.device_owner = values.get("device_owner") or ""
    authorize(ctx, policies.CREATE_PORT, port)
    authorize_attributes(ctx, "create_port", _named(values), port)
    _require_free_device(ctx, port, values)
    quotas.admit(port.project_id, "port")
    _write(port, values)
    port.preserve_on_delete = True
    _insert(port, values.get("mac_address"))
    fixed_ips = values.get("fixed_ips")
    _give_addresses(port, _automatic(network) if fixed_ips is None else fixed_ips)
    port.allowed_address_pairs = _pairs(port, values.get("allowed_address_pairs") or [])
    port.save(update_fields=["allowed_address_pairs"])
    port.security_groups.set(_members(ctx, port, values.get("security_groups")))
    hosts.refresh(ports=[port], groups=port.security_groups.all())
    return port


@transaction.atomic
def change(*, ctx: RequestContext, port: Port, values: Mapping[str, Any]) -> Port:
    """Return the port after these changes; its host filters and serves it accordingly at once."""
    port = Port.objects.select_for_update().select_related("network").get(pk=port.pk)
    authorize(ctx, policies.UPDATE_PORT, port)
    authorize_attributes(ctx, "update_port", _named(values), port)
    _require_free_device(ctx, port, values)
    before = set(port.security_groups.all())
    _write(port, values)
    if values.get("mac_address") and values["mac_address"].lower() != port.mac_address:
        _change_mac(port, values["mac_address"])
    if "fixed_ips" in values:
        _replace_addresses(port, values["fixed_ips"] or [])
    if "allowed_address_pairs" in values:
        port.allowed_address_pairs = _pairs(port, values["allowed_address_pairs"] or [])
    port.save()
    if "security_groups" in values:
        port.security_groups.set(_members(ctx, port, values["security_groups"]))
    elif before and not port.port_security_enabled:
        words = _("The port has security groups. Port security can be disabled when they are removed.")
        raise Conflict(words, "PortSecurityPortHasSecurityGroup")
    if port.allowed_address_pairs and not port.port_security_enabled:
        raise _pairs_without_security()
    hosts.refresh(ports=[port], groups=before | set(port.security_groups.all()))
    if "fixed_ips" in values and port.host:
        hosts.replug(port)
    return port


@transaction.atomic
def delete(*, ctx: RequestContext, port: Port) -> None:
    """Delete a port; a device that has it loses the card."""
    authorize(ctx, policies.DELETE_PORT, port)
    remove(port)


def remove(port: Port) -> None:
    """Take a port away: from its device, and from what its groups let in elsewhere."""
    members = list(port.security_groups.all())
    if port.host and port.device_id:
        hosts.unplug(port)
    port.delete()
    hosts.refresh(ports=[], groups=members)


def _named(values: Mapping[str, Any]) -> list[str]:
    """Return the attributes that need a rule of their own, as the rules call them."""
    names = [name for name, value in values.items() if value is not None]
    if any(item.get("ip_address") for item in values.get("fixed_ips") or []):
        names.append("fixed_ips:ip_address")
    return names


def _require_free_device(ctx: RequestContext, port: Port, values: Mapping[str, Any]) -> None:
    """Leave servers to compute: nobody puts a card into a server, or takes one out, by naming it here."""
    device = values.get("device_id")
    owner = values.get("device_owner")
    if port.host and port.device_id and (device not in (None, port.device_id) or owner not in (None, port.device_owner)):
        raise Conflict(
            _("Port %(port)s is in use by device %(device)s: detach it from there.")
            % {"port": port.pk, "device": port.device_id},
            "PortInUse",
        )
    if device and device != port.device_id and not ctx.is_operator and _UUID.fullmatch(device):
        raise Forbidden(_("A port is plugged into a server by the compute service: attach it there."))


def _write(port: Port, values: Mapping[str, Any]) -> None:
    for name, column in _PLAIN.items():
        if values.get(name) is not None:
            setattr(port, column, values[name])


def _insert(port: Port, mac: str | None) -> None:
    for _attempt in range(1 if mac else addressing.ATTEMPTS):
        port.mac_address = _mac(mac) if mac else new_mac()
        try:
            with transaction.atomic():
                port.save(force_insert=True)
            return
        except IntegrityError:
            continue
    raise _mac_in_use(port)


def _change_mac(port: Port, mac: str) -> None:
    if port.host and port.device_id:
        raise Conflict(
            _("Port %(port)s is bound to a host: its MAC address cannot be changed.") % {"port": port.pk}, "PortBound"
        )
    port.mac_address = _mac(mac)
    if port.network.ports.filter(mac_address=port.mac_address).exclude(pk=port.pk).exists():
        raise _mac_in_use(port)


def _mac_in_use(port: Port) -> Conflict:
    words = _("Unable to complete operation for network %(network)s. The mac address %(mac_address)s is in use.") % {
        "network": port.network_id,
        "mac_address": port.mac_address,
    }
    return Conflict(words, "MacAddressInUse")


def _mac(word: str) -> str:
    mac = word.lower().replace("-", ":")
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise BadRequest(
            _("Invalid input for mac_address. Reason: '%(word)s' is not a valid MAC address.") % {"word": word[:60]}
        )
    return mac


def _automatic(network: Network) -> list[dict[str, str]]:
    subnet = network.subnets.filter(ip_version=4).first()
    return [{"subnet_id": subnet.pk}] if subnet else []


def _give_addresses(port: Port, wanted: Sequence[Mapping[str, Any]]) -> None:
    if len(wanted) > MOST_ADDRESSES:
        raise BadRequest(
            _("Exceeded maximum amount of fixed ips per port (%(most)s).") % {"most": MOST_ADDRESSES},
            "InvalidInput",
        )
    subnets = {subnet.pk: subnet for subnet in port.network.subnets.filter(ip_version=4)}
    for item in wanted:
        subnet = _subnet(port, subnets, item)
        if not item.get("ip_address"):
            addressing.assign(port, subnet)
        elif addressing.take(port, subnet, item["ip_address"]) is None:
            words = _("IP address %(address)s already allocated in subnet %(subnet)s") % {
                "address": item["ip_address"],
                "subnet": subnet.pk,
            }
            raise Conflict(words, "IpAddressAlreadyAllocated")


def _subnet(port: Port, subnets: Mapping[str, Subnet], item: Mapping[str, Any]) -> Subnet:
    address, subnet_id = item.get("ip_address"), item.get("subnet_id")
    if subnet_id is not None and subnet_id not in subnets:
        raise BadRequest(
            _("Invalid input for operation: Failed to create port on network %(network)s: no subnet %(subnet)s.")
            % {"network": port.network_id, "subnet": subnet_id},
            "InvalidInput",
        )
    if address is None:
        if subnet_id is None:
            raise BadRequest(_("IP allocation requires subnet_id or ip_address."), "InvalidInput")
        return subnets[subnet_id]
    wanted = IPv4Network(address)
    fitting = [one for one in ([subnets[subnet_id]] if subnet_id else subnets.values()) if wanted.subnet_of(one.range)]
    if not fitting:
        if subnet_id:
            words = _("IP address %(address)s is not a valid IP for the specified subnet.") % {"address": address}
            raise BadRequest(words, "InvalidIpForSubnet")
        words = _("IP address %(address)s is not a valid IP for the specified network.") % {"address": address}
        raise BadRequest(words, "InvalidIpForNetwork")
    if wanted.network_address in addressing.reserved(fitting[0]):
        words = _("IP address %(address)s is not a valid IP for the specified subnet: it is reserved.") % {"address": address}
        raise BadRequest(words, "InvalidIpForSubnet")
    return fitting[0]


def _replace_addresses(port: Port, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the request names by its address or, once each, by its range; take the rest away and give what is new."""
    held, new = list(port.fixed_addresses.all()), []
    kept: list[FixedAddress] = []
    for item in wanted:
        fits = [one for one in held if one not in kept and _names(item, one)]
        if fits:
            kept.append(fits[0])
        else:
            new.append(item)
    port.fixed_addresses.exclude(pk__in=[one.pk for one in kept]).delete()
    _give_addresses(port, new)


def _names(item: Mapping[str, Any], held: FixedAddress) -> bool:
    address, subnet_id = item.get("ip_address"), item.get("subnet_id")
    return (address is None or address == held.address) and (subnet_id is None or subnet_id == held.subnet_id)


def _members(ctx: RequestContext, port: Port, wanted: Iterable[str] | None) -> list[SecurityGroup]:
    """Return the groups that the request names by id, or the project's default one; an unfiltered port has none."""
    if not port.port_security_enabled:
        if wanted:
            words = _("Port Security must be enabled in order to have security groups on a port.")
            raise BadRequest(words, "PortSecurityAndIPRequiredForSecurityGroups")
        return []
    if wanted is None:
        return [groups.ensure_default(port.project_id)]
    ids = list(dict.fromkeys(wanted))
    mine = SecurityGroup.objects.filter(pk__in=ids)
    found = list(mine if ctx.is_operator else mine.filter(Q(project_id=port.project_id) | Q(project_id=ctx.project_id)))
    missing = set(ids) - {group.pk for group in found}
    if missing:
        raise NotFound("SecurityGroup", min(missing), _("Security group %(group)s does not exist") % {"group": min(missing)})
    return found


def _pairs_without_security() -> Conflict:
    words = _("Port Security must be enabled in order to have allowed address pairs on a port.")
    return Conflict(words, "AddressPairAndPortSecurityRequired")


def _pairs(port: Port, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return further addresses that the port may use, each with the hardware address that goes with it."""
    if wanted and not port.port_security_enabled:
        raise _pairs_without_security()
    if len(wanted) > MOST_PAIRS:
        raise BadRequest(
            _("The number of allowed address pairs exceeds the maximum %(most)s.") % {"most": MOST_PAIRS},
            "AllowedAddressPairExhausted",
        )
    found: list[dict[str, str]] = []
    for item in wanted:
        try:
            span = IPv4Network(item.get("ip_address") or "")
        except ValueError as error:
            raise BadRequest(
                _("'%(address)s' is not a valid IP address or range.") % {"address": str(item.get("ip_address"))[:60]}
            ) from error
        address = str(span.network_address) if span.prefixlen == 32 else str(span)
        pair = {"ip_address": address, "mac_address": _mac(item.get("mac_address") or port.mac_address)}
        if pair in found:
            raise BadRequest(
                _("Request contains duplicate address pair: mac_address %(mac_address)s ip_address %(address)s.")
                % {"mac_address": pair["mac_address"], "address": address},
                "DuplicateAddressPairInRequest",
            )
        found.append(pair)
    return found
