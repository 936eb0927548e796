"""What a definition tells about a guest of ours, read back."""

from dataclasses import dataclass

from compute.virt.libvirt.domain_xml import OURS
from compute.virt.libvirt.markup import read

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
    return [
        Port(
            id=one.get("id", ""),
            mac=one.get("mac", ""),
            addresses=one.get("addresses", "").split(),
            network=one.get("network", ""),
            bridge=one.get("bridge", ""),
            gateway=one.get("gateway", ""),
        )
        for one in read(definition).iterfind(".//o:guest/o:port", _NS)
    ]


def display_socket(definition: str) -> str | None:
    """Return the path of the running guest's VNC socket (libvirt: formatdomain.html#graphical-framebuffers)."""
    found = read(definition).find("./devices/graphics[@type='vnc']/listen[@type='socket']")
    return None if found is None else found.get("socket")


def serial_socket(definition: str) -> str | None:
    """Return the path of the socket of the first serial port; a guest made by an older version has none."""
    found = read(definition).find("./devices/serial[@type='unix']/source")
    return None if found is None else found.get("path")
