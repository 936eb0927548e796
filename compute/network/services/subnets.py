"""Ranges of addresses on networks. All networks of a cloud share its hosts' one address space, so no two ranges may overlap."""

from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import Network, Subnet
from compute.network.services import quotas
from compute.network.services.attributes import owner_of
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

LONGEST_PREFIX = 30
SHORTEST_PREFIX = 8
_PLAIN = ("name", "description", "enable_dhcp", "dns_nameservers", "host_routes")

Pools = list[dict[str, str]]


@transaction.atomic
def create(*, ctx: RequestContext, network: Network, values: Mapping[str, Any]) -> Subnet:
    """Return a new range on a network, with its gateway first and all other addresses for ports unless told otherwise."""
    subnet = Subnet(network=network, project_id=owner_of(ctx, values))
    authorize(ctx, policies.CREATE_SUBNET, subnet)
    quotas.admit(subnet.project_id, "subnet")
    if values.get("ip_version", 4) != 4:
        raise BadRequest(_("Invalid input for ip_version. Reason: guests of this cloud have IPv4 addresses only."))
    span = _range(values.get("cidr"))
    _refuse_overlap(span)
    subnet.cidr = str(span)
    subnet.gateway_ip = _gateway(span, values["gateway_ip"]) if "gateway_ip" in values else str(span[1])
    given = values.get("allocation_pools")
    subnet.allocation_pools = _pools(span, subnet.gateway_ip, given) if given else _all_of(span, subnet.gateway_ip)
    _write(subnet, values)
    try:
        with transaction.atomic():
            subnet.save(force_insert=True)
    except IntegrityError as error:  # another request made the same range at the same moment
        raise _overlap(span) from error
    return subnet


@transaction.atomic
def change(*, ctx: RequestContext, subnet: Subnet, values: Mapping[str, Any]) -> Subnet:
    """Return the range after these changes; what its ports hold stays."""
    authorize(ctx, policies.UPDATE_SUBNET, subnet)
    span = subnet.range
    if "gateway_ip" in values and values["gateway_ip"] != subnet.gateway_ip:
        wanted = _gateway(span, values["gateway_ip"])
        if wanted and subnet.fixed_addresses.filter(address=wanted).exists():
            raise Conflict(
                _("Current gateway ip %(address)s already in use by a port.") % {"address": wanted}, "GatewayIpInUse"
            )
        subnet.gateway_ip = wanted
    pools = values.get("allocation_pools") or subnet.allocation_pools
    subnet.allocation_pools = _pools(span, subnet.gateway_ip, pools)
    _write(subnet, values)
    subnet.save()
    return subnet


@transaction.atomic
def delete(*, ctx: RequestContext, subnet: Subnet) -> None:
    """Delete a range of which no port holds an address."""
    authorize(ctx, policies.DELETE_SUBNET, subnet)
    if subnet.fixed_addresses.exists():
        raise Conflict(
            _("Unable to complete operation on subnet %(subnet)s: One or more ports have an IP allocation from this subnet.")
            % {"subnet": subnet.pk},
            "SubnetInUse",
        )
    subnet.delete()


def _range(cidr: Any) -> IPv4Network:
    try:
        span = IPv4Network(str(cidr) if "/" in str(cidr) else "", strict=False)
    except ValueError as error:
        raise BadRequest(
            _("Invalid input for cidr. Reason: '%(cidr)s' is not a valid IP subnet.") % {"cidr": str(cidr)[:60]}
        ) from error
    if not SHORTEST_PREFIX <= span.prefixlen <= LONGEST_PREFIX or span.is_multicast or span.is_loopback or span.is_link_local:
        raise BadRequest(
            _("Invalid input for cidr. Reason: '%(span)s' cannot hold a network of guests.") % {"span": span}, "InvalidInput"
        )
    return span


def _refuse_overlap(span: IPv4Network) -> None:
    """Refuse a range that is not free; all networks stay locked, so that of ranges made at once each sees the others."""
    list(Network.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    for cidr in Subnet.objects.filter(ip_version=4).values_list("cidr", flat=True):
        if IPv4Network(cidr).overlaps(span):
            raise _overlap(span)


def _overlap(span: IPv4Network) -> BadRequest:
    words = _("Invalid input for operation: Requested subnet with cidr: %(span)s overlaps with another subnet.") % {
        "span": span
    }
    return BadRequest(words, "InvalidInput")


def _gateway(span: IPv4Network, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    address = _address(wanted, "gateway_ip")
    if address not in span or address in (span.network_address, span.broadcast_address):
        raise BadRequest(
            _("Gateway is not valid on subnet: %(address)s is not in %(span)s.") % {"address": address, "span": span},
            "InvalidInput",
        )
    return str(address)


def _address(word: Any, field: str) -> IPv4Address:
    try:
        return IPv4Address(word)
    except (AddressValueError, TypeError) as error:
        raise BadRequest(
            _("Invalid input for %(field)s. Reason: '%(word)s' is not a valid IP address.")
            % {"field": field, "word": str(word)[:60]}
        ) from error


def _pools(span: IPv4Network, gateway: str | None, pools: Sequence[Mapping[str, str]]) -> Pools:
    """Return pools that lie in the range, do not overlap and leave the gateway out."""
    found: list[tuple[IPv4Address, IPv4Address]] = []
    for pool in pools:
        first, last = _address(pool["start"], "allocation_pools"), _address(pool["end"], "allocation_pools")
        if first > last or first <= span.network_address or last >= span.broadcast_address:
            kind = "InvalidAllocationPool" if first > last else "OutOfBoundsAllocationPool"
            raise BadRequest(
                _("The allocation pool %(first)s-%(last)s is not valid: it spans beyond the subnet cidr %(span)s.")
                % {"first": first, "last": last, "span": span},
                kind,
            )
        if gateway and first <= IPv4Address(gateway) <= last:
            words = _("Gateway ip %(gateway)s conflicts with allocation pool %(first)s-%(last)s.") % {
                "gateway": gateway,
                "first": first,
                "last": last,
            }
            raise Conflict(words, "GatewayConflictWithAllocationPools")
        if any(first <= end and begin <= last for begin, end in found):
            words = _("Found overlapping allocation pools: %(first)s-%(last)s for subnet %(span)s.") % {
                "first": first,
                "last": last,
                "span": span,
            }
            raise Conflict(words, "OverlappingAllocationPools")
        found.append((first, last))
    return [{"start": str(first), "end": str(last)} for first, last in sorted(found)]


def _all_of(span: IPv4Network, gateway: str | None) -> Pools:
    """Return every address but the gateway's, the first and the last."""
    first, last = int(span.network_address) + 1, int(span.broadcast_address) - 1
    parts = [(first, last)]
    if gateway:
        at = int(IPv4Address(gateway))
        parts = [(first, at - 1), (at + 1, last)]
    return [{"start": str(IPv4Address(a)), "end": str(IPv4Address(b))} for a, b in parts if a <= b]


def _write(subnet: Subnet, values: Mapping[str, Any]) -> None:
    for name in _PLAIN:
        if values.get(name) is not None:
            setattr(subnet, name, values[name])
