"""What is done to a server as its guest sees it: a clock that stands still while it rests, more memory on the same disk."""

import base64
import ipaddress
import re
import subprocess
import time

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.e2e.guest import neighbour, ssh
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

CRASHED, SHUT_DOWN = 6, 4
SCRIPT = """#!/bin/sh
echo precious >/home/proof
n=0
while :; do n=$((n+1)); echo "tick $n."; sleep 1; done >/dev/ttyS0 2>&1 &
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def server(cloud, key):
    """One small guest that counts seconds on its console and keeps a file on its disk."""
    api = Api(cloud)
    api.let_in(protocol="tcp", port_range_min=22, port_range_max=22)
    body = {"keypair": {"name": "actions", "public_key": key.with_suffix(".pub").read_text()}}
    assert api.http.post("/compute/v2.1/os-keypairs", json=body).status_code in (200, 201)
    server_id = api.create("counts", key_name="actions", user_data=base64.b64encode(SCRIPT.encode()).decode())
    server = api.wait(server_id)
    wait_for("the first tick", lambda: ticks(api, server_id), 120, every=1)
    yield server
    api.delete(server_id)


def ticks(api: Api, server_id: str) -> int:
    """Return how far the guest has counted, 0 before it began."""
    found = re.findall(r"tick (\d+)\.", api.log(server_id))
    return int(found[-1]) if found else 0


def stands_still(api: Api, server_id: str) -> int:
    """Return where the guest's count stands, which does not grow."""
    time.sleep(1.5)  # what was on its way to the log
    before = ticks(api, server_id)
    time.sleep(4)
    assert ticks(api, server_id) == before
    return before


def goes_on(api: Api, server_id: str, before: int) -> None:
    """The count goes on where it stood: the guest did not begin anew."""
    after = wait_for("the next tick", lambda: ticks(api, server_id) > before and ticks(api, server_id), 60, every=0.5)
    assert before < after < before + 60


def act(api: Api, server_id: str, action: str, value=None, status: int = 202) -> None:
    answer = api.act(server_id, action, value)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("there", "between", "power", "back"), [("pause", "PAUSED", 3, "unpause"), ("suspend", "SUSPENDED", 4, "resume")]
)
def test_a_guest_that_rests_counts_no_seconds_and_then_goes_on(cloud, api, server, key, there, between, power, back):
    server_id, address = server["id"], server["addresses"]["private"][0]["addr"]
    act(api, server_id, there)
    assert api.wait(server_id, between)["OS-EXT-STS:power_state"] in (power, 7)
    before = stands_still(api, server_id)
    act(api, server_id, back)
    assert api.wait(server_id)["OS-EXT-STS:power_state"] == 1
    goes_on(api, server_id, before)
    assert look(cloud, server_id, key, address, "true").proof == "precious"


def test_a_new_password_is_known_inside_and_a_guest_whose_agent_is_gone_says_so(cloud, api, server, key):
    server_id, address = server["id"], server["addresses"]["private"][0]["addr"]
    act(api, server_id, "changePassword", {"adminPass": "Secret-1"})
    shadow = look(cloud, server_id, key, address, "grep ^tiny: /etc/shadow && killall agent").before
    known = shadow.split(":")[1]
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", known.split("$")[2], "Secret-1"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert hashed == known
    answer = api.act(server_id, "changePassword", {"adminPass": "Secret-2"})
    assert answer.status_code == 409
    assert "guest agent" in answer.json()["conflictingRequest"]["message"]
    api.wait(server_id)


def test_a_guest_gets_an_interrupt_and_goes_on(api, server):
    answer = api.http.post(
        f"/compute/v2.1/servers/{server['id']}/action",
        json={"trigger_crash_dump": None},
        headers={"OpenStack-API-Version": "compute 2.17"},
    )
    assert answer.status_code == 202
    wait_for("the kernel's word of it", lambda: "NMI received" in api.log(server["id"]), 60)
    goes_on(api, server["id"], ticks(api, server["id"]))


def test_a_resize_gives_more_memory_on_the_same_disk_and_can_be_reverted_or_confirmed(cloud, api, server, key):
    server_id, address = server["id"], server["addresses"]["private"][0]["addr"]
    small = look(cloud, server_id, key, address, "sync")
    act(api, server_id, "resize", {"flavorRef": "1"})
    assert api.wait(server_id, "VERIFY_RESIZE", 240)["flavor"]["id"] == "1"
    big = look(cloud, server_id, key, address, "echo later >/home/later; sync")
    assert (small.proof, big.proof) == ("precious", "precious")
    assert small.memory_kb < 140_000 < 400_000 < big.memory_kb
    assert big.disk_bytes == 1 << 30 > small.disk_bytes

    act(api, server_id, "revertResize")
    assert api.wait(server_id, seconds=240)["flavor"]["id"] == "84"
    again = look(cloud, server_id, key, address, "test ! -e /home/later")
    assert (again.proof, again.disk_bytes, again.memory_kb < 140_000) == ("precious", small.disk_bytes, True)

    act(api, server_id, "resize", {"flavorRef": "1"})
    api.wait(server_id, "VERIFY_RESIZE", 240)
    act(api, server_id, "confirmResize", status=204)
    assert api.wait(server_id)["flavor"]["id"] == "1"
    kept = look(cloud, server_id, key, address, "true")
    assert (kept.proof, kept.disk_bytes, kept.memory_kb > 400_000) == ("precious", 1 << 30, True)
    cloud.nebulet("manage", "invariants")


class Seen:
    """What the guest has, and what a command printed ``before`` that."""

    def __init__(self, text: str) -> None:
        *before, proof, sectors, memory = text.strip().splitlines()
        self.before = "\n".join(before)
        self.proof, self.disk_bytes, self.memory_kb = proof, int(sectors) * 512, int(memory)


def look(cloud: Cloud, server_id: str, key, address: str, first: str) -> Seen:
    """Log in, run a command that must succeed, and look around."""
    command = f"{first} && cat /home/proof /sys/block/vda/size && awk '/MemTotal/ {{print $2}}' /proc/meminfo"
    network = ipaddress.ip_network(f"{address}/24", strict=False)
    domain = next(name for name in cloud.domains() if server_id in cloud.virsh("domuuid", name))
    bridge = next(line.split()[2] for line in cloud.virsh("domiflist", domain).splitlines() if line.strip())

    def probe() -> str:
        done = ssh(space, key, address, command, user="root")
        return done.stdout if done.returncode == 0 else ""

    with neighbour(bridge, f"{network.broadcast_address - 1}/24") as space:
        return Seen(wait_for("ssh", probe, 180, every=2))


def test_a_hard_reboot_goes_before_a_soft_one_that_the_guest_does_not_hear(cloud, api, server, key):
    server_id, address = server["id"], server["addresses"]["private"][0]["addr"]
    look(cloud, server_id, key, address, "killall agent; kill -STOP $(pidof acpid)")
    act(api, server_id, "reboot", {"type": "SOFT"})
    time.sleep(3)  # a guest that hears it is gone by then
    assert api.server(server_id)["status"] == "REBOOT"
    started = time.monotonic()

    act(api, server_id, "reboot", {"type": "HARD"})

    api.wait(server_id, seconds=20)
    assert time.monotonic() - started < 20
    wait_for("another boot", lambda: "login:" in api.log(server_id), 120, every=0.5)
    actions = api.http.get(f"/compute/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"]
    assert [row["message"] for row in actions[:2]] == [None, "Error"]
    assert api.server(server_id)["status"] == "ACTIVE"


def test_a_guest_whose_kernel_panics_is_off_and_starts_again(cloud, api, server, key):
    server_id, address = server["id"], server["addresses"]["private"][0]["addr"]
    look(cloud, server_id, key, address, "sh -c '(sleep 2; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &'")

    off = api.wait(server_id, "SHUTOFF", 30)

    assert off["OS-EXT-STS:power_state"] in (CRASHED, SHUT_DOWN)
    assert "Kernel panic" in api.log(server_id)
    act(api, server_id, "os-start")
    assert api.wait(server_id)["OS-EXT-STS:power_state"] == 1
    wait_for(
        "another boot", lambda: "login:" in api.log(server_id) and "Kernel panic" not in api.log(server_id), 120, every=0.5
    )
