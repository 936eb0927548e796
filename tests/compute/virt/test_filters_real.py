"""The filters of ports on a real kernel: a bridge and two guests that are network namespaces, in a namespace of their own."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from compute.virt.filtering import GroupSpec, PairSpec, PortFilter, RuleSpec
from compute.virt.libvirt import ruleset
from compute.virt.naming import tap

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

TABLE = "nebulet_test"
# Sends echo requests of one conversation from an address and tells each answer; fails when there was none.
PING = """\
import socket, struct, sys, time
to, source, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
line.settimeout(0.7 if count == 1 else 0.1)
line.bind((source, 0))
heard = 0
for number in range(count):
    body = struct.pack("!HH", 7, number)
    total = 0x0800 + 7 + number
    line.sendto(struct.pack("!BBH", 8, 0, 0xFFFF - total) + body, (to, 0))
    try:
        while line.recv(100)[20] != 0:
            pass
        heard += 1
        print("answer", flush=True)
    except TimeoutError:
        pass
    time.sleep(0.05)
sys.exit(not heard)
"""
HOST = "10.5.0.1"
OUT = RuleSpec("egress")


class World:
    """A host with the bridge ``nbr-t`` and guests ``a`` and ``b`` on it, each behind the device of its port."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ports = {
            guest: PortFilter(str(uuid.uuid4()), 0, f"fa:16:3e:00:00:0{n}", [f"10.5.0.1{n}"], [f"group-{guest}"])
            for n, guest in enumerate("ab")
        }
        self.groups = {f"group-{guest}": GroupSpec(f"group-{guest}", 0, [OUT], self.ports[guest].addresses) for guest in "ab"}

    def build(self) -> None:
        run("ip", "netns", "add", self.name)
        self.on_host("ip", "link", "add", "nbr-t", "type", "bridge", "forward_delay", "0")
        self.on_host("ip", "addr", "add", f"{HOST}/24", "dev", "nbr-t")
        self.on_host("ip", "link", "set", "nbr-t", "up")
        self.on_host("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
        for guest, port in self.ports.items():
            run("ip", "netns", "add", f"{self.name}{guest}")
            device = tap(port.port_id)
            self.on_host("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", f"{self.name}{guest}")
            self.on_host("ip", "link", "set", device, "master", "nbr-t", "up")
            self.on(guest, "ip", "link", "set", "lo", "up")
            self.on(guest, "ip", "link", "set", "eth0", "address", port.mac, "up")
            self.on(guest, "ip", "addr", "add", f"{port.addresses[0]}/24", "dev", "eth0")
        self.nft(ruleset.base(TABLE))
        for group in self.groups.values():
            self.nft(ruleset.group(TABLE, group))
        for port in self.ports.values():
            self.nft(ruleset.port(TABLE, port))

    def remove(self) -> None:
        for name in (self.name, *(f"{self.name}{guest}" for guest in self.ports)):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def on_host(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return run("ip", "netns", "exec", self.name, *words, text=text)

    def on(self, guest: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("ip", "netns", "exec", f"{self.name}{guest}", *words, check=check)

    def nft(self, lines: list[str]) -> None:
        self.on_host("nft", "-f", "-", text="\n".join([*lines, ""]))

    def rules(self, group: str, *rules: RuleSpec) -> None:
        """Give a group these rules, as they would come from the cloud."""
        self.groups[group] = replace(self.groups[group], rules=[OUT, *rules])
        self.nft(ruleset.group(TABLE, self.groups[group]))

    def pings(self, guest: str, to: str, source: str = "0.0.0.0") -> bool:
        return self.on(guest, sys.executable, "-c", PING, to, source, "1", check=False).returncode == 0

    def host_pings(self, to: str) -> bool:
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", PING, to, "0.0.0.0", "1"]
        return run(*words, check=False).returncode == 0

    def connects(self, guest: str, to: str, port: int) -> bool:
        """Whether a TCP connection is answered, if only that nobody listens."""
        program = f"import socket\ntry: socket.create_connection(('{to}', {port}), 1)\nexcept ConnectionRefusedError: pass"
        return self.on(guest, sys.executable, "-c", program, check=False).returncode == 0

    def address(self, guest: str) -> str:
        return self.ports[guest].addresses[0]


def run(*words: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture
def world() -> Iterator[World]:
    assert Path("/proc/sys/net/bridge").exists(), "this kernel does not track bridged packets"
    world = World(f"n{uuid.uuid4().hex[:6]}")
    try:
        world.build()
        yield world
    finally:
        world.remove()


def test_nothing_comes_in_but_answers_to_what_went_out(world):
    assert world.pings("a", HOST)
    assert not world.host_pings(world.address("a"))
    assert not world.pings("a", world.address("b"))
    assert not world.connects("a", world.address("b"), 22)


def test_a_rule_opens_and_closes_at_once(world):
    a, b = world.address("a"), world.address("b")
    world.rules("group-b", RuleSpec("ingress", 6, 20, 22, prefix=f"{a}/32"))
    assert world.connects("a", b, 22)
    assert not world.connects("a", b, 23)
    assert not world.connects("b", a, 22)
    assert not world.pings("a", b)

    world.rules("group-b", RuleSpec("ingress", 1, 8, 0))
    assert world.pings("a", b)
    assert world.host_pings(b)
    assert not world.connects("a", b, 22)

    world.rules("group-b")
    assert not world.pings("a", b)


def test_a_connection_ends_with_the_rule_that_let_it_in(world):
    world.rules("group-b", RuleSpec("ingress", 1))
    words = ["ip", "netns", "exec", f"{world.name}a", sys.executable, "-c", PING, world.address("b"), "0.0.0.0", "15"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as pinging:
        assert pinging.stdout is not None
        assert "answer" in pinging.stdout.readline()
        world.rules("group-b")
        rest = pinging.stdout.read()
    assert rest.count("answer") <= 3, rest


def test_members_of_a_named_group_come_in_and_others_do_not(world):
    world.rules("group-b", RuleSpec("ingress", group_id="group-a"))
    assert world.pings("a", world.address("b"))
    assert not world.host_pings(world.address("b"))

    world.groups["group-a"] = replace(world.groups["group-a"], members=[])
    world.nft(ruleset.group(TABLE, world.groups["group-a"]))
    assert not world.pings("a", world.address("b"))


def test_what_a_guest_may_send_is_said_by_its_groups_too(world):
    world.groups["group-a"] = replace(world.groups["group-a"], rules=[RuleSpec("egress", 1, prefix=f"{HOST}/32")])
    world.nft(ruleset.group(TABLE, world.groups["group-a"]))
    world.rules("group-b", RuleSpec("ingress"))
    assert world.pings("a", HOST)
    assert not world.pings("a", world.address("b"))
    assert not world.connects("a", HOST, 22)


def test_no_guest_speaks_with_anothers_address(world):
    world.rules("group-b", RuleSpec("ingress"))
    world.on("a", "ip", "addr", "add", "10.5.0.99/24", "dev", "eth0")
    assert not world.pings("a", HOST, "10.5.0.99")
    assert world.pings("a", HOST)

    paired = replace(world.ports["a"], pairs=[PairSpec(world.ports["a"].mac, "10.5.0.96/28")])
    world.nft(ruleset.port(TABLE, paired, world.ports["a"]))
    assert world.pings("a", HOST, "10.5.0.99")

    world.nft(ruleset.port(TABLE, world.ports["a"], paired))
    assert not world.pings("a", HOST, "10.5.0.99")
    world.on("a", "ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:77")
    assert not world.pings("a", HOST)


def test_an_unfiltered_port_does_as_it_likes(world):
    free = replace(world.ports["a"], on=False)
    world.nft(ruleset.port(TABLE, free, world.ports["a"]))
    world.on("a", "ip", "addr", "add", "10.5.0.99/24", "dev", "eth0")
    assert world.pings("a", HOST, "10.5.0.99")
    assert world.host_pings(world.address("a"))


def test_everything_can_be_said_twice_and_taken_away_without_a_trace(world):
    empty = world.on_host("nft", "list", "ruleset").stdout
    for _ in range(2):
        world.nft(ruleset.base(TABLE))
        for group in world.groups.values():
            world.nft(ruleset.group(TABLE, group))
        for port in world.ports.values():
            world.nft(ruleset.port(TABLE, port))
    assert world.on_host("nft", "list", "ruleset").stdout == empty
    for _ in range(2):
        for port in world.ports.values():
            world.nft(ruleset.without_port(TABLE, port))
        world.nft(ruleset.without_groups(TABLE, sorted(world.groups)))
    left = world.on_host("nft", "list", "ruleset").stdout
    assert not any(tap(port.port_id) in left or port.port_id.replace("-", "") in left for port in world.ports.values())
    world.nft(ruleset.remove(TABLE))
    assert world.on_host("nft", "list", "ruleset").stdout == ""
