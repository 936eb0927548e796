"""Gives a DHCP lease back in a guest's name, so that its address is free for the next guest at once.

A guest that is destroyed says no goodbye; dnsmasq would keep its address for an hour and refuse it to the port that has it now.
The message is DHCPRELEASE (RFC 2131, section 4.4.6), sent from the host into the guests' bridge.
"""

import logging
import socket
import struct
import uuid

LOG = logging.getLogger(__name__)

_SERVER_PORT = 67
_MAGIC = b"\x63\x82\x53\x63"


def release(bridge: str, server: str, mac: str, address: str) -> None:
    """Send the message; a bridge that is gone has no leases."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
            sender.sendto(message(server, mac, address), (server, _SERVER_PORT))
    except OSError as error:
        LOG.debug("No lease given back on %s: %s", bridge, error)


def message(server: str, mac: str, address: str) -> bytes:
    """Return the bytes of a DHCPRELEASE."""
    card = bytes.fromhex(mac.replace(":", ""))
    header = struct.pack("!BBBB", 1, 1, len(card), 0) + uuid.uuid4().bytes[:4] + bytes(4)
    addresses = socket.inet_aton(address) + bytes(12)
    options = _MAGIC + bytes((53, 1, 7)) + bytes((54, 4)) + socket.inet_aton(server) + b"\xff"
    return (header + addresses + card.ljust(16, b"\0") + bytes(64 + 128) + options).ljust(300, b"\0")
