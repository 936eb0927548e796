"""The process of a host with real guests killed at every step of its work: each guest ends as its table says, nothing is left of it.

Each guest prints a number at each boot that it wrote onto its disk at the first (small_guest.S): it tells one disk from another.
How often a guest was started is told by libvirt's log of it.
"""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from compute.interruptions import Outcome, outcome, points
from compute.states import TRANSITIONS, Action, PowerState, VmState, refusal, status
from portal.core import faults
from portal.core.faults import ANY, Point, Process
from tests.e2e.cloud import Api, Cloud
from tests.e2e.deaths import AFTER_SHELVING, BORN, LAST, PLACES, WAVES, Case, cases, places, promised
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

IMAGE = "small"
DISK_BYTES = 1 << 20
OTHER_SIZE = "1"
ASKS: dict[Action, tuple[str, Any]] = {
    Action.START: ("os-start", None),
    Action.STOP: ("os-stop", None),
    Action.REBOOT: ("reboot", {"type": "SOFT"}),
    Action.REBOOT_HARD: ("reboot", {"type": "HARD"}),
    Action.PAUSE: ("pause", None),
    Action.UNPAUSE: ("unpause", None),
    Action.SUSPEND: ("suspend", None),
    Action.RESUME: ("resume", None),
    Action.RESCUE: ("rescue", None),
    Action.UNRESCUE: ("unrescue", None),
    Action.CREATE_IMAGE: ("createImage", {"name": "copy"}),
    Action.CREATE_BACKUP: ("createBackup", {"name": "backup", "backup_type": "daily", "rotation": 1}),
    Action.RESIZE: ("resize", {"flavorRef": OTHER_SIZE}),
    Action.REVERT_RESIZE: ("revertResize", None),
    Action.SHELVE: ("shelve", None),
    Action.UNSHELVE: ("unshelve", None),
    Action.RESTORE: ("restore", None),
    Action.DELETE: ("forceDelete", None),
}
# What is done first to a server that is not in a state for it.
FIRST = {
    Action.START: Action.STOP,
    Action.RESUME: Action.SUSPEND,
    Action.RESTORE: Action.SOFT_DELETE,
    Action.SHELVE: Action.UNSHELVE,
    Action.UNSHELVE: Action.SHELVE,
}
LEFT = {
    Action.UNRESCUE: ["disk.rescue", "domain.unrescue.xml"],
    Action.REVERT_RESIZE: ["resize", "resize.json"],
    **{action: ["copies"] for action in (Action.CREATE_IMAGE, Action.CREATE_BACKUP)},
}
UNPAUSED = "restore"
# What is done to a guest while its emulator is killed, and where that ends: what needs the guest off goes on without it.
EMULATOR_DIES: dict[str, tuple[Action, str]] = {
    "power": (Action.STOP, "SHUTOFF"),
    "reboot": (Action.REBOOT, "ACTIVE"),
    "rebuild": (Action.PAUSE, "SHUTOFF"),
    UNPAUSED: (Action.UNPAUSE, "SHUTOFF"),
    "shelf-2": (Action.SUSPEND, "SHUTOFF"),
    "shelf": (Action.CREATE_IMAGE, "SHUTOFF"),
    "resize": (Action.RESIZE, "VERIFY_RESIZE"),
    "rescue": (Action.RESCUE, "RESCUE"),
}
WELL_WITHOUT_EMULATOR = (Action.STOP, Action.REBOOT, Action.RESIZE, Action.RESCUE)
OTHER_DISK = (Action.REBUILD, Action.RESCUE)


@pytest.fixture(scope="module")
def armed() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nebulet-armed-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@pytest.fixture(scope="module")
def cloud(armed: Path) -> Iterator[Cloud]:
    """A cloud whose deleted servers can be restored."""
    with Cloud(extra={"NEBULET_FAULTS": str(armed), "NEBULET_RECLAIM_INTERVAL_S": "3600"}).running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def image(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of a guest that starts and stops within a second, so that many can at once."""
    source, folder = Path(__file__).with_name("small_guest.S"), tmp_path_factory.mktemp("guest")
    subprocess.run(["as", "--32", "-o", folder / "object", source], check=True)
    subprocess.run(
        ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", folder / "disk", folder / "object"],
        check=True,
    )
    api = Api(cloud)
    made = api.http.post("/image/v2/images", json={"name": IMAGE, "disk_format": "raw", "container_format": "bare"}).json()
    content = {
        "content": (folder / "disk").read_bytes().ljust(DISK_BYTES, b"\0"),
        "headers": {"Content-Type": "application/octet-stream"},
    }
    assert api.http.put(f"/image/v2/images/{made['id']}/file", **content).status_code == 204
    return str(made["id"])


class Guest:
    """One server and its guest, and what the guest was before what is done next."""

    def __init__(self, cloud: Cloud, api: Api, name: str) -> None:
        self.cloud, self.api = cloud, api
        self.id = api.create(name, image=IMAGE)
        self.request_id, self.own_disk, self.booted_before, self.domain = "", "", 0, ""

    @property
    def folder(self) -> Path:
        return self.cloud.state / "instances" / self.id

    def ask(self, action: Action) -> None:
        """Ask for an action, after what has to be done first."""
        self.booted_before = self.boots()
        if action == Action.SOFT_DELETE:
            answer = self.api.http.delete(f"/compute/v2.1/servers/{self.id}")
        elif action == Action.REBUILD:
            answer = self.api.act(self.id, "rebuild", {"imageRef": self.api.image_id(IMAGE)})
        else:
            answer = self.api.act(self.id, *ASKS[action])
        assert answer.status_code in (200, 202, 204), answer.text
        self.request_id = answer.headers["X-OpenStack-Request-ID"]

    def make_ready_for(self, action: Action) -> None:
        """Do what has to be done before it."""
        if action in FIRST and refusal(action, self.server()["OS-EXT-STS:vm_state"], None):
            self.ask(FIRST[action])
            self.ended(FIRST[action])

    def server(self) -> dict[str, Any]:
        return self.api.server(self.id)

    def ended(self, action: Action) -> dict[str, Any]:
        """Return the server once the action is over."""
        word = status(TRANSITIONS[action].then or VmState.ACTIVE, None)
        return self.api.wait(self.id, {"SHELVED": "SHELVED_OFFLOADED"}.get(word, word), 120)

    def boots(self) -> int:
        """Return how often libvirt started it."""
        self.domain = self.domain or self.cloud.virsh("domname", self.id, check=False).strip()
        log = Path(f"/var/log/libvirt/qemu/{self.domain}.log")
        return log.read_text(errors="replace").count("starting up libvirt") if self.domain and log.exists() else 0

    def disk(self) -> str:
        """Return the number on the disk of which it booted last."""

        def probe() -> str | None:
            log = self.folder / "console.log"
            found = re.search(r"disk (\w{8})\s", log.read_text(errors="replace")) if log.exists() else None
            return found and found.group(1)

        return str(wait_for(f"what {self.id} says of its disk", probe, 60))

    def is_well_after(self, action: Action, expected: Outcome) -> None:
        """The row, libvirt, the disk and the folder say all the same: what the table promises."""
        server = self.ended(action)
        self._is_told_well()
        if server["status"] == "SHELVED_OFFLOADED":
            self.is_gone()
            return
        assert server["OS-EXT-STS:power_state"] == PowerState.RUNNING
        assert self.cloud.virsh("domstate", self.id).strip() == "running"
        starts = (Process.COMPUTE, Point.STARTED) in points(action)
        assert self.boots() - self.booted_before == starts + (expected == Outcome.TWICE), f"{action}: {expected}"
        assert [name for name in LEFT.get(action, []) if (self.folder / name).exists()] == []
        if starts and action != Action.RESUME:
            self._has_the_disk_after(action)

    def emulator(self) -> int:
        """Return the process id of its QEMU."""
        domain = self.cloud.virsh("domname", self.id).strip()
        return int(subprocess.run(["pgrep", "-f", f"guest={domain},"], capture_output=True, text=True, check=True).stdout)

    def rests(self) -> dict[str, Any]:
        """Return the server once nothing is done to it, however that ended."""

        def probe() -> dict[str, Any] | None:
            server = self.server()
            return server if server["OS-EXT-STS:task_state"] is None else None

        found: dict[str, Any] = wait_for(f"{self.id} to rest", probe, 60)
        return found

    def _told(self) -> dict[str, Any]:
        path = f"/compute/v2.1/servers/{self.id}/os-instance-actions/{self.request_id}"
        headers = {"OpenStack-API-Version": "compute 2.51"}
        found: dict[str, Any] = self.api.http.get(path, headers=headers).json()["instanceAction"]
        return found

    def went_well(self) -> bool:
        """Whether the actions log says so; where it does not, it says why in the server's words."""
        told = self._told()
        assert (told["message"] is None) is all(event["result"] == "Success" for event in told["events"]), told
        return told["message"] is None

    def _is_told_well(self) -> None:
        told = self._told()
        assert (told["message"], {event["result"] for event in told["events"]}) == (None, {"Success"}), told

    def _has_the_disk_after(self, action: Action) -> None:
        disk = self.disk()
        assert (disk == self.own_disk) is (action not in OTHER_DISK), f"{action}: {disk} after {self.own_disk}"
        if action == Action.REBUILD:
            self.own_disk = disk

    def is_gone(self) -> None:
        """The host has nothing of it."""
        assert self.cloud.virsh("domname", self.id, check=False).strip() == ""
        assert not self.folder.exists()


@pytest.fixture(scope="module")
def guests(cloud: Cloud, armed: Path, image: str) -> dict[str, Guest]:
    """The guests, all of them well. Their host was killed while the first were built, each at another step."""
    api, names = Api(cloud), list(WAVES[0])
    found, files = {}, [faults.arm(armed, Process.COMPUTE, point, ANY) for point in BORN]
    for name in names[: len(BORN)]:
        found[name] = Guest(cloud, api, name)
    dies(files)
    for name in names[len(BORN) :]:
        found[name] = Guest(cloud, api, name)
    for guest in found.values():
        guest.ended(Action.CREATE)
        guest.own_disk = guest.disk()
    return found


def dies(files: list[Path]) -> None:
    def left() -> bool:
        return not any(file.exists() for file in files)

    wait_for(f"the death at {[file.name for file in files]}", left, 60, every=0.02)


def strike(guests: dict[str, Guest], wave: dict[str, Case], armed: Path) -> None:
    """Ask for all of it at once and have the process die when each has come to its point."""
    for name, (action, _point) in wave.items():
        guests[name].make_ready_for(action)
    files = [faults.arm(armed, Process.COMPUTE, point, guests[name].id) for name, (_action, point) in wave.items()]
    for name, (action, _point) in wave.items():
        guests[name].ask(action)
    dies(files)


def test_every_place_in_the_code_is_one_of_an_action_and_every_action_dies_at_each_of_its_places():
    assert set(places()) == set(PLACES)
    assert {(action, point) for (_file, _function, point), actions in PLACES.items() for action in actions} == promised()
    assert cases() == promised()


def test_guests_whose_host_died_while_it_built_them_were_started_once(guests: dict[str, Guest]):
    for guest in guests.values():
        assert guest.boots() == 1
        assert guest.cloud.virsh("domstate", guest.id).strip() == "running"


@pytest.mark.parametrize("wave", WAVES)
def test_what_is_done_to_a_guest_ends_as_its_table_says(guests: dict[str, Guest], armed: Path, wave: dict[str, Case]):
    strike(guests, wave, armed)
    for name, (action, point) in wave.items():
        guests[name].is_well_after(action, outcome(action, Process.COMPUTE, point))


def test_what_was_being_done_to_a_guest_whose_emulator_is_killed_ends_in_a_state_that_explains_itself(
    guests: dict[str, Guest],
):
    guests["shelf"].make_ready_for(Action.SHELVE)
    guests[UNPAUSED].ask(Action.PAUSE)
    guests[UNPAUSED].ended(Action.PAUSE)
    emulators = {name: guests[name].emulator() for name in EMULATOR_DIES}
    for emulator in emulators.values():
        os.kill(emulator, signal.SIGSTOP)  # so that each action has begun and none can end
    try:
        for name, (action, _ends) in EMULATOR_DIES.items():
            guests[name].ask(action)
        for name in EMULATOR_DIES:
            wait_for(f"{name} to be at work", lambda one=guests[name]: one.server()["OS-EXT-STS:task_state"], 60)
        time.sleep(2)
    finally:
        for emulator in emulators.values():
            os.kill(emulator, signal.SIGKILL)
    ends = {name: end for name, (_action, end) in EMULATOR_DIES.items()}
    found: dict[str, dict[str, Any]] = {}

    def as_they_end() -> bool:  # what a guest is that died beside its action is told with the next report of its host
        found.update({name: guests[name].rests() for name in EMULATOR_DIES})
        return {name: server["status"] for name, server in found.items()} == ends

    with suppress(AssertionError):
        wait_for("all to be what they are", as_they_end, 30, every=1)
    assert {name: server["status"] for name, server in found.items()} == ends
    for name, (action, _ends) in EMULATOR_DIES.items():
        guest = guests[name]
        if action != Action.CREATE_IMAGE:  # which goes well where a busy host begins it when the guest is off already
            assert guest.went_well() is (action in WELL_WITHOUT_EMULATOR), f"{name}: {action}"
        state = guest.cloud.virsh("domstate", guest.id).strip()
        assert (state == "running") is (found[name]["OS-EXT-STS:power_state"] == PowerState.RUNNING), f"{name}: {action}"
        assert not (guest.folder / "copies").exists()
        if found[name]["status"] == "SHUTOFF":
            guest.ask(Action.START)
            guest.ended(Action.START)
            assert guest.disk() == guest.own_disk
    assert not [image for image in images(guests[UNPAUSED].api) if image["name"] == "copy" and image["status"] != "active"]


def images(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.http.get("/image/v2/images").json()["images"]
    return found


def test_nothing_is_left_of_guests_that_were_removed(cloud: Cloud, guests: dict[str, Guest], armed: Path):
    shelved = {"shelf": LAST["shelf"]}
    strike(guests, {name: case for name, case in LAST.items() if name not in shelved}, armed)
    strike(guests, shelved, armed)  # alone: one that waits for others to die would be removed by the living process
    _action, point = AFTER_SHELVING
    dies([faults.arm(armed, Process.COMPUTE, point, guests["shelf"].id)])
    guests["shelf"].ended(Action.SHELVE)
    guests["shelf"].is_gone()
    api = Api(cloud)
    for name, guest in guests.items():
        if LAST.get(name, (None,))[0] != Action.DELETE:
            guest.ask(Action.DELETE)
    for guest in guests.values():
        api.wait_gone(guest.id)
        guest.is_gone()
    nothing_is_left(cloud)


def nothing_is_left(cloud: Cloud) -> None:
    instances = cloud.state / "instances"
    assert cloud.domains() == []
    assert [entry.name for entry in instances.iterdir() if len(entry.name) == 36] == []
    assert [entry.name for entry in (instances / "_filters" / "ports").iterdir()] == []
    assert [entry.name for entry in (instances / "_dhcp").glob("*/*") if not entry.parent.name.endswith(".options")] == []
    assert cloud.virsh("nwfilter-binding-list").split() == []
    admin = Api(cloud, "admin")
    ports = admin.http.get("/network/v2.0/ports").json()["ports"]
    assert [port["id"] for port in ports if port["device_owner"].startswith("compute")] == []
    used = Api(cloud).http.get("/compute/v2.1/limits").json()["limits"]["absolute"]
    assert (used["totalInstancesUsed"], used["totalCoresUsed"], used["totalRAMUsed"]) == (0, 0, 0)
    wait_for("true invariants", lambda: cloud.nebulet("manage", "invariants", check=False).returncode == 0, 40, every=2)
    healed = cloud.nebulet("manage", "heal", check=False)
    assert "All is well." in healed.stdout, healed.stdout
