"""No guest speaks with another's address: one nftables table per installation, one element per address.

libvirt's own filter (libvirt: formatnwfilter.html, ``clean-traffic``) says the same with dozens of ebtables calls at each start
and stop, more than a second for each; here it is one call of a few milliseconds. Hosts without nftables fall back to it.
"""

import logging
import re
import subprocess
import threading
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address

from compute.virt.errors import DriverError
from compute.virt.libvirt.metadata import Port
from compute.virt.naming import tap

LOG = logging.getLogger(__name__)

_RULES = """\
add table bridge {name}
add set bridge {name} taps {{ type ifname; }}
add set bridge {name} cards {{ type ifname . ether_addr; }}
add set bridge {name} addresses {{ type ifname . ether_addr . ipv4_addr; }}
add chain bridge {name} entrance {{ type filter hook prerouting priority -300; policy accept; }}
add chain bridge {name} guest
flush chain bridge {name} entrance
flush chain bridge {name} guest
add rule bridge {name} entrance iifname @taps goto guest
add rule bridge {name} guest iifname . ether saddr != @cards drop
add rule bridge {name} guest ether type arp iifname . arp saddr ether . arp saddr ip @addresses accept
add rule bridge {name} guest ether type arp iifname . arp saddr ether @cards arp saddr ip 0.0.0.0 accept
add rule bridge {name} guest ether type ip udp sport 67 drop
add rule bridge {name} guest ether type ip iifname . ether saddr . ip saddr @addresses accept
add rule bridge {name} guest ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
add rule bridge {name} guest drop
"""


class Guard:
    """The table of one installation. Adding or removing twice is harmless."""

    def __init__(self, installation: str) -> None:
        self._name = "nebulet_" + re.sub(r"[^a-z0-9]", "_", installation.lower())
        self._lock = threading.Lock()

    def install(self) -> bool:
        """Put the rules in place, keeping what is guarded already; False when this host cannot."""
        try:
            self._nft(_RULES.format(name=self._name))
        except DriverError as error:
            LOG.warning("nftables cannot guard guests here (%s); libvirt's slower filter does", error)
            return False
        return True

    def allow(self, ports: Iterable[Port]) -> None:
        """Let each port speak with its own addresses and no other."""
        commands = [line for port in ports for line in self._elements("add", port)]
        self._change(commands)

    def forget(self, ports: Iterable[Port]) -> None:
        """Take ports that are gone off the table."""
        for port in ports:
            # What is not there cannot be deleted, so it is added first; the whole script is one transaction.
            self._change([*self._elements("add", port), *self._elements("delete", port)])

    def remove(self) -> None:
        """Take the whole table away."""
        self._nft(f"add table bridge {self._name}\ndelete table bridge {self._name}")

    def _change(self, commands: list[str]) -> None:
        """Change elements; when somebody flushed the host's rules, put ours back first."""
        if not commands:
            return
        try:
            self._nft("\n".join(commands))
        except DriverError:
            self._nft(_RULES.format(name=self._name))
            self._nft("\n".join(commands))

    def _elements(self, verb: str, port: Port) -> list[str]:
        device = f'"{tap(port.id)}"'
        rows = {"taps": [device], "cards": [f"{device} . {port.mac}"], "addresses": []}
        for address in port.addresses:
            if isinstance(ip_address(address), IPv4Address):
                rows["addresses"].append(f"{device} . {port.mac} . {address}")
        return [f"{verb} element bridge {self._name} {name} {{ {row} }}" for name, found in rows.items() for row in found]

    def _nft(self, script: str) -> None:
        """Run a script as one transaction: all of it happens, or none."""
        with self._lock:
            try:
                done = subprocess.run(
                    ["nft", "-f", "-"], input=script, capture_output=True, text=True, check=False, timeout=30
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise DriverError(f"nft cannot be used: {error}.") from error
        if done.returncode != 0:
            raise DriverError(f"nft refused: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}.")


class NoGuard(Guard):
    """For hypervisors without real network cards, such as libvirt's test driver."""

    def _nft(self, script: str) -> None:
        return None
