"""What the unmodified ``openstack`` command does to one server, verb by verb, on a pretended host where deletions can be undone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell, names
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

Shown = dict[str, Any]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A cloud where deleted servers rest for an hour, and shelved ones stay where they are until they are offloaded."""
    extra = {"NEBULET_RECLAIM_INTERVAL_S": "3600", "NEBULET_SHELVED_OFFLOAD_TIME_S": "-1"}
    with Cloud(driver="fake", extra=extra).running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def openstack(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, compute="2.104")
    try:
        yield shell
    finally:
        shell.close()


@pytest.fixture(scope="module")
def oldest(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud)
    try:
        yield shell
    finally:
        shell.close()


@pytest.fixture(scope="module")
def server(openstack: Shell) -> str:
    """Return the id of the one server of these tests, which each of them leaves as it was."""
    made = openstack("server create --flavor m1.micro --image tiny --network private --wait one")
    return str(made["id"])


@pytest.fixture
def show(openstack: Shell, server: str):
    """Return what shows the server once it has this status and nothing is done to it."""

    def show(status: str = "ACTIVE") -> Shown:
        def probe() -> Shown | None:
            shown: Shown = openstack(f"server show {server}")
            return shown if shown["OS-EXT-STS:task_state"] is None and shown["status"] == status else None

        return wait_for(f"the server {status}", probe, 30, every=0.1)

    return show


def actions(openstack: Shell, server: str) -> list[str]:
    return [row["Action"] for row in openstack(f"server event list {server}")]


@pytest.mark.parametrize(
    ("there", "status", "state", "back"),
    [
        ("pause", "PAUSED", {"OS-EXT-STS:vm_state": "paused"}, "unpause"),
        ("suspend", "SUSPENDED", {"OS-EXT-STS:vm_state": "suspended"}, "resume"),
        ("stop", "SHUTOFF", {"OS-EXT-STS:vm_state": "stopped"}, "start"),
        ("rescue --image tiny", "RESCUE", {"OS-EXT-STS:vm_state": "rescued"}, "unrescue"),
        ("shelve", "SHELVED", {"OS-EXT-STS:vm_state": "shelved"}, "unshelve"),
        ("shelve --offload", "SHELVED_OFFLOADED", {"OS-EXT-SRV-ATTR:host": None}, "unshelve"),
        ("resize --flavor m1.tiny", "VERIFY_RESIZE", {"OS-EXT-STS:vm_state": "resized"}, "resize revert"),
        ("delete", "SOFT_DELETED", {"OS-EXT-STS:vm_state": "soft-delete"}, "restore"),
    ],
)
def test_there_and_back(openstack: Shell, server: str, show, there: str, status: str, state: Shown, back: str):
    before = show()
    openstack(f"server {there} {server}")
    assert show(status).items() >= state.items()

    openstack(f"server {back} {server}")

    after = show()
    same = ("OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "OS-EXT-SRV-ATTR:host", "flavor", "addresses")
    assert [after[name] for name in same] == [before[name] for name in same]


def test_a_deleted_server_is_seen_by_those_who_look_for_it_alone(openstack: Shell, server: str, show):
    openstack(f"server delete {server}")
    show("SOFT_DELETED")
    assert "one" not in names(openstack("server list"))
    assert "one" in names(openstack("server list --deleted"))
    openstack(f"server restore {server}")
    show()
    assert "one" in names(openstack("server list"))


@pytest.mark.parametrize("kind", ["--soft", "--hard"])
def test_a_reboot(openstack: Shell, server: str, show, kind: str):
    openstack(f"server reboot {kind} {server}")
    assert show()["OS-EXT-STS:power_state"] == 1
    assert actions(openstack, server)[0] == "reboot"


def test_a_rebuild_gives_another_image_and_name(openstack: Shell, server: str, show):
    image = show()["image"]
    copied = openstack(f"server image create --name copied {server}")["id"]
    show()
    openstack(f"server rebuild --image copied --name other --property built=twice --wait {server}")
    shown = show()
    assert (shown["name"], shown["properties"]) == ("other", {"built": "twice"})
    assert shown["image"] == f"copied ({copied})"
    openstack(f"server rebuild --image tiny --name one {server}")
    show()
    openstack(f"server unset --property built {server}")
    openstack("image delete copied")
    assert show()["image"] == image


def test_a_resize_is_confirmed_and_listed_among_the_migrations(openstack: Shell, server: str, show):
    openstack(f"server resize --flavor m1.tiny {server}")
    assert show("VERIFY_RESIZE")["flavor"]["name"] == "m1.tiny"
    openstack(f"server resize confirm {server}")
    assert show()["flavor"]["name"] == "m1.tiny"
    assert "confirmed" in {row["Status"] for row in openstack(f"server migration list --server {server} --type resize")}


def test_a_locked_server_says_why_and_is_left_alone(openstack: Shell, server: str, cloud: Cloud, show):
    openstack(f"server lock --reason 'an audit' {server}")
    shown = show()
    assert (shown["locked"], shown["locked_reason"]) == (True, "an audit")
    assert "one" in names(openstack("server list --locked"))
    openstack(f"server unlock {server}")
    assert (show()["locked"], show()["locked_reason"]) == (False, None)


def test_copies_become_images_and_the_oldest_backup_goes(openstack: Shell, server: str, show):
    openstack(f"server image create --name copied --property why=test {server}")
    show()
    for number in (1, 2):
        openstack(f"server backup create --name nightly-{number} --type daily --rotate 1 {server}")
        show()
    images = {row["Name"]: row["Status"] for row in openstack("image list")}
    assert images["copied"] == images["nightly-2"] == "active"
    assert "nightly-1" not in images
    assert openstack("image show copied")["properties"]["why"] == "test"
    openstack("image delete copied nightly-2")
    assert actions(openstack, server)[:3] == ["createBackup", "createBackup", "createImage"]


def test_a_crash_dump_shows_in_the_events_alone(openstack: Shell, server: str, show):
    assert openstack.run(f"server dump create {server}")["code"] == 0
    assert show()["status"] == "ACTIVE"
    request = next(row for row in openstack(f"server event list {server}") if row["Action"] == "trigger_crash_dump")

    def ended() -> list[Any]:
        event = openstack(f"server event show {server} {request['Request ID']}")
        return [one for one in event["events"] if "Success" in str(one)]

    wait_for("the dump", ended, 10)


def test_a_fixed_address_comes_and_goes(openstack: Shell, oldest: Shell, server: str, show):
    (own,) = show()["addresses"]["private"]
    card = openstack(f"server add fixed ip {server} private -f json")
    added = next(iter(openstack(f"port show {json.loads(card)['Port ID']}")["fixed_ips"]))["ip_address"]
    assert sorted(show()["addresses"]["private"]) == sorted([own, added])
    oldest(f"server remove fixed ip {server} {added}")
    wait_for("the address gone", lambda: show()["addresses"]["private"] == [own], 10)


def test_a_server_is_made_to_go_at_once(openstack: Shell):
    made = openstack("server create --flavor m1.micro --image tiny --network private --wait brief")
    openstack(f"server delete --force {made['id']}")
    wait_for("the server gone", lambda: openstack.run(f"server show {made['id']}")["code"] == 1, 20, every=0.1)
