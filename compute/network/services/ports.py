"""Ports for devices: allocated with the device's row, bound by its host, released at its end.

What is refused and how it is worded follows the compute API reference, "Create Server", parameter ``networks``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from compute.network.models import Network, Port, SecurityGroup, Subnet
from compute.network.models.port import new_mac
from compute.network.services import addressing, hosts, quotas
from compute.network.services import security_groups as groups
from compute.network.services.attributes import authorize_attributes
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound, QuotaExceeded

DEVICE_OWNER = "compute:nova"
MOST = 32

Wanted = Sequence[Mapping[str, Any]] | str | None


@dataclass(frozen=True)
class _Card:
    """A network card that is asked for: whose it is, which one, and what the request says of it."""

    project_id: str
    device_id: str
    host: str
    position: int
    item: Mapping[str, Any]

    def columns(self) -> dict[str, Any]:
        """Return what binds a port to the device."""
        return {
            "device_id": self.device_id,
            "device_owner": DEVICE_OWNER,
            "host": self.host,
            "position": self.position,
            "tag": self.item.get("tag"),
        }


@transaction.atomic
def allocate(
    *,
    ctx: RequestContext,
    project_id: str,
    device_id: str,
    networks: Wanted,
    host: str | None = None,
    first: int = 0,
    security_groups: Sequence[str] | None = None,
) -> list[Port]:
    """Return the device's ports with their addresses, made in the caller's transaction.

    ``networks`` is None or ``auto`` (the one network that the project can use), ``none``, or a list of mappings with ``uuid``,
    ``fixed_ip``, ``port`` and ``tag``. ``first`` is the position of the first card. Raises Forbidden for an address that the caller may not choose.
    """
    if networks == "none":
        return []
    wanted = _automatic(project_id, networks) if networks is None or isinstance(networks, str) else list(networks)
    if len(wanted) > MOST:
        raise BadRequest(_("No more than %(most)s networks can be asked for.") % {"most": MOST})
    members = groups.find(project_id, security_groups) if wanted else []
    if any(not item.get("port") for item in wanted):
        _admit(project_id, sum(not item.get("port") for item in wanted))
    cards = [_Card(project_id, device_id, host or "", at, item) for at, item in enumerate(wanted, first)]
    return [_adopt(card) if card.item.get("port") else _attach(ctx, card, members) for card in cards]


def _admit(project_id: str, count: int) -> None:
    try:
        quotas.admit(project_id, "port", count)
    except Conflict as error:
        raise QuotaExceeded(_("Maximum number of ports exceeded")) from error


@transaction.atomic
def release(device_id: str) -> int:
    """Take a device's ports away and free their addresses; ports that people made lose the device only. Return how many."""
    left = list(SecurityGroup.objects.filter(ports__device_id=device_id).distinct())
    kept = Port.objects.filter(device_id=device_id, preserve_on_delete=True)
    count = kept.update(device_id="", device_owner="", host="", status="DOWN", plug="", tag=None)
    _total, by_model = Port.objects.filter(device_id=device_id).delete()
    hosts.refresh(ports=[], groups=left)
    return count + by_model.get("network.Port", 0)


def join_group(project_id: str, device_id: str, word: str) -> None:
    """Put a device's ports into a group of the project; raises NotFound, or BadRequest when no port can be in a group."""
    group = groups.named(project_id, word)
    rows = list(Port.objects.filter(device_id=device_id, port_security_enabled=True))
    if not rows:
        raise BadRequest(
            _("Network requires port_security_enabled and subnet associated in order to apply %(group)s.") % {"group": word}
        )
    for port in rows:
        port.security_groups.add(group)
    hosts.refresh(ports=rows, groups=[group])


def leave_group(project_id: str, device_id: str, word: str) -> None:
    """Take a device's ports out of a group; raises NotFound when none is in it."""
    group = groups.named(project_id, word)
    rows = list(Port.objects.filter(device_id=device_id, security_groups=group))
    if not rows:
        raise NotFound(
            "SecurityGroup",
            word,
            _("Security group %(group)s not associated with the instance %(device)s") % {"group": word, "device": device_id},
        )
    for port in rows:
        port.security_groups.remove(group)
    hosts.refresh(ports=rows, groups=[group])


def bind(device_id: str, host: str | None, up: bool) -> None:
    """Note on which host a device's ports are, and whether they carry traffic."""
    Port.objects.filter(device_id=device_id).update(host=host or "", status="ACTIVE" if up else "DOWN")


def usable_networks(project_id: str) -> list[Network]:
    """Return the networks to which a project may attach devices."""
    mine_or_shared = Q(project_id=project_id) | Q(shared=True)
    return list(Network.objects.filter(mine_or_shared, admin_state_up=True, external=False, subnets__isnull=False).distinct())


def _automatic(project_id: str, networks: str | None) -> list[dict[str, Any]]:
    usable = usable_networks(project_id)
    if len(usable) > 1:
        raise Conflict(_("Multiple possible networks found, use a Network ID to be more specific."))
    if not usable and networks == "auto":
        raise BadRequest(_("Unable to automatically allocate a network for project %(project)s") % {"project": project_id})
    return [{"uuid": network.id} for network in usable]


def _attach(ctx: RequestContext, card: _Card, members: list[SecurityGroup]) -> Port:
    network = _network(card.project_id, card.item.get("uuid"))
    subnets = list(network.subnets.filter(ip_version=4))
    if not subnets:
        raise BadRequest(_("Network %(network)s requires a subnet in order to boot instances on.") % {"network": network.id})
    port = _make(network, card)
    if card.item.get("fixed_ip"):
        authorize_attributes(ctx, "create_port", ["fixed_ips:ip_address"], port)
    if port.port_security_enabled:
        port.security_groups.set(members)
    _address(port, subnets, card.item.get("fixed_ip"))
    return port


def _network(project_id: str, network_id: Any) -> Network:
    if not _is_uuid(network_id):
        raise BadRequest(
            _("Bad networks format: network uuid is not in proper format (%(network)s)") % {"network": network_id}
        )
    found = Network.objects.filter(Q(project_id=project_id) | Q(shared=True), pk=str(network_id).lower()).first()
    if found is None:
        raise BadRequest(_("Network %(network)s could not be found.") % {"network": network_id})
    if not found.admin_state_up:
        raise BadRequest(_("Network %(network)s is administratively down.") % {"network": network_id})
    return found


def _make(network: Network, card: _Card) -> Port:
    for _attempt in range(addressing.ATTEMPTS):
        try:
            with transaction.atomic():
                return Port.objects.create(
                    network=network,
                    project_id=card.project_id,
                    mac_address=new_mac(),
                    port_security_enabled=network.port_security_enabled,
                    **card.columns(),
                )
        except IntegrityError:  # the random hardware address exists on this network
            continue
    raise Conflict(_("No free hardware address on network %(network)s.") % {"network": network.id})


def _address(port: Port, subnets: list[Subnet], fixed_ip: str | None) -> None:
    if fixed_ip is None:
        addressing.assign(port, subnets[0])
        return
    try:
        wanted = IPv4Address(fixed_ip)
    except (AddressValueError, TypeError) as error:
        raise BadRequest(_("Invalid fixed IP address (%(fixed_ip)s)") % {"fixed_ip": fixed_ip}) from error
    subnet = next((subnet for subnet in subnets if wanted in subnet.range), None)
    if subnet is None:
        raise BadRequest(
            _("Fixed IP %(fixed_ip)s is not a valid ip address for network %(network)s.")
            % {"fixed_ip": fixed_ip, "network": port.network_id}
        )
    addressing.assign_exactly(port, subnet, fixed_ip)


def _adopt(card: _Card) -> Port:
    """Give a port that exists to the device, by one conditional UPDATE."""
    port_id = card.item["port"]
    port = Port.objects.filter(pk=port_id, project_id=card.project_id).first() if _is_uuid(port_id) else None
    if port is None:
        raise BadRequest(_("Port id %(port)s could not be found.") % {"port": port_id})
    if not port.fixed_addresses.exists():
        raise BadRequest(_("Port %(port)s requires a FixedIP in order to be used.") % {"port": port.id})
    taken = Port.objects.filter(pk=port.pk, device_id="").update(preserve_on_delete=True, **card.columns())
    if not taken:
        raise Conflict(_("Port %(port)s is still in use.") % {"port": port.id})
    port.refresh_from_db()
    return port


def _is_uuid(value: Any) -> bool:
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
