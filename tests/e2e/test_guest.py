"""The main path on real libvirt and QEMU: boot, log in, look, stop, start, reboot, delete, nothing left."""

import base64
import ipaddress
import json
import re
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
import websockets.sync.client as ws

from tests.e2e.cloud import Api, Cloud
from tests.e2e.guest import neighbour, ssh
from tests.e2e.test_consoles import view
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

KNOCK = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
USER_DATA = "#!/bin/sh\necho made-by-user-data > /tmp/proof\necho user data ran\n"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def guest(cloud, key):
    """A booted server with a key, user data, a security group of its own, and a name that would break careless XML."""
    api = Api(cloud)
    assert api.http.post("/network/v2.0/security-groups", json={"security_group": {"name": "alone"}}).status_code == 201
    body = {"keypair": {"name": "mine", "public_key": key.with_suffix(".pub").read_text()}}
    assert api.http.post("/compute/v2.1/os-keypairs", json=body).status_code in (200, 201)
    asked = {
        "key_name": "mine",
        "user_data": base64.b64encode(USER_DATA.encode()).decode(),
        "security_groups": [{"name": "alone"}],
    }
    server_id = api.create('web <b>&"01"</b>', metadata={"a": "<&>"}, **asked)
    server = api.wait(server_id)
    wait_for("the login prompt", lambda: "login:" in api.log(server_id), 90, every=1)
    yield server
    if api.http.get(f"/compute/v2.1/servers/{server_id}").status_code == 200:
        api.delete(server_id)


def fixed_address(server) -> str:
    return server["addresses"]["private"][0]["addr"]


def bridge_of(cloud: Cloud, domain: str) -> str:
    return next(line.split()[2] for line in cloud.virsh("domiflist", domain).splitlines() if line.strip())


def test_the_console_log_shows_kernel_address_and_prompt(api: Api, guest):
    log = api.log(guest["id"])
    assert "Linux version" in log
    assert fixed_address(guest) in log
    assert "login:" in log


def test_the_guest_has_the_address_key_name_and_user_data_it_was_given(cloud, api, guest, key):
    address = fixed_address(guest)
    network = ipaddress.ip_network(f"{address}/24", strict=False)
    with neighbour(bridge_of(cloud, cloud.domains()[0]), f"{network.broadcast_address - 1}/24") as space:
        assert ssh(space, key, address, "true").returncode != 0, "a new group lets nobody in"
        api.let_in("alone", protocol="tcp", port_range_min=22, port_range_max=22)
        shown = wait_for("ssh", lambda: out(ssh(space, key, address, "hostname; cat /tmp/proof; ip -4 addr show eth0")), 60)
        stranger = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key.parent / "other")], check=True)
        assert stranger.returncode == 0
        assert ssh(space, key.parent / "other", address, "true").returncode != 0
    assert "web-b01b" in shown
    assert "made-by-user-data" in shown
    assert address in shown


def out(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout if done.returncode == 0 else ""


def test_the_display_speaks_rfb_through_the_websocket_once(cloud, api, guest):
    answer = api.http.post(
        f"/compute/v2.1/servers/{guest['id']}/remote-consoles",
        json={"remote_console": {"protocol": "vnc", "type": "novnc"}},
        headers={"OpenStack-API-Version": "compute 2.6"},
    )
    assert answer.status_code == 200, answer.text
    token = token_of(answer.json()["remote_console"]["url"])
    address = f"{cloud.url.replace('http', 'ws')}/ws/vnc/?token={token}"
    with ws.connect(address, subprotocols=["binary"], origin=cloud.url) as socket:
        greeting = socket.recv(timeout=10)
        assert greeting[:4] == b"RFB "
    with pytest.raises(Exception), ws.connect(address, subprotocols=["binary"], origin=cloud.url) as again:
        again.recv(timeout=10)


def test_the_display_refuses_a_foreign_origin(cloud, api, guest):
    answer = api.act(guest["id"], "os-getVNCConsole", {"type": "novnc"})
    token = token_of(answer.json()["console"]["url"])
    address = f"{cloud.url.replace('http', 'ws')}/ws/vnc/?token={token}"
    with pytest.raises(Exception), ws.connect(address, subprotocols=["binary"], origin="http://evil.example") as socket:
        socket.recv(timeout=10)


def token_of(url: str) -> str:
    return re.split(r"token(?:=|%3D)", url)[-1]


def console(api: Api, server_id: str, protocol: str, kind: str) -> str:
    """Return the token of a new console."""
    answer = api.http.post(
        f"/compute/v2.1/servers/{server_id}/remote-consoles",
        json={"remote_console": {"protocol": protocol, "type": kind}},
        headers={"OpenStack-API-Version": "compute 2.6"},
    )
    assert answer.status_code == 200, answer.text
    return token_of(answer.json()["remote_console"]["url"])


def test_one_logs_in_at_the_serial_port_and_others_see_it(cloud, api, guest):
    def opened() -> Any:
        address = f"{cloud.url.replace('http', 'ws')}/ws/serial/?token={console(api, guest['id'], 'serial', 'serial')}"
        return ws.connect(address, subprotocols=["binary"])

    def read_until(socket: Any, word: bytes) -> bytes:
        seen = b""
        while word not in seen:
            seen += socket.recv(timeout=20)
        return seen

    with opened() as one, opened() as two:
        read_until(one, b"login:")
        one.send(b"\r")
        read_until(two, b"login:")
        two.send(b"tiny\r")
        read_until(one, b"assword:")
    wait_for("the prompt in the log", lambda: "assword:" in api.log(guest["id"]), 10)
    socket = cloud.state / "instances" / guest["id"] / "serial.sock"
    assert socket.is_socket()
    stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", KNOCK, str(socket)]
    assert subprocess.run(stranger, check=False).returncode != 0, "whoever else is on this machine does not get in"


def test_a_native_viewer_sees_the_screen_once(cloud, api, guest):
    page = httpx.get(f"{cloud.url}/console/viewer/?token={console(api, guest['id'], 'vnc', 'xvpvnc')}")
    password = re.search(r'id="viewer-password">(\w+)<', page.text).group(1)
    port = int(cloud.extra["NEBULET_VIEWER_PORT"])
    assert view(port, password)
    with pytest.raises(ConnectionError):
        view(port, password)


def test_stop_start_and_both_reboots(cloud, api, guest):
    server_id = guest["id"]
    assert api.act(server_id, "os-start").status_code == 409
    assert api.act(server_id, "os-stop").status_code == 202
    assert api.wait(server_id, "SHUTOFF")["OS-EXT-STS:power_state"] == 4
    assert api.act(server_id, "os-stop").status_code == 409
    assert api.act(server_id, "os-start").status_code == 202
    assert api.wait(server_id)["OS-EXT-STS:power_state"] == 1
    wait_for("the prompt after a start", lambda: "login:" in api.log(server_id), 90, every=1)
    kept = cloud.state / "instances" / server_id / "console-1.log"
    assert b"login:" in kept.read_bytes(), "the log of the boot before is kept"
    assert api.act(server_id, "reboot", {"type": "SOFT"}).status_code == 202
    api.wait(server_id, seconds=150)
    assert api.act(server_id, "reboot", {"type": "HARD"}).status_code == 202
    api.wait(server_id)


def test_a_guest_that_is_shut_off_outside_is_seen_as_stopped(cloud, api, guest):
    server_id = guest["id"]
    domain = next(name for name in cloud.domains() if server_id in cloud.virsh("domuuid", name))
    cloud.virsh("destroy", domain)
    api.wait(server_id, "SHUTOFF", 30)
    assert api.act(server_id, "os-start").status_code == 202
    api.wait(server_id)


def test_a_guest_that_powers_itself_off_is_seen_as_stopped_within_seconds(cloud, api, record_property):
    script = base64.b64encode(b"#!/bin/sh\nsleep 2\npoweroff -f\n").decode()
    server_id = api.create("goes-by-itself", user_data=script)
    api.wait(server_id)
    try:
        wait_for("its end", lambda: "shut off" in cloud.virsh("domstate", server_id), 90, every=0.05)
        began = time.monotonic()
        assert api.wait(server_id, "SHUTOFF", 5)["OS-EXT-STS:power_state"] == 4
        seen_after_s = round(time.monotonic() - began, 2)
        record_property("seen_after_s", seen_after_s)
        print(f"seen after {seen_after_s} s")
        assert seen_after_s < 5
    finally:
        api.delete(server_id)


def test_delete_leaves_nothing_behind(cloud, api, guest):
    server_id = guest["id"]
    api.delete(server_id)
    assert cloud.domains() == []
    assert not (cloud.state / "instances" / server_id).exists()
    network = next(name for name in cloud.virsh("net-list", "--all", "--name").split() if name.startswith(cloud.name))
    assert fixed_address(guest) not in cloud.virsh("net-dumpxml", network)
    assert api.http.delete(f"/compute/v2.1/servers/{server_id}").status_code == 404
    used = api.http.get("/compute/v2.1/limits").json()["limits"]["absolute"]
    assert used["totalInstancesUsed"] == 0
    cloud.nebulet("manage", "invariants")


def test_a_machine_image_boots_with_its_kernel_and_ramdisk(cloud, api):
    server_id = api.create("uec", image="tiny-uec")
    api.wait(server_id)
    try:
        wait_for("the login prompt", lambda: "login:" in api.log(server_id), 90, every=1)
        folder = cloud.state / "instances" / server_id
        assert {"disk", "disk.info", "console.log", "kernel", "ramdisk"} <= {path.name for path in folder.iterdir()}
        parts = cached(cloud, api, "tiny-uec")
        assert [part["disks"] for part in parts] == [1, 1, 1], "the disk, the kernel and the ramdisk lie on the cache"
        for part in parts:
            refused = cloud.nebulet("manage", "image_cache", "evict", part["image_id"], check=False)
            assert "is used by servers on" in refused.stderr
    finally:
        api.delete(server_id)
    wait_for("images that nobody uses", lambda: not any(part["disks"] for part in cached(cloud, api, "tiny-uec")), 30)
    cloud.nebulet("manage", "image_cache", "evict", "tiny-uec")
    wait_for("a smaller cache", lambda: len(cached(cloud, api, "tiny-uec")) == 2, 30)


def cached(cloud: Cloud, api: Api, name: str) -> list[dict[str, Any]]:
    """Return what the host has of a machine image, its kernel and its ramdisk."""
    image = api.http.get(f"/image/v2/images/{api.image_id(name)}").json()
    wanted = {image["id"], image["kernel_id"], image["ramdisk_id"]}
    entries = json.loads(cloud.nebulet("manage", "image_cache", "list", "--json").stdout)
    return [entry for entry in entries if entry["image_id"] in wanted]
