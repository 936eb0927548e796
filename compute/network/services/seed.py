"""The network that is there at first start: shared, behind NAT, with DHCP."""

from ipaddress import IPv4Network
from pathlib import Path

from django.conf import settings
from django.db import transaction

from compute.network.models import Network, Subnet
from compute.network.models.network import bridge_name, new_uuid

NAME = "private"
CANDIDATES = (
    "10.180.0.0/24",
    "10.181.0.0/24",
    "10.182.0.0/24",
    "10.201.0.0/24",
    "172.30.10.0/24",
    "172.30.20.0/24",
    "192.168.210.0/24",
    "192.168.220.0/24",
)
ROUTES = Path("/proc/net/route")
_SMALLEST = 29


@transaction.atomic
def seed(project_id: str = "") -> Network:
    """Return the seeded network, made once; later calls change nothing. ``project_id`` owns it."""
    found = Network.objects.filter(name=NAME, shared=True).first()
    if found is not None:
        return found
    network_id = new_uuid()
    network = Network.objects.create(
        id=network_id, name=NAME, project_id=project_id, shared=True, bridge=bridge_name(network_id)
    )
    make_subnet(network, choose_range())
    return network


def make_subnet(network: Network, span: IPv4Network) -> Subnet:
    """Give the network a range: the first address is the gateway, the rest go to ports."""
    first, last = int(span.network_address), int(span.broadcast_address)
    if span.prefixlen > _SMALLEST:
        raise ValueError(f"The range {span} of a network must have room for ports: /{_SMALLEST} or larger.")
    return Subnet.objects.create(
        network=network,
        name=f"{network.name}-subnet",
        project_id=network.project_id,
        cidr=str(span),
        gateway_ip=str(span[1]),
        allocation_pools=[{"start": str(span[2]), "end": str(span[last - first - 1])}],
    )


def choose_range() -> IPv4Network:
    """Return the range that the settings name, or the first candidate that no route of this machine overlaps."""
    if settings.NETWORK_CIDR:
        return IPv4Network(settings.NETWORK_CIDR)
    taken = local_routes(ROUTES)
    spans = [IPv4Network(text) for text in CANDIDATES]
    free = [span for span in spans if not any(span.overlaps(route) for route in taken)]
    if not free:
        raise ValueError("Every usual range overlaps a route of this machine: set NEBULET_NETWORK_CIDR.")
    return free[0]


def local_routes(table: Path) -> list[IPv4Network]:
    """Return the networks that this machine routes, from the kernel's table; the default route is left out."""
    if not table.exists():
        return []
    routes = []
    for line in table.read_text().splitlines()[1:]:
        columns = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(columns[at]), "little") for at in (1, 7))
        if mask:
            routes.append(IPv4Network((destination & mask, mask.bit_count())))
    return routes
