"""Leads what guests send to 169.254.169.254 to the server of their bridge, and bounds how often they may ask.

nftables rewrites the destination, so the host itself never has that address: a host that is a guest of another cloud still reaches
the metadata service of its own.
"""

import logging
import re
import subprocess
from collections.abc import Collection

LOG = logging.getLogger(__name__)

ADDRESS = "169.254.169.254"
_PER_SECOND, _BURST = 50, 100

_RULES = """\
add table ip {name}
add set ip {name} bridges {{ type ifname; }}
add set ip {name} askers {{ type ifname . ipv4_addr; flags dynamic; timeout 1m; size 65535; }}
add chain ip {name} entrance {{ type filter hook prerouting priority raw; policy accept; }}
add chain ip {name} redirection {{ type nat hook prerouting priority dstnat; policy accept; }}
flush chain ip {name} entrance
flush chain ip {name} redirection
flush set ip {name} bridges
add rule ip {name} entrance iifname @bridges fib daddr type local tcp dport {port} drop
add rule ip {name} entrance iifname @bridges ip daddr {address} tcp dport 80 tcp flags & (syn | ack) == syn \
update @askers {{ iifname . ip saddr limit rate over {rate}/second burst {burst} packets }} drop
add rule ip {name} redirection iifname @bridges ip daddr {address} tcp dport 80 redirect to :{port}
"""


class Doorway:
    """The rules of one installation. Putting them in place twice is harmless."""

    def __init__(self, installation: str, port: int) -> None:
        self._name = f"nebulet_{re.sub(r'[^a-z0-9]', '_', installation.lower())}_metadata"
        self._port = port

    def open(self, bridges: Collection[str]) -> bool:
        """Lead these bridges to the server and no others; False when this host cannot."""
        rules = _RULES.format(name=self._name, port=self._port, address=ADDRESS, rate=_PER_SECOND, burst=_BURST)
        elements = "".join(f'add element ip {self._name} bridges {{ "{bridge}" }}\n' for bridge in sorted(bridges))
        return self._nft(rules + elements)

    def close(self) -> None:
        """Take the rules away."""
        self._nft(f"add table ip {self._name}\ndelete table ip {self._name}\n")

    def _nft(self, script: str) -> bool:
        try:
            done = subprocess.run(["nft", "-f", "-"], input=script, capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            LOG.warning("nft cannot be used, so guests have no metadata service here: %s", error)
            return False
        if done.returncode:
            LOG.warning("nft refused, so guests have no metadata service here: %s", done.stderr.strip().partition("\n")[0])
        return not done.returncode
