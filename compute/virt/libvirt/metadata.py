"""What a definition tells about a guest of ours, read back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from compute.virt.driver import Card
from compute.virt.libvirt.domain_xml import OURS
from compute.virt.libvirt.markup import E, read, render

_NS = {"o": OURS}


@dataclass(frozen=True)
class Port:
    """One network card as it must be guarded and, in the end, given back."""

    id: str
    mac: str
    addresses: list[str]
    network: str
    bridge: str
    gateway: str


def installation(definition: str) -> str | None:
    """Return the name of the installation that made this guest, or None for a stranger's."""
    found = read(definition).find(".//o:guest/o:installation", _NS)
    return None if found is None else found.text


def ports(definition: str) -> list[Port]:
    """Return the guest's network cards."""
    found = read(definition).iterfind(".//o:guest/o:port", _NS)
    return [port({str(name): str(value) for name, value in one.attrib.items()}) for one in found]


def port(noted: Mapping[str, str]) -> Port:
    """Return the network card that ``domain_xml.port_attributes`` noted."""
    return Port(
        id=noted.get("id", ""),
        mac=noted.get("mac", ""),
        addresses=noted.get("addresses", "").split(),
        network=noted.get("network", ""),
        bridge=noted.get("bridge", ""),
        gateway=noted.get("gateway", ""),
    )


def guest(installation: str, ports: Iterable[Port]) -> str:
    """Return what libvirt is to keep of a guest of ours, in place of what it kept; it adds the namespace by itself."""
    cards = [E.port(**asdict(one) | {"addresses": " ".join(one.addresses)}) for one in ports]
    return render(E.guest(E.installation(installation), *cards))


def card_at(definitions: Iterable[tuple[str, str]], bridge: str, address: str) -> Card | None:
    """Return whose card has an address on a bridge, of guests given as server id and definition."""
    for server_id, definition in definitions:
        for port in ports(definition):
            if port.bridge == bridge and address in port.addresses:
                return Card(server_id, port.id)
    return None


def display_socket(definition: str) -> str | None:
    """Return the path of the running guest's VNC socket (libvirt: formatdomain.html#graphical-framebuffers)."""
    found = read(definition).find("./devices/graphics[@type='vnc']/listen[@type='socket']")
    return None if found is None else found.get("socket")


def addresses_on_buses(definition: str) -> dict[str, str]:
    """Return the PCI address of each network card by its hardware address (libvirt: formatdomain.html#device-addresses)."""
    found = {}
    for card in read(definition).iterfind("./devices/interface"):
        mac, place = card.find("mac"), card.find("address[@type='pci']")
        if mac is not None and place is not None:
            domain, bus, slot, function = (int(place.get(name, "0"), 16) for name in ("domain", "bus", "slot", "function"))
            found[mac.get("address", "")] = f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
    return found


def serial_socket(definition: str) -> str | None:
    """Return the path of the socket of the first serial port; a guest made by an older version has none."""
    found = read(definition).find("./devices/serial[@type='unix']/source")
    return None if found is None else found.get("path")
