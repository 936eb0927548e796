"""Disks of a real guest: what was written before a copy is in the copy, a rebuild takes it away, a rescue and a shelf keep it."""

import base64
import re
from typing import Any

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

# At its first start on a disk a guest tells what another wrote there, and writes down who it is. One that is rescued tells what
# lies on its own disk, which is the second then.
SCRIPT = """#!/bin/sh
mkdir /tmp/old
for part in /dev/vdb?; do
    mount -t ext4 -o ro $part /tmp/old && echo "OLD $(cat /tmp/old/kept) END" && umount /tmp/old
done
echo "OWN $(cat /mnt/kept 2>/dev/null || echo nothing) END"
echo "written by $(hostname)" > /mnt/kept
sync
echo "SCRIPT DONE"
"""
DATA = base64.b64encode(SCRIPT.encode()).decode()


@pytest.fixture(scope="module")
def guest(cloud: Cloud) -> Any:
    """A guest that has written a file."""
    api = Api(cloud)
    server_id = api.create("first", user_data=DATA)
    api.wait(server_id)
    assert told(api, server_id) == "nothing"
    yield server_id
    api.delete(server_id)


def told(api: Api, server_id: str, which: str = "OWN") -> str:
    """Return what the guest said of its disk, or of its ``OLD`` one, once its script is through."""

    def probe() -> str | None:
        log = api.log(server_id)
        found = re.findall(rf"{which} (.*?) END", log)
        return found[-1] if found and "SCRIPT DONE" in log else None

    return str(wait_for("what the guest says of its disk", probe, 120, every=1))


def host_key(api: Api, server_id: str) -> str:
    """Return the fingerprint of the guest's SSH server, as it says it at each start."""

    def probe() -> str | None:
        found = re.findall(r"Fingerprint: (\S+)", api.log(server_id))
        return found[-1] if found else None

    return str(wait_for("the fingerprint of the guest", probe, 120, every=1))


def image_of(api: Api, server_id: str, **wish: Any) -> str:
    answer = api.http.post(
        f"/compute/v2.1/servers/{server_id}/action",
        json={"createImage": wish},
        headers={"OpenStack-API-Version": "compute 2.45"},
    )
    assert answer.status_code == 202, answer.text
    image_id = str(answer.json()["image_id"])
    wait_for(
        "an active image", lambda: api.http.get(f"/image/v2/images/{image_id}").json()["status"] == "active", 180, every=1
    )
    return image_id


def test_a_live_copy_has_the_file_and_the_guest_goes_on(cloud: Cloud, api: Api, guest: str):
    image_id = image_of(api, guest, name="copy")
    assert api.wait(guest)["OS-EXT-STS:power_state"] == 1
    other = api.create("second", image="copy", user_data=DATA)
    try:
        api.wait(other)
        assert told(api, other) == "written by first"
    finally:
        api.delete(other)
    assert api.http.delete(f"/image/v2/images/{image_id}").status_code == 204
    assert not (cloud.state / "instances" / guest / "copies").exists()


def test_a_rescue_sees_the_old_disk_and_leaves_it_as_it_is(api: Api, guest: str):
    own_key = host_key(api, guest)
    assert api.act(guest, "rescue").status_code == 200
    api.wait(guest, "RESCUE", 120)
    assert told(api, guest, "OLD") == "written by first"
    assert host_key(api, guest) != own_key
    assert api.act(guest, "reboot", {"type": "HARD"}).status_code == 409
    assert api.act(guest, "unrescue").status_code == 202
    assert api.wait(guest)["OS-EXT-STS:power_state"] == 1
    assert host_key(api, guest) == own_key


def test_a_shelved_server_comes_back_with_its_file_and_address(cloud: Cloud, api: Api, guest: str):
    before, own_key = api.server(guest)["addresses"], host_key(api, guest)
    assert api.act(guest, "shelve").status_code == 202
    api.wait(guest, "SHELVED_OFFLOADED", 240)
    assert not (cloud.state / "instances" / guest).exists()
    assert api.act(guest, "unshelve").status_code == 202
    assert api.wait(guest, seconds=180)["addresses"] == before
    assert host_key(api, guest) == own_key
    image_of(api, guest, name="proof")
    other = api.create("third", image="proof", user_data=DATA)
    try:
        api.wait(other)
        assert told(api, other) == "written by first"
    finally:
        api.delete(other)


def test_a_rebuilt_guest_has_a_new_disk_and_another_host_key(api: Api, guest: str):
    before, old_key = api.server(guest)["addresses"], host_key(api, guest)
    assert "OWN" not in api.log(guest), "the script runs once on a disk"
    assert api.act(guest, "rebuild", {"imageRef": api.image_id("tiny"), "name": "renewed"}).status_code == 202
    rebuilt = api.wait(guest, seconds=180)
    assert (rebuilt["name"], rebuilt["addresses"]) == ("renewed", before)
    assert told(api, guest) == "nothing"
    assert host_key(api, guest) != old_key
