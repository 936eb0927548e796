"""Disks of a real guest: what was written before a copy is in the copy, a rebuild takes it away, a rescue and a shelf keep it."""

import base64
import re
from typing import Any

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

# At its first start on a disk a guest tells what another wrote there, and writes down who it is.
SCRIPT = """#!/bin/sh
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


def told(api: Api, server_id: str) -> str:
    """Return what the guest said of its disk, once its script is through."""

    def probe() -> str | None:
        log = api.log(server_id)
        found = re.findall(r"OWN (.*?) END", log)
        return found[-1] if found and "SCRIPT DONE" in log else None

    return str(wait_for("what the guest says of its disk", probe, 120, every=1))


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
    assert "vdb: vdb1" not in api.log(guest)
    assert api.act(guest, "rescue").status_code == 200
    api.wait(guest, "RESCUE", 120)
    wait_for("the own disk as the second one", lambda: "vdb: vdb1" in api.log(guest), 120, every=1)
    assert api.act(guest, "reboot", {"type": "HARD"}).status_code == 409
    assert api.act(guest, "unrescue").status_code == 202
    assert api.wait(guest)["OS-EXT-STS:power_state"] == 1


def test_a_shelved_server_comes_back_with_its_file_and_address(cloud: Cloud, api: Api, guest: str):
    before = api.server(guest)["addresses"]
    assert api.act(guest, "shelve").status_code == 202
    api.wait(guest, "SHELVED_OFFLOADED", 240)
    assert not (cloud.state / "instances" / guest).exists()
    assert api.act(guest, "unshelve").status_code == 202
    assert api.wait(guest, seconds=180)["addresses"] == before
    wait_for("the login prompt", lambda: "login:" in api.log(guest), 120, every=1)
    image_of(api, guest, name="proof")
    other = api.create("third", image="proof", user_data=DATA)
    try:
        api.wait(other)
        assert told(api, other) == "written by first"
    finally:
        api.delete(other)


def test_a_rebuilt_guest_has_a_new_disk(api: Api, guest: str):
    before = api.server(guest)["addresses"]
    assert "OWN" not in api.log(guest), "the script runs once on a disk"
    assert api.act(guest, "rebuild", {"imageRef": api.image_id("tiny"), "name": "renewed"}).status_code == 202
    rebuilt = api.wait(guest, seconds=180)
    assert (rebuilt["name"], rebuilt["addresses"]) == ("renewed", before)
    assert told(api, guest) == "nothing"
