"""The networks of the guests, made when the first guest needs them, and the address that each card gets.

Fixed addresses are files that dnsmasq reads as they appear (``dhcp-hostsdir``). libvirt could be told of each
(virNetworkUpdate), but it writes the host's firewall anew each time: half a second, and a gap for everybody on the network.
libvirt: formatnetwork.html#network-namespaces
"""

import logging
import os
import signal
import threading
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import libvirt

from compute.virt.driver import NetworkSpec
from compute.virt.errors import DriverError
from compute.virt.libvirt import leases
from compute.virt.libvirt.connection import Connection, translated
from compute.virt.libvirt.markup import E, Element, maker, read, render, text
from compute.virt.libvirt.metadata import Port
from compute.virt.libvirt.storage import sentences

LOG = logging.getLogger(__name__)

DNSMASQ = "http://libvirt.org/schemas/network/dnsmasq/1.0"
_D = maker("dnsmasq", DNSMASQ)
_PIDS = Path("/run/libvirt/network")


class Networks:
    """The networks of one host; safe against any number of builds at once."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._lock = threading.Lock()

    def ensure(self, spec: NetworkSpec) -> None:
        """Make and start the network unless it runs."""
        with self._lock, translated():
            network = self._find(spec.name)
            if network is not None and not self._fits(network, spec):
                self._take_away(network, spec)
                network = None
            self._write_options(spec)
            if network is None:
                self._make_room(spec)
                network = self._connection.get().networkDefineXML(
                    definition(spec, self._hosts(spec.name), self._options(spec.name))
                )
                network.setAutostart(1)
                LOG.info("Network %s defined on bridge %s", spec.name, spec.bridge)
            self._start(network)

    def start(self, name: str) -> None:
        """Start a network that is known to libvirt, if it does not run."""
        with self._lock, translated():
            network = self._find(name)
            if network is not None:
                self._start(network)

    def bridges(self) -> set[str]:
        """Return the bridges of this installation's networks that run."""
        with translated():
            found = self._connection.get().listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE)
            return {network.bridgeName() for network in found if self._is_ours(network)}

    def _is_ours(self, network: libvirt.virNetwork) -> bool:
        return f"dhcp-hostsdir={self._hosts(network.name())}" in _options(read(network.XMLDesc()))

    def reserve(self, port: Port) -> None:
        """Have DHCP give the port's address to its card, and to no other."""
        for address in _v4(port):
            entry = self._hosts(port.network) / address
            content = f"{port.mac},{address}\n"
            with sentences():
                known = entry.read_text() if entry.exists() else None
                if known == content:
                    continue
                part = entry.with_name(f".{address}.part")
                part.write_text(content)
                part.chmod(0o644)
                part.rename(entry)
            if known is not None:
                self._reload(port.network)

    def release(self, port: Port) -> None:
        """Forget the port's address and give its lease back."""
        for address in _v4(port):
            entry = self._hosts(port.network) / address
            with sentences():
                if entry.exists() and entry.read_text().startswith(port.mac):
                    entry.unlink(missing_ok=True)
                    self._reload(port.network)
            leases.release(port.bridge, port.gateway, port.mac, address)

    def _hosts(self, name: str) -> Path:
        return self._folder / name

    def _options(self, name: str) -> Path:
        return self._folder / f"{name}.options"

    def _write_options(self, spec: NetworkSpec) -> None:
        """Have guests be told what belongs to their network; those that have a lease hear of it when they renew it."""
        hosts, options = self._hosts(spec.name), self._options(spec.name)
        with sentences():
            for one in (self._folder, hosts, options):
                one.mkdir(parents=True, exist_ok=True)
                one.chmod(0o755)
            entry, content = options / "options", "".join(f"{line}\n" for line in spec.dhcp)
            if (entry.read_text() if entry.exists() else "") != content:
                entry.write_text(content)
                entry.chmod(0o644)
                self._reload(spec.name)

    def _make_room(self, spec: NetworkSpec) -> None:
        """Take networks of this installation away whose range this one has now: they were deleted from the cloud."""
        ours, span = spec.name.rpartition("-")[0], ip_network(spec.cidr)
        for network in self._connection.get().listAllNetworks():
            ip = read(network.XMLDesc()).find("./ip")
            if network.name().rpartition("-")[0] != ours or network.name() == spec.name or ip is None:
                continue
            if ip_network(f"{ip.get('address')}/{ip.get('netmask')}", strict=False).overlaps(span):
                self._take_away(network, spec)

    def _find(self, name: str) -> libvirt.virNetwork | None:
        try:
            return self._connection.get().networkLookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:
                return None
            raise

    def _fits(self, network: libvirt.virNetwork, spec: NetworkSpec) -> bool:
        known = read(network.XMLDesc())
        options = _options(known)
        ip, bridge = known.find("./ip"), known.find("./bridge")
        return (
            f"dhcp-hostsdir={self._hosts(spec.name)}" in options
            and (ip is not None and ip.get("address") == spec.gateway_ip)
            and (bridge is not None and bridge.get("name") == spec.bridge)
        )

    def _take_away(self, network: libvirt.virNetwork, spec: NetworkSpec) -> None:
        """Remove a network of this name that somebody else left here, unless guests are plugged into it."""
        bridge = network.bridgeName() if network.isActive() else ""
        if bridge and any(one.name.startswith(("tap", "vnet")) for one in Path(f"/sys/class/net/{bridge}/brif").glob("*")):
            raise DriverError(f"A network {spec.name} with other settings is in use on this host.")
        LOG.warning("Network %s was made with other settings; taking it away", network.name())
        if network.isActive():
            network.destroy()
        if network.isPersistent():
            network.undefine()

    def _start(self, network: libvirt.virNetwork) -> None:
        if network.isActive():
            return
        try:
            network.create()
        except libvirt.libvirtError as error:
            # libvirt has no code of its own for a range that the host has on another device or route.
            if "already in use by interface" not in error.get_error_message():
                raise
            ip = read(network.XMLDesc()).find("./ip")
            span = "" if ip is None else ip_network(f"{ip.get('address')}/{ip.get('netmask')}", strict=False)
            raise DriverError(f"The range {span} of the server's network is in use on this host already.") from error
        LOG.info("Network %s started", network.name())

    def _reload(self, name: str) -> None:
        """Have dnsmasq read all reservations again: it notices new files by itself, but not changed or removed ones."""
        try:
            pid = int((_PIDS / f"{name}.pid").read_text())
            if Path(f"/proc/{pid}/comm").read_text().strip() == "dnsmasq":
                os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError) as error:
            LOG.debug("dnsmasq of network %s was not told: %s", name, error)


def definition(spec: NetworkSpec, hosts: Path, options: Path) -> str:
    """Return the network's definition (libvirt: formatnetwork.html#nat-based-network, #isolated-network)."""
    leases = [E.dhcp(E.range(start=spec.dhcp_start, end=spec.dhcp_end))] if spec.leases else []
    network = E.network(
        E.name(text(spec.name)),
        E.uuid(spec.id),
        *([E.forward(mode="nat")] if spec.nat else []),
        E.bridge(name=text(spec.bridge), stp="off", delay="0"),
        E.mtu(size=str(spec.mtu)),
        E.ip(*leases, address=spec.gateway_ip, netmask=str(ip_network(spec.cidr).netmask)),
        _D.options(*(_D.option(value=f"{name}={folder}") for name, folder in _folders(hosts, options))),
    )
    return render(network)


def _folders(hosts: Path, options: Path) -> list[tuple[str, Path]]:
    return [("dhcp-hostsdir", hosts), ("dhcp-optsdir", options)]


def _options(network: Element) -> list[str]:
    return [one.get("value", "") for one in network.iterfind(f"./{{{DNSMASQ}}}options/{{{DNSMASQ}}}option")]


def _v4(port: Port) -> list[str]:
    return [address for address in port.addresses if isinstance(ip_address(address), IPv4Address)]
