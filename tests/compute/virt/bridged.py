"""A real bridge and two guests that are network namespaces, in a namespace of their own that stands for the host."""

import subprocess
import sys
import uuid
from dataclasses import replace

from compute.virt.filtering import GroupSpec, PortFilter, RuleSpec
from compute.virt.libvirt import ruleset
from compute.virt.naming import tap

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
# Tells the words of each datagram that came to one of the ports, until the last of them came; the last port is read last.
LISTEN = """\
import select, socket, sys
last, ports = sys.argv[1], sys.argv[2:]
lines = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
for line, port in zip(lines, ports):
    line.bind(("0.0.0.0", int(port)))
print("ready", flush=True)
heard = ""
while heard != last:
    ready = select.select(lines, [], [], 5)[0] or sys.exit("the last one did not come")
    heard = ready[0].recv(100).decode()
    print(heard, flush=True)
"""
SAY = """\
import socket, sys
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for word in sys.argv[1:]:
    to, port = word.split(":")
    line.sendto(word.encode(), (to, int(port)))
"""
# Tells each frame that comes to eth0 from the wire, in hexadecimal, until the last of them came.
SNIFF = """\
import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
line.bind(("eth0", 3))
line.settimeout(5)
print("ready", flush=True)
seen = ""
while seen != sys.argv[1]:
    seen = line.recv(2000).hex()
    print(seen, flush=True)
"""
SEND = """\
import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("eth0", 0))
for frame in sys.argv[1:]:
    line.send(bytes.fromhex(frame))
"""
HOST = "10.5.0.1"
OUTSIDE = "192.0.2.2"
OUT = RuleSpec("egress")


class World:
    """A host with the bridge ``nbr-t`` and guests ``a`` and ``b`` on it, each behind the device of its port.

    ``connect_outside`` gives it a second card, address 192.0.2.1, beyond which 192.0.2.2 is.
    """

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
        self.guard()

    def guard(self) -> None:
        """Put all rules in place, as a worker does that starts."""
        self.nft([*ruleset.base(TABLE), *ruleset.bridges(TABLE, ["nbr-t"])])
        for group in self.groups.values():
            self.nft(ruleset.group(TABLE, group))
        for port in self.ports.values():
            self.nft(ruleset.port(TABLE, port))

    def connect_outside(self) -> None:
        run("ip", "netns", "add", f"{self.name}o")
        self.on_host("ip", "link", "add", "wan", "type", "veth", "peer", "name", "eth0", "netns", f"{self.name}o")
        self.on_host("ip", "addr", "add", "192.0.2.1/24", "dev", "wan")
        self.on_host("ip", "link", "set", "wan", "up")
        self.on_host("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.on("o", "ip", "link", "set", "eth0", "up")
        self.on("o", "ip", "addr", "add", f"{OUTSIDE}/24", "dev", "eth0")
        self.on("o", "ip", "route", "add", "default", "via", "192.0.2.1")
        for guest in self.ports:
            self.on(guest, "ip", "route", "add", "default", "via", HOST)

    def remove(self) -> None:
        for name in (self.name, *(f"{self.name}{one}" for one in (*self.ports, "o"))):
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
        """Whether a TCP connection is answered, if only that nobody listens; of the host where ``guest`` is empty."""
        program = f"import socket\ntry: socket.create_connection(('{to}', {port}), 1)\nexcept ConnectionRefusedError: pass"
        return self.on(guest, sys.executable, "-c", program, check=False).returncode == 0

    def heard(self, guest: str, *words: str) -> list[str]:
        """Return which datagrams of a guest, given as ``address:port``, the host's programs hear; the last one has to come."""
        ports = dict.fromkeys(word.partition(":")[2] for word in reversed(words))
        return self._exchange("", [LISTEN, words[-1], *reversed(ports)], guest, [SAY, *words])

    def seen(self, by: str, guest: str, frames: dict[str, bytes]) -> list[str]:
        """Return the names of those frames of a guest that another one sees; the last one has to come."""
        names = {frame.hex(): name for name, frame in frames.items()}
        seen = self._exchange(by, [SNIFF, [*names][-1]], guest, [SEND, *names])
        return [names[frame] for frame in seen if frame in names]

    def _exchange(self, listener: str, listens: list[str], talker: str, talks: list[str]) -> list[str]:
        words = ["ip", "netns", "exec", f"{self.name}{listener}", sys.executable, "-c", *listens]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listening:
            assert listening.stdout is not None
            assert listening.stdout.readline() == "ready\n"
            self.on(talker, sys.executable, "-c", *talks)
            told, complaint = listening.communicate(timeout=30)
        assert listening.returncode == 0, f"{told}{complaint}"
        return told.split()

    def address(self, guest: str) -> str:
        return self.ports[guest].addresses[0]


def run(*words: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done
