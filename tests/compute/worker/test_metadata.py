"""The metadata service of a host: guests ask over real sockets, the control plane is a small server of the test."""

import base64
import http.client
import json
import socket
import threading
import time
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from compute.virt.driver import Card, never
from compute.virt.fake import FakeDriver
from compute.virt.instance_data import InstanceData
from compute.worker.metadata import paths
from compute.worker.metadata.doorway import Doorway
from compute.worker.metadata.server import BridgeServer
from compute.worker.metadata.service import Metadata
from compute.worker.metadata.source import Source, Unavailable
from portal.core import signing
from tests.compute.virt import samples

KEY = b"k" * 40
# Guests of the loopback device: their addresses are real ones of this machine.
FIRST, SECOND = "127.0.0.5", "127.0.0.6"


class ControlPlane(ThreadingHTTPServer):
    """Tells each server its own id, and counts how often it is asked."""

    def __init__(self):
        self.asked, self.passwords, self.status = [], [], 200
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        ticket = signing.unseal(KEY, "instance-data", self.headers["X-Nebulet-Ticket"], 30)
        self.server.asked.append(ticket)
        data = InstanceData(meta_data={"uuid": ticket["server"]}, ec2_data={"instance-id": "i-1"})
        self.say(json.dumps(asdict(data)).encode())

    def do_POST(self):
        self.server.passwords.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.say(b"")

    def say(self, body):
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture
def control():
    plane = ControlPlane()
    yield plane
    plane.shutdown()
    plane.server_close()


@pytest.fixture
def driver(tmp_path):
    """Two guests of one bridge, which is the loopback device."""
    fake = FakeDriver(tmp_path)
    net = samples.network(bridge="lo")
    for number, address in enumerate((FIRST, SECOND)):
        card = replace(samples.interface(number, net, port_id=f"port-{number}"), addresses=[address])
        fake.spawn(samples.guest(server_id=f"server-{number}", interfaces=[card]), None, samples.ignore, never)
    return fake


@pytest.fixture
def service(driver, control):
    made = BridgeServer("lo", 0, driver.card_at, Source(control.url, KEY, "host-1"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ask(service):
    def ask(path, source=FIRST, method="GET", body=None, headers=None):
        link = http.client.HTTPConnection("127.0.0.1", service.server_port, timeout=5, source_address=(source, 0))
        link.request(method, path, body=body, headers=headers or {})
        answer = link.getresponse()
        try:
            return answer.status, answer.read()
        finally:
            link.close()

    return ask


def uuid_of(answer):
    status, body = answer
    assert status == 200
    return json.loads(body)["uuid"]


def test_each_guest_hears_of_itself_alone(ask):
    assert uuid_of(ask("/openstack/latest/meta_data.json", FIRST)) == "server-0"
    assert uuid_of(ask("/openstack/latest/meta_data.json", SECOND)) == "server-1"


def test_what_a_guest_says_of_itself_changes_nothing(ask):
    forged = {
        "X-Forwarded-For": SECOND,
        "X-Real-IP": SECOND,
        "Forwarded": f"for={SECOND}",
        "X-Instance-ID": "server-1",
        "X-Tenant-ID": "p",
        "X-Instance-ID-Signature": "s",
        "Host": SECOND,
    }

    assert uuid_of(ask("/openstack/latest/meta_data.json?instance=server-1", FIRST, headers=forged)) == "server-0"


def test_a_stranger_and_the_host_itself_hear_nothing(ask, control):
    assert ask("/openstack/latest/meta_data.json", "127.0.0.1")[0] == 404
    assert control.asked == []


def test_a_guest_that_took_over_an_address_hears_nothing_of_the_one_before(ask, driver):
    ask("/openstack/latest/meta_data.json")
    driver.destroy("server-0")
    assert ask("/openstack/latest/meta_data.json")[0] == 404
    card = replace(samples.interface(9, samples.network(bridge="lo"), port_id="port-9"), addresses=[FIRST])
    driver.spawn(samples.guest(server_id="server-9", interfaces=[card]), None, samples.ignore, never)

    assert uuid_of(ask("/openstack/latest/meta_data.json")) == "server-9"


def test_an_address_counts_only_on_its_own_bridge(driver):
    assert driver.card_at("lo", FIRST) == Card("server-0", "port-0")
    assert driver.card_at("other", FIRST) is None


def test_the_control_plane_is_asked_once_for_many_questions(ask, control):
    for _ in range(5):
        ask("/latest/meta-data/instance-id")

    [ticket] = control.asked
    assert {name: ticket[name] for name in ("host", "server", "port", "deed")} == {
        "host": "host-1",
        "server": "server-0",
        "port": "port-0",
        "deed": "read",
    }


def test_what_was_true_before_is_better_than_nothing(control):
    now = [0.0]
    source, card = Source(control.url, KEY, "host-1", clock=lambda: now[0]), Card("server-0", "port-0")
    source.data(card)
    control.status = 503
    now[0] = 100.0
    assert source.data(card).meta_data == {"uuid": "server-0"}
    now[0] = 1_000.0
    with pytest.raises(Unavailable):
        source.data(card)


def test_a_server_that_is_gone_is_not_remembered(control):
    now = [0.0]
    source, card = Source(control.url, KEY, "host-1", clock=lambda: now[0]), Card("server-0", "port-0")
    source.data(card)
    control.status, now[0] = 404, 100.0

    assert source.data(card) is None
    control.status = 503
    with pytest.raises(Unavailable):
        source.data(card)


def test_a_guest_leaves_its_sealed_password(ask, control):
    address = "/openstack/2013-04-04/password"
    assert ask(address, method="POST", body=b"sealed") == (200, b"")
    assert control.passwords == [b"sealed"]
    assert ask(address, method="POST", body=b"x" * 4_081)[0] == 400
    assert ask("/openstack/2012-08-10/password", method="POST", body=b"x")[0] == 404
    assert ask("/latest/user-data", method="POST", body=b"x")[0] == 404
    assert ask(address, "127.0.0.1", method="POST", body=b"x")[0] == 404
    control.status = 409
    assert ask(address, method="POST", body=b"other")[0] == 409


@pytest.mark.parametrize(
    "path",
    ["/openstack/../../etc/passwd", "//etc/passwd", "/openstack/latest/meta_data.json/x", "/latest/meta-data/_name", "/x"],
)
def test_no_path_leads_elsewhere(ask, path):
    assert ask(path)[0] == 404


@pytest.mark.parametrize("words", [b"GARBAGE\r\n\r\n", b"DELETE / HTTP/1.0\r\n\r\n", b"GET " + b"x" * 70_000])
def test_what_is_no_question_is_refused(service, words):
    with socket.create_connection(("127.0.0.1", service.server_port), source_address=(FIRST, 0), timeout=5) as link:
        link.sendall(words)
        assert b" 200 " not in link.recv(4_096)


def test_one_guest_that_holds_connections_does_not_silence_another(service, ask):
    address = ("127.0.0.1", service.server_port)
    held = [socket.create_connection(address, source_address=(FIRST, 0), timeout=5) for _ in range(20)]
    try:
        assert uuid_of(ask("/openstack/latest/meta_data.json", SECOND)) == "server-1"
        ended = sum(link.recv(1) == b"" for link in held[8:])
        assert ended == 12
    finally:
        for link in held:
            link.close()


def test_a_question_that_drips_is_cut_off(service):
    service.longest_s = 0.3
    with socket.create_connection(("127.0.0.1", service.server_port), source_address=(FIRST, 0), timeout=5) as link:
        link.sendall(b"GET / HTT")
        began = time.monotonic()
        assert link.recv(1) == b""
    assert time.monotonic() - began < 3


def test_bridges_that_come_and_go_take_their_servers_with_them(driver, control):
    class Host(FakeDriver):
        def bridges(self):
            return here

    class Nowhere(Doorway):
        def open(self, bridges):
            led.append(set(bridges))
            return True

        def close(self):
            led.append(set())

    here, led = {"lo", "no-such-bridge"}, []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    host = Metadata(Host(driver._instances / "two"), Source(control.url, KEY, "h"), Nowhere("t", port), port)
    host.look()
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    here.clear()
    host.look()

    assert led == [{"lo"}, set()]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


DATA = InstanceData(
    meta_data={"uuid": "u"},
    network_data={"links": []},
    vendor_data={"a": 1},
    ec2_data={
        "ami-launch-index": 0,
        "instance-id": "i-1",
        "security-groups": ["default", "web"],
        "placement": {"availability-zone": "nova"},
        "public-keys": {"0": {"_name": "0=mine", "openssh-key": "ssh-ed25519 AAAA"}},
    },
    user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
    files={"0000": base64.b64encode(b"hi").decode()},
    password="sealed",
)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/openstack/latest/user_data", b"#!/bin/sh\n"),
        ("/openstack/2018-08-27/vendor_data2.json", b'{"static": {"a": 1}}'),
        ("/openstack/latest/password", b"sealed"),
        ("/openstack/latest/", b"meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json"),
        ("/openstack/2012-08-10", b"meta_data.json\nuser_data"),
        ("/openstack/content/0000", b"hi"),
        ("/2009-04-04/meta-data/instance-id", b"i-1"),
        ("/latest/meta-data/ami-launch-index", b"0"),
        ("/latest", b"meta-data/\nuser-data"),
        ("/ec2/latest/user-data", b"#!/bin/sh\n"),
        ("/latest/meta-data/", b"ami-launch-index\ninstance-id\nplacement/\npublic-keys/\nsecurity-groups"),
        ("/latest/meta-data/security-groups", b"default\nweb"),
        ("/latest/meta-data/placement/availability-zone", b"nova"),
        ("/latest/meta-data/public-keys", b"0=mine"),
        ("/latest/meta-data/public-keys/0/", b"openssh-key"),
        ("/latest/meta-data/public-keys/0/openssh-key", b"ssh-ed25519 AAAA"),
    ],
)
def test_documents_lie_where_cloud_init_looks_for_them(path, body):
    assert paths.look_up(DATA, path).body == body


@pytest.mark.parametrize(
    "path", ["/openstack/2012-08-10/network_data.json", "/openstack/2099-01-01", "/1999-01-01", "/latest/x"]
)
def test_what_a_version_does_not_have_is_not_there(path):
    assert paths.look_up(DATA, path) is None


def test_versions_are_listed():
    assert paths.look_up(DATA, "/").body.decode().splitlines() == list(paths.EC2_VERSIONS)
    assert paths.look_up(DATA, "/openstack").body.decode().splitlines()[-1] == "latest"
    assert paths.look_up(replace(DATA, user_data=None), "/latest/user-data") is None
