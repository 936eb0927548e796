"""Reads of the network service: what a caller may see, and what compute asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from compute.network import policies
from compute.network.models import FixedAddress, Network, Port, SecurityGroup, SecurityGroupRule, Subnet
from compute.network.models.network import NAT
from compute.network.protocols import number_of
from compute.virt.driver import InterfaceSpec, NetworkSpec
from compute.virt.filtering import GroupSpec, PairSpec, PortFilter, RuleSpec
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
    rows = Port.objects.select_related("network")
    rows = rows.prefetch_related("fixed_addresses", Prefetch("security_groups", SecurityGroup.objects.only("id")))
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def security_groups_visible(ctx: RequestContext) -> QuerySet[SecurityGroup]:
    """Return the security groups of the caller's project; all of them for an operator."""
    _authorize_list(ctx, policies.GET_SECURITY_GROUP)
    rows = SecurityGroup.objects.prefetch_related("rules__remote_group")
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def security_group_rules_visible(ctx: RequestContext) -> QuerySet[SecurityGroupRule]:
    """Return the rules of the security groups that the caller sees."""
    _authorize_list(ctx, policies.GET_SECURITY_GROUP_RULE)
    rows = SecurityGroupRule.objects.select_related("security_group")
    return rows if ctx.is_operator else rows.filter(project_id=ctx.project_id)


def get_network(ctx: RequestContext, network_id: str) -> Network:
    """Return a network that the caller may see; any other id is simply not found."""
    found = networks_visible(ctx).filter(pk=network_id).first()
    if found is None:
        raise NotFound("Network", network_id)
    return found


def get_security_group(ctx: RequestContext, group_id: str) -> SecurityGroup:
    """Return a security group that the caller may see; any other id is simply not found."""
    found = security_groups_visible(ctx).filter(pk=group_id).first()
    if found is None:
        raise NotFound("SecurityGroup", group_id, _("Security group %(group)s does not exist") % {"group": group_id})
    return found


def ports_of(device_id: str) -> list[Port]:
    """Return a device's ports with addresses, networks and groups, in the order of its cards."""
    rows = Port.objects.filter(device_id=device_id).select_related("network").order_by("position", "created_at", "id")
    return list(rows.prefetch_related("fixed_addresses", "security_groups"))


def security_groups_of(device_id: str) -> list[SecurityGroup]:
    """Return the security groups of a device's ports, each once."""
    return list(SecurityGroup.objects.filter(ports__device_id=device_id).distinct().prefetch_related("rules__remote_group"))


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
    rows = rows.order_by("port__position", "port__created_at", "pk")
    for device_id, label, address, version, mac in rows.values_list(
        "port__device_id", "port__network__name", "address", "subnet__ip_version", "port__mac_address"
    ):
        found.setdefault(device_id, []).append(Address(label, address, version, mac))
    return found


def addresses_of_version(device_ids: QuerySet[Any, Any], version: int) -> QuerySet[FixedAddress, tuple[str, str]]:
    """Return each address of these devices beside the id of its device."""
    rows = FixedAddress.objects.filter(port__device_id__in=device_ids, subnet__ip_version=version)
    return rows.order_by().values_list("address", "port__device_id")


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
    ports = ports_with_filters().filter(device_id=device_id).order_by("position", "created_at", "id")
    return [
        InterfaceSpec(
            port_id=port.id,
            mac=port.mac_address,
            addresses=[fixed.address for fixed in port.fixed_addresses.all()],
            network=network_spec(port.network),
            filter=port_filter(port),
            tag=port.tag,
        )
        for port in ports.select_related("network").prefetch_related("network__subnets")
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
        gateway_ip=subnet.host_address,
        dhcp_start=pools[0]["start"],
        dhcp_end=pools[-1]["end"],
        mtu=network.mtu,
        nat=network.network_type == NAT,
        leases=subnet.enable_dhcp,
        dhcp=_dhcp_options(subnet),
    )


def _dhcp_options(subnet: Subnet) -> list[str]:
    """Return what guests are told beside their address (RFC 2132, RFC 3442)."""
    options = []
    if subnet.gateway_ip is None:
        options.append("option:router")
    if subnet.dns_nameservers:
        options.append(f"option:dns-server,{','.join(subnet.dns_nameservers)}")
    if subnet.host_routes:
        routes = [(route["destination"], route["nexthop"]) for route in subnet.host_routes]
        routes += [("0.0.0.0/0", subnet.gateway_ip)] if subnet.gateway_ip else []
        options.append(f"option:classless-static-route,{','.join(f'{to},{by}' for to, by in routes)}")
    return options


def ports_with_filters() -> QuerySet[Port]:
    """Return all ports with what ``port_filter`` reads of them."""
    return Port.objects.prefetch_related("fixed_addresses", Prefetch("security_groups", SecurityGroup.objects.only("id")))


def port_filter(port: Port) -> PortFilter:
    """Return what a host needs to filter a port."""
    return PortFilter(
        port_id=port.id,
        revision=port.revision,
        mac=port.mac_address,
        addresses=[fixed.address for fixed in port.fixed_addresses.all()],
        groups=[group.id for group in port.security_groups.all()],
        pairs=[PairSpec(pair["mac_address"], pair["ip_address"]) for pair in port.allowed_address_pairs],
        on=port.port_security_enabled,
    )


def group_specs(group_ids: Iterable[str]) -> list[GroupSpec]:
    """Return what a host needs to filter by these groups: themselves, and whom their rules name."""
    wanted = set(group_ids)
    rules = list(SecurityGroupRule.objects.filter(security_group__in=wanted))
    wanted |= {rule.remote_group_id for rule in rules if rule.remote_group_id}
    rules += SecurityGroupRule.objects.filter(security_group__in=wanted).exclude(pk__in=[rule.pk for rule in rules])
    by_group: dict[str, list[RuleSpec]] = {}
    for rule in rules:
        if rule.ethertype == "IPv4":
            by_group.setdefault(rule.security_group_id, []).append(_rule_spec(rule))
    members = _members(wanted)
    return [
        GroupSpec(group.id, group.revision, by_group.get(group.id, []), members.get(group.id, []))
        for group in SecurityGroup.objects.filter(pk__in=wanted).order_by("pk")
    ]


def _rule_spec(rule: SecurityGroupRule) -> RuleSpec:
    return RuleSpec(
        direction=rule.direction,
        protocol=None if rule.protocol is None else number_of(rule.protocol),
        first=rule.port_range_min,
        last=rule.port_range_max,
        prefix=rule.normalized_cidr,
        group_id=rule.remote_group_id,
    )


def _members(group_ids: set[str]) -> dict[str, list[str]]:
    """Return the addresses of the members of each group, those in address pairs included, with two queries."""
    found: dict[str, set[str]] = {}
    rows = Port.security_groups.through.objects.filter(securitygroup__in=group_ids)
    for group_id, address in rows.filter(port__fixed_addresses__isnull=False).values_list(
        "securitygroup_id", "port__fixed_addresses__address"
    ):
        found.setdefault(group_id, set()).add(address)
    # an empty list is not left out by the database: MariaDB cannot compare JSON with a value in our collation
    for group_id, pairs in rows.values_list("securitygroup_id", "port__allowed_address_pairs"):
        found.setdefault(group_id, set()).update(pair["ip_address"] for pair in pairs)
    return {group_id: sorted(addresses) for group_id, addresses in found.items()}


def in_use(project_id: str) -> dict[str, int]:
    """Return how much of each network resource a project has."""
    return {
        "network": Network.objects.filter(project_id=project_id).count(),
        "subnet": Subnet.objects.filter(project_id=project_id).count(),
        "port": Port.objects.filter(project_id=project_id).count(),
        "security_group": SecurityGroup.objects.filter(project_id=project_id).count(),
        "security_group_rule": SecurityGroupRule.objects.filter(project_id=project_id).count(),
    }
