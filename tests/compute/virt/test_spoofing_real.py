"""What a guest's card may send, frame by frame, on a real kernel; the other guest lets everything in."""

import socket
import struct
from dataclasses import replace

import pytest

from compute.virt.filtering import PairSpec, RuleSpec
from compute.virt.libvirt import ruleset
from tests.compute.virt.bridged import HOST, TABLE

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

ALL = "ff:ff:ff:ff:ff:ff"
NOBODY = "fa:16:3e:99:99:99"
ARP, IPV4, IPV6, VLAN = 0x0806, 0x0800, 0x86DD, 0x8100
ASKS, ANSWERS = 1, 2


def hardware(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


def inet6(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address)


def frame(to: str, source: str, kind: int, body: bytes) -> bytes:
    """Return an Ethernet frame; not filled up to the 60 bytes of a real wire, since bridges cut that off again."""
    return hardware(to) + hardware(source) + struct.pack("!H", kind) + body


def arp(deed: int, mac: str, address: str, target: str, *, source: str | None = None) -> bytes:
    """Return an ARP frame (RFC 826): ``mac`` has ``address``. ``source`` is who the frame says it comes from."""
    head = struct.pack("!HHBBH", 1, IPV4, 6, 4, deed)
    says = hardware(mac) + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    return frame(ALL, source or mac, ARP, head + says)


def datagram(mac: str, address: str, to: str, *, ports: tuple[int, int] = (4000, 4000)) -> bytes:
    """Return a broadcast UDP frame from one address to another, ``ports`` being from and to."""
    udp = struct.pack("!HHHH", *ports, 8, 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, socket.inet_aton(address), socket.inet_aton(to))
    total = sum(struct.unpack("!10H", head))
    checksum = 0xFFFF - (total & 0xFFFF) - (total >> 16)
    return frame(ALL, mac, IPV4, head[:10] + struct.pack("!H", checksum) + head[12:] + udp)


@pytest.fixture
def sent(world):
    """All that guest ``a`` tries, by name. The last frame is plain and its own, and so comes through."""
    mac, own, other = world.ports["a"].mac, world.address("a"), world.address("b")
    world.rules("group-b", RuleSpec("ingress"))
    router = struct.pack("!IHBB16s16sBxxx12x", 6 << 28, 16, 58, 255, inet6("fe80::1"), inet6("ff02::1"), 134)
    tagged = struct.pack("!HH", 7, ARP) + arp(ASKS, mac, own, other)[14:]
    return {
        "own question": arp(ASKS, mac, own, other),
        "own announcement": arp(ANSWERS, mac, own, own),
        "own probe": arp(ASKS, mac, "0.0.0.0", own),
        "question as another": arp(ASKS, mac, other, HOST),
        "announcement as the gateway": arp(ANSWERS, mac, HOST, HOST),
        "answer as nobody": arp(ANSWERS, mac, "10.5.0.99", other),
        "another's card in the words": arp(ANSWERS, world.ports["b"].mac, own, own, source=mac),
        "another's card on the frame": arp(ANSWERS, mac, own, own, source=NOBODY),
        "another's card on both": arp(ANSWERS, NOBODY, own, own),
        "own datagram": datagram(mac, own, other),
        "datagram as another": datagram(mac, other, other),
        "datagram as the gateway": datagram(mac, HOST, other),
        "datagram as nobody": datagram(mac, "0.0.0.0", other),
        "datagram from another's card": datagram(NOBODY, own, other),
        "looking for a DHCP server": datagram(mac, "0.0.0.0", "255.255.255.255", ports=(68, 67)),
        "DHCP offer": datagram(mac, own, "255.255.255.255", ports=(67, 68)),
        "DHCP offer as the gateway": datagram(mac, HOST, "255.255.255.255", ports=(67, 68)),
        "DHCP offer elsewhere": datagram(mac, own, other, ports=(67, 4000)),
        "router of IPv6": frame("33:33:00:00:00:01", mac, IPV6, router),
        "in a VLAN": frame(ALL, mac, VLAN, tagged),
        "unknown protocol": frame(ALL, mac, 0x88B5, b"anything"),
        "last": arp(ASKS, mac, own, "10.5.0.200"),
    }


OWN = ["own question", "own announcement", "own probe", "own datagram", "looking for a DHCP server", "last"]


def test_a_card_says_only_what_is_its_own(world, sent):
    assert world.seen("b", "a", sent) == OWN


def test_the_frames_that_are_dropped_are_good_ones(world, sent):
    for port in world.ports.values():
        world.nft(ruleset.port(TABLE, replace(port, on=False), port))

    # Who looks at frames is shown those of a VLAN without its tag.
    assert world.seen("b", "a", sent) == [{"in a VLAN": "own question"}.get(name, name) for name in sent]


def test_a_pair_lets_its_own_addresses_through_and_no_more(world, sent):
    paired = replace(
        world.ports["a"], pairs=[PairSpec(NOBODY, "10.5.0.10/32"), PairSpec(world.ports["a"].mac, "10.5.0.99/32")]
    )
    world.nft(ruleset.port(TABLE, paired, world.ports["a"]))

    more = {"answer as nobody", "another's card on the frame", "another's card on both", "datagram from another's card"}
    assert set(world.seen("b", "a", sent)) == {*OWN, *more}
