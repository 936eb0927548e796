"""No guest speaks with another's address or to services of its host, and nothing passes its card but what its groups let through.

One nftables table per installation and family; what it says is in ``ruleset``. libvirt's own filter (libvirt:
formatnwfilter.html, ``clean-traffic``) stops spoofing with dozens of ebtables calls at each start and stop, more than a second for
each; here it is one call of a few milliseconds. Hosts without nftables fall back to it, have no security groups, and are open to their guests.
"""

import logging
import re
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from compute.virt.errors import DriverError
from compute.virt.filtering import GroupSpec, PortFilter
from compute.virt.libvirt import ruleset
from compute.virt.libvirt.filter_store import FilterStore
from compute.virt.libvirt.metadata import Port

LOG = logging.getLogger(__name__)

_REMEMBERED = 10_000
BRIDGED_PACKETS = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


class Guard:
    """The tables of one installation; ``folder`` keeps what it was told. Adding or removing twice is harmless.

    ``reachable`` are services of this host that guests may use, such as ``tcp/3142``.
    """

    def __init__(self, installation: str, folder: Path, reachable: Iterable[str] = ()) -> None:
        self._name = "nebulet_" + re.sub(r"[^a-z0-9]", "_", installation.lower())
        self._lock = threading.RLock()
        self._store = FilterStore(folder)
        self._reachable = tuple(reachable)
        self._bridges: set[str] = set()
        self._left: OrderedDict[str, PortFilter | None] = OrderedDict()

    def install(self) -> bool:
        """Put the rules in place, keeping what is guarded already; False when this host cannot."""
        try:
            with self._lock:
                self._track_bridged_packets()
                self._nft(self._everything())
        except DriverError as error:
            LOG.warning(
                "nftables cannot guard guests here (%s); libvirt's slower filter does, and nothing keeps them from this host",
                error,
            )
            return False
        return True

    def allow(self, ports: Iterable[Port]) -> None:
        """Let each port speak with its own addresses and no other, filtered as it was told last; its bridge is guarded too."""
        with self._lock:
            known = [(port, self._store.ports.get(port.id)) for port in ports]
            found = {port.bridge for port, _spec in known}
            self._bridges |= found
            lines = [line for port, spec in known for line in (ruleset.port(self._name, spec) if spec else self._plain(port))]
            self._change([*ruleset.bridges(self._name, found), *lines])

    def filter(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        """Filter these ports by these groups from now on. News of a port may come before the port itself."""
        with self._lock:
            news = [self._left.pop(port.port_id, None) for port in ports]
            changes = self._store.merge([*ports, *filter(None, news)], groups)
            lines = [line for group in changes.groups for line in ruleset.group(self._name, group)]
            lines += [line for port, before in changes.ports for line in ruleset.port(self._name, port, before)]
            self._change(lines)

    def hear(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        """Filter these ports from now on, as ``filter`` does. News of one that left is kept back until it comes again."""
        with self._lock:
            for port in ports:
                if port.port_id in self._left:
                    self._left[port.port_id] = port
            self.filter([port for port in ports if port.port_id not in self._left], groups)

    def forget(self, ports: Iterable[Port]) -> None:
        """Take ports that are gone off the table, and groups that nobody needs any more."""
        with self._lock:
            for port in ports:
                known = self._store.forget(port.id)
                self._left[port.id] = None
                while len(self._left) > _REMEMBERED:
                    self._left.popitem(last=False)
                # A port of before may be on the table with what its definition says.
                self._change(ruleset.without_port(self._name, known or _unfiltered(port)))
            gone = self._store.forget_unused()
            if gone:
                self._change(ruleset.without_groups(self._name, gone))

    def remove(self) -> None:
        """Take the tables away."""
        self._nft(ruleset.remove(self._name))

    def _everything(self) -> list[str]:
        groups = [line for group in self._store.groups.values() for line in ruleset.group(self._name, group)]
        ports = [line for port in self._store.ports.values() for line in ruleset.port(self._name, port)]
        base = ruleset.base(self._name, self._reachable)
        return [*base, *ruleset.bridges(self._name, self._bridges), *groups, *ports]

    def _plain(self, port: Port) -> list[str]:
        """Return the rules of a port of which only its addresses are known: they alone are guarded."""
        lines = ruleset.port(self._name, _unfiltered(port))
        names = ("taps", "cards", "addresses")
        return [line for line in lines if line.startswith(tuple(f"add element bridge {self._name} {name} " for name in names))]

    def _change(self, lines: list[str]) -> None:
        """Change the tables; when somebody flushed the host's rules, put all of ours back first."""
        if not lines:
            return
        try:
            self._nft(lines)
        except DriverError:
            self._nft(self._everything())
            self._nft(lines)

    def _track_bridged_packets(self) -> None:
        """Have connections between guests of one bridge tracked: without it their answers are not known as such."""
        try:
            if not BRIDGED_PACKETS.exists():
                subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False, timeout=30)
            if BRIDGED_PACKETS.read_text().strip() != "1":
                BRIDGED_PACKETS.write_text("1")
        except (OSError, subprocess.SubprocessError) as error:
            LOG.error("Guests on one bridge cannot answer each other, since this kernel has no br_netfilter: %s", error)

    def _nft(self, lines: list[str]) -> None:
        """Run a script as one transaction: all of it happens, or none."""
        try:
            done = subprocess.run(
                ["nft", "-f", "-"],
                input="\n".join([*lines, ""]),
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DriverError(f"nft cannot be used: {error}.") from error
        if done.returncode != 0:
            raise DriverError(f"nft refused: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}.")


class NoGuard(Guard):
    """For hypervisors without real network cards, such as libvirt's test driver."""

    def _track_bridged_packets(self) -> None:
        return None

    def _nft(self, lines: list[str]) -> None:
        return None


def _unfiltered(port: Port) -> PortFilter:
    return PortFilter(port.id, 0, port.mac, port.addresses)
