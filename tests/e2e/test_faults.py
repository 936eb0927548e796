"""Parts killed in the middle of builds; disks that fill; whatever happens, a server ends in a state that a user understands."""

import os
import random
import signal
import subprocess
import time

import pytest

from deploy.launcher import hypervisor
from tests.e2e.cloud import Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


@pytest.mark.parametrize("process", ["compute", "conductor", "web", "queue"])
def test_a_killed_process_leaves_no_build_stuck_and_none_doubled(cloud: Cloud, api: Api, process: str):
    randomness = random.Random(process)
    names = []
    for round_ in range(3):
        name = f"kill-{process}-{round_}"
        server_id = api.create(name)
        names.append(server_id)
        time.sleep(randomness.uniform(0, 0.6))
        os.kill(cloud.pid(process), signal.SIGKILL)
        wait_for("the cloud", lambda: ready(cloud), 60)
    for server_id in names:
        server = wait_for("an end", lambda server_id=server_id: ended(api, server_id), 120)
        assert server["status"] == "ACTIVE" or server["fault"]["message"]
    active = [server_id for server_id in names if api.server(server_id)["status"] == "ACTIVE"]
    assert len(cloud.domains()) == len(active)
    for server_id in names:
        api.delete(server_id)
    assert cloud.domains() == []
    wait_for("true invariants", lambda: cloud.nebulet("manage", "invariants", check=False).returncode == 0, 40, every=2)


@pytest.mark.hypervisor(alone=True)
def test_guests_outlive_the_death_of_libvirt_and_what_is_asked_meanwhile_is_done_after_it(cloud: Cloud, api: Api):
    running, stopped = api.create("runs-on"), api.create("stops-later")
    for server_id in (running, stopped):
        api.wait(server_id)
    guests = emulators(cloud)
    assert len(guests) == 2
    subprocess.run(["pkill", "-KILL", "-u", "0", "-x", "libvirtd|virtqemud"], check=True)
    assert api.act(stopped, "os-stop").status_code == 202
    meanwhile = api.create("waits")
    time.sleep(3)  # longer than an event takes: a guest whose keeper is gone is not called stopped
    assert api.server(running)["status"] == "ACTIVE"
    assert emulators(cloud) == guests
    hypervisor.ensure_libvirt()
    api.wait(stopped, "SHUTOFF", 60)
    api.wait(meanwhile)
    assert api.server(running)["status"] == "ACTIVE"
    assert len(emulators(cloud) & guests) == 1, "the one that nobody asked to stop is the same process"
    os.kill((emulators(cloud) & guests).pop(), signal.SIGKILL)  # events come by the new connection too
    assert api.wait(running, "SHUTOFF", 5)["OS-EXT-STS:power_state"] in (CRASHED, SHUT_DOWN)
    for server_id in (running, stopped, meanwhile):
        api.delete(server_id)
    assert cloud.domains() == []


CRASHED, SHUT_DOWN = 6, 4
# what is under way, and where it ends
BUSY = {
    "reboot": ({"type": "SOFT"}, "ACTIVE"),
    "suspend": (None, "SUSPENDED"),
    "createImage": ({"name": "of-a-busy-one"}, "ACTIVE"),
}


@pytest.mark.hypervisor(alone=True)
def test_what_is_under_way_when_libvirt_dies_is_done_after_it(cloud: Cloud, api: Api):
    servers = {action: api.create(f"busy-{action}") for action in BUSY}
    for server_id in servers.values():
        api.wait(server_id)
    for action, (value, _end) in BUSY.items():
        assert api.act(servers[action], action, value).status_code == 202
    subprocess.run(["pkill", "-KILL", "-x", "libvirtd|virtqemud"], check=True)
    assert [action for action in BUSY if api.server(servers[action])["OS-EXT-STS:task_state"]], "none was under way"
    hypervisor.ensure_libvirt()
    for action, (_value, end) in BUSY.items():
        api.wait(servers[action], end, 120)
    image = api.image_id("of-a-busy-one")
    assert api.http.get(f"/image/v2/images/{image}").json()["status"] == "active"
    assert api.http.delete(f"/image/v2/images/{image}").status_code == 204
    for server_id in servers.values():
        api.delete(server_id)
    assert cloud.domains() == []


def emulators(cloud: Cloud) -> set[int]:
    """Return the process ids of all guests of a cloud."""
    found = subprocess.run(["pgrep", "-f", f"guest={cloud.name}-"], capture_output=True, text=True, check=False).stdout
    return {int(word) for word in found.split()}


def ready(cloud: Cloud) -> bool:
    import httpx

    try:
        return httpx.get(f"{cloud.url}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def ended(api: Api, server_id: str):
    server = api.server(server_id)
    return server if server["status"] in ("ACTIVE", "ERROR") and server["OS-EXT-STS:task_state"] is None else None


def test_a_full_disk_ends_in_error_with_a_sentence_and_can_be_deleted(cloud: Cloud, api: Api, tmp_path):
    image = tmp_path / "big.raw"
    with image.open("wb") as file:
        for _ in range(48):
            file.write(os.urandom(1 << 20))
    image_id = api.http.post(
        "/image/v2/images", json={"name": "big", "disk_format": "raw", "container_format": "bare"}
    ).json()["id"]
    stored = api.http.put(
        f"/image/v2/images/{image_id}/file", content=image.read_bytes(), headers={"Content-Type": "application/octet-stream"}
    )
    assert stored.status_code == 204, stored.text
    instances = cloud.state / "instances"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0711", "tmpfs", str(instances)], check=True)
    try:
        server_id = api.create("no-room", image="big")
        server = wait_for("an end", lambda: ended(api, server_id), 120)
        assert server["status"] == "ERROR"
        assert "space" in server["fault"]["message"].lower()
        assert cloud.domains() == []
        api.delete(server_id)
        assert not (instances / server_id).exists()
    finally:
        subprocess.run(["umount", "-l", str(instances)], check=True)
        api.http.delete(f"/image/v2/images/{image_id}")


def test_a_delete_during_a_build_wins(cloud: Cloud, api: Api):
    for pause in (0, 0.1, 0.3, 0.6):
        server_id = api.create("short-lived")
        time.sleep(pause)
        assert api.http.delete(f"/compute/v2.1/servers/{server_id}").status_code == 204
        again = api.http.delete(f"/compute/v2.1/servers/{server_id}").status_code
        assert again in (204, 404)
        api.wait_gone(server_id)
        assert not (cloud.state / "instances" / server_id).exists()
    assert cloud.domains() == []


def test_a_flavor_larger_than_the_host_says_so(cloud: Cloud, api: Api):
    admin = Api(cloud, "admin")
    body = {"flavor": {"name": "whale", "ram": 4_000_000, "vcpus": 1, "disk": 0, "id": "whale"}}
    assert admin.http.post("/compute/v2.1/flavors", json=body).status_code == 200
    project = admin.http.get("/identity/v3/projects", params={"name": "demo"}).json()["projects"][0]["id"]
    quota = {"quota_set": {"ram": -1}}
    assert admin.http.put(f"/compute/v2.1/os-quota-sets/{project}", json=quota).status_code == 200
    try:
        server_id = api.create("too-big", flavor="whale")
        server = wait_for("an end", lambda: ended(api, server_id), 30)
        assert server["status"] == "ERROR"
        assert "No valid host" in server["fault"]["message"]
        api.delete(server_id)
    finally:
        admin.http.put(f"/compute/v2.1/os-quota-sets/{project}", json={"quota_set": {"ram": 51200}})
        admin.http.delete("/compute/v2.1/flavors/whale")
