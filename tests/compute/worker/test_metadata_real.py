"""The metadata service on a real bridge: a network namespace is the guest."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import replace

import pytest

from compute.virt.driver import never
from compute.virt.fake import FakeDriver
from compute.worker.metadata.doorway import Doorway
from compute.worker.metadata.service import Metadata
from compute.worker.metadata.source import Source
from tests.compute.virt import samples
from tests.compute.worker.test_metadata import KEY, ControlPlane

pytestmark = [
    pytest.mark.real,
    pytest.mark.hypervisor,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root and nftables"),
]

ASK = """
import sys, urllib.request, urllib.error
for address in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(address, timeout=3).read().decode())
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        print("no answer")
"""
FLOOD = """
import socket, sys
answered = 0
for _ in range(1500):
    try:
        socket.create_connection(("169.254.169.254", 80), timeout=0.02).close()
        answered += 1
    except OSError:
        pass
print(answered)
"""


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Host(FakeDriver):
    """Pretended guests on real bridges."""

    def bridges(self):
        return {self.bridge}


@pytest.fixture
def guest(tmp_path):
    """A namespace on a bridge of its own, with a second address that belongs to no guest."""
    name = f"t{uuid.uuid4().hex[:6]}"
    bridge, net = f"{name}br", samples.network(name, f"{name}br", octet=240)
    run("ip", "link", "add", bridge, "type", "bridge")
    run("ip", "address", "add", f"{net.gateway_ip}/24", "dev", bridge)
    run("ip", "link", "set", bridge, "up")
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"{name}v", "type", "veth", "peer", "name", "eth0", "netns", name)
    run("ip", "link", "set", f"{name}v", "master", bridge, "up")
    inside = ("ip", "netns", "exec", name)
    run(*inside, "ip", "address", "add", "10.231.240.10/24", "dev", "eth0")
    run(*inside, "ip", "address", "add", "10.231.240.66/24", "dev", "eth0")
    run(*inside, "ip", "link", "set", "eth0", "up")
    run(*inside, "ip", "route", "add", "default", "via", net.gateway_ip)
    host = Host(tmp_path)
    host.bridge = bridge
    card = replace(samples.interface(1, net, port_id="port-1"), addresses=["10.231.240.10"])
    host.spawn(samples.guest(interfaces=[card]), None, samples.ignore, never)
    plane, doorway = ControlPlane(), Doorway(name, 8775)
    service = Metadata(host, Source(plane.url, KEY, "h"), doorway, 8775)
    service.look()
    try:
        yield lambda code, *arguments: run(*inside, sys.executable, "-c", code, *arguments).strip()
    finally:
        plane.shutdown()
        run("ip", "netns", "delete", name)
        run("ip", "link", "delete", bridge)
        service.look()
        assert f"{name}_metadata" not in run("nft", "list", "tables")


def test_a_guest_reaches_the_service_at_its_famous_address_and_no_other_way(guest):
    told = guest(ASK, "http://169.254.169.254/openstack/latest/meta_data.json")

    assert json.loads(told)["uuid"] == samples.SERVER_ID
    assert guest(ASK, "http://10.231.240.1:8775/openstack") == "no answer"


def test_an_address_of_nobody_hears_nothing(guest):
    spoofed = ASK.replace("import sys,", "import socket, sys,").replace(
        "for address",
        "old = socket.socket.connect\ndef connect(self, where):\n    self.bind(('10.231.240.66', 0)); old(self, where)\n"
        "socket.socket.connect = connect\nfor address",
        1,
    )

    assert guest(spoofed, "http://169.254.169.254/openstack/latest/meta_data.json") == "404"


def test_the_host_keeps_the_address_of_its_own_cloud(guest):
    assert "169.254.169.254" not in run("ip", "-4", "address")


def test_a_flood_is_bounded_before_it_reaches_the_service(guest):
    began = time.monotonic()
    answered = int(guest(FLOOD))

    assert answered <= 100 + 60 * (time.monotonic() - began)
    assert answered < 1_400
