"""Reads of the network service: what a caller may see, and what compute asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from django.db.models import Prefetch, Q, QuerySet

from compute.network import policies
from compute.network.models import FixedAddress, Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from compute.virt.driver import InterfaceSpec, NetworkSpec
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, authorize

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a device as lists show it."""

    network_label: str
    address: str
    version: int
    mac: str
    type: str = "fixed"


def _authorize_list(ctx: RequestContext, rule: Rule) -> None:
    authorize(ctx, rule, {"project_id": ctx.project_id, "tenant_id": ctx.project_id, "shared": False})


def networks_visible(ctx: RequestContext) -> QuerySet[Network]:
    """Return the networks of the caller's project and the shared ones; all of them for an operator."""
    _authorize_list(ctx, policies.GET_NETWORK)
    rows = Network.objects.prefetch_related("subnets")
    return rows if ctx.is_operator else rows.filter(Q(project_id=ctx.project_id) | Q(shared=True))


def subnets_visible(ctx: RequestContext) -> QuerySet[Subnet]:
    """Return the subnets of the networks that the caller sees."""
    _authorize_list(ctx, policies.GET_SUBNET)
    rows = Subnet.objects.select_related("network")
    return rows if ctx.is_operator else rows.filter(Q(project_id=ctx.project_id) | Q(network__shared=True))


def ports_visible(ctx: RequestContext) -> QuerySet[Port]:
    """Return the ports of the caller's project; all of them for an operator."""
    _authorize_list(ctx, policies.GET_PORT)
    rows = Port.objects.prefetch_related("fixed_addresses", Prefetch("security_groups", SecurityGroup.objects.only("id")))
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def security_groups_visible(ctx: RequestContext) -> QuerySet[SecurityGroup]:
    """Return the security groups of the caller's project; all of them for an operator."""
    _authorize_list(ctx, policies.GET_SECURITY_GROUP)
    rows = SecurityGroup.objects.prefetch_related("rules")
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def security_group_rules_visible(ctx: RequestContext) -> QuerySet[SecurityGroupRule]:
    """Return the rules of the security groups that the caller sees."""
    _authorize_list(ctx, policies.GET_SECURITY_GROUP_RULE)
    rows = SecurityGroupRule.objects.all()
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def get_network(ctx: RequestContext, network_id: str) -> Network:
    """Return a network that the caller may see; any other id is simply not found."""
    found = networks_visible(ctx).filter(pk=network_id).first()
    if found is None:
        raise NotFound("Network", network_id)
    return found


def ports_of(device_id: str) -> list[Port]:
    """Return a device's ports with addresses, networks and groups, in the order of its cards."""
    rows = Port.objects.filter(device_id=device_id).select_related("network")
    return list(rows.prefetch_related("fixed_addresses", "security_groups"))


def security_groups_of(device_id: str) -> list[SecurityGroup]:
    """Return the security groups of a device's ports, each once."""
    return list(SecurityGroup.objects.filter(ports__device_id=device_id).distinct().prefetch_related("rules"))


def group_names(device_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the security groups of each device, with one query."""
    names: dict[str, list[str]] = {}
    rows = Port.security_groups.through.objects.filter(port__device_id__in=list(device_ids)[:_BATCH])
    for device_id, name in rows.order_by("pk").values_list("port__device_id", "securitygroup__name"):
        known = names.setdefault(device_id, [])
        if name not in known:
            known.append(name)
    return names


def addresses(device_ids: Iterable[str]) -> dict[str, list[Address]]:
    """Return the addresses of each device, with one query; a device without any is left out."""
    found: dict[str, list[Address]] = {}
    rows = FixedAddress.objects.filter(port__device_id__in=list(device_ids)[:_BATCH])
    rows = rows.order_by("port__created_at", "port__position", "pk")
    for device_id, label, address, version, mac in rows.values_list(
        "port__device_id", "port__network__name", "address", "subnet__ip_version", "port__mac_address"
    ):
        found.setdefault(device_id, []).append(Address(label, address, version, mac))
    return found


def devices_with_address(word: str, version: int) -> QuerySet[FixedAddress, str]:
    """Return the ids of devices that hold an address with ``word`` in it, as a subquery."""
    rows = FixedAddress.objects.filter(address__contains=word, subnet__ip_version=version)
    return rows.values_list("port__device_id", flat=True)


@dataclass(frozen=True)
class CardAddress:
    """A fixed address with what its subnet says of it."""

    address: str
    cidr: str
    gateway: str | None
    dhcp: bool
    resolvers: list[str]
    routes: list[dict[str, str]]


@dataclass(frozen=True)
class NetworkCard:
    """One network card as its own device may know it."""

    port_id: str
    mac: str
    tag: str | None
    network_id: str
    mtu: int
    addresses: list[CardAddress]


def cards(device_id: str) -> list[NetworkCard]:
    """Return a device's network cards with all that their addresses mean, in order."""
    ports = Port.objects.filter(device_id=device_id).select_related("network")
    return [
        NetworkCard(
            port_id=port.pk,
            mac=port.mac_address,
            tag=port.tag,
            network_id=port.network_id,
            mtu=port.network.mtu,
            addresses=[_card_address(fixed) for fixed in port.fixed_addresses.all()],
        )
        for port in ports.prefetch_related(Prefetch("fixed_addresses", FixedAddress.objects.select_related("subnet")))
    ]


def has_card(device_id: str, port_id: str) -> bool:
    """Whether a port is a device's."""
    return Port.objects.filter(pk=port_id, device_id=device_id).exists()


def _card_address(fixed: FixedAddress) -> CardAddress:
    """The network's own server answers names too, so it is the resolver where nobody named another."""
    subnet = fixed.subnet
    return CardAddress(
        address=fixed.address,
        cidr=subnet.cidr,
        gateway=subnet.gateway_ip,
        dhcp=subnet.enable_dhcp,
        resolvers=subnet.dns_nameservers or ([subnet.gateway_ip] if subnet.gateway_ip else []),
        routes=subnet.host_routes,
    )


def interface_specs(device_id: str) -> list[InterfaceSpec]:
    """Return what a host needs to plug a device in: one entry per network card, in order."""
    ports = Port.objects.filter(device_id=device_id).select_related("network")
    return [
        InterfaceSpec(
            port_id=port.id,
            mac=port.mac_address,
            addresses=[fixed.address for fixed in port.fixed_addresses.all()],
            network=network_spec(port.network),
        )
        for port in ports.prefetch_related("fixed_addresses", "network__subnets")
    ]


def network_spec(network: Network) -> NetworkSpec:
    """Return what a host needs to make a network."""
    subnet = next(iter(network.subnets.all()))
    pools = sorted(subnet.allocation_pools, key=lambda pool: ip_address(pool["start"]))
    return NetworkSpec(
        id=network.id,
        name=network.host_name,
        bridge=network.bridge,
        cidr=subnet.cidr,
        gateway_ip=subnet.gateway_ip or str(next(subnet.range.hosts())),
        dhcp_start=pools[0]["start"],
        dhcp_end=pools[-1]["end"],
        mtu=network.mtu,
    )


def in_use(project_id: str) -> dict[str, int]:
    """Return how much of each network resource a project has."""
    return {
        "network": Network.objects.filter(project_id=project_id).count(),
        "subnet": Subnet.objects.filter(project_id=project_id).count(),
        "port": Port.objects.filter(project_id=project_id).count(),
        "security_group": SecurityGroup.objects.filter(project_id=project_id).count(),
        "security_group_rule": SecurityGroupRule.objects.filter(project_id=project_id).count(),
    }
