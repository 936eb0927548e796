"""What every driver does with a guest that is there: pause, suspend, resize and their ways back; repeated commands are harmless."""

import json
import subprocess

import pytest

from compute.states import PowerState
from compute.virt.driver import GuestSize
from compute.virt.errors import DriverError, GuestNotFound, GuestNotRunning
from compute.virt.libvirt import storage
from tests.compute.virt import samples

BIG = GuestSize(vcpus=2, memory_mb=1024, root_gb=2, ephemeral_gb=0, swap_mb=0, flavor_name="m1.big")
SMALL = GuestSize(vcpus=1, memory_mb=256, root_gb=1, ephemeral_gb=0, swap_mb=0, flavor_name="m1.small")
ON, OFF, PAUSED, ASLEEP = PowerState.RUNNING, PowerState.SHUTDOWN, PowerState.PAUSED, PowerState.SUSPENDED


def state(driver, spec):
    return driver.guests()[spec.server_id]


@pytest.mark.parametrize(
    ("there", "back", "between"),
    [("pause", "unpause", PAUSED), ("suspend", "resume", ASLEEP), ("suspend", "power_on", ASLEEP)],
)
def test_there_and_back_and_each_twice(driver, spawned, there, back, between):
    for _ in range(2):
        getattr(driver, there)(spawned.server_id)
        assert state(driver, spawned) == between
    for _ in range(2):
        getattr(driver, back)(spawned.server_id)
        assert state(driver, spawned) == ON


@pytest.mark.parametrize("act", ["pause", "unpause", "suspend", "crash_dump"])
def test_a_guest_that_is_off_cannot(driver, spawned, act):
    driver.power_off(spawned.server_id, 0)
    with pytest.raises(GuestNotRunning):
        getattr(driver, act)(spawned.server_id)
    with pytest.raises(GuestNotRunning):
        driver.set_password(spawned.server_id, "root", "secret")


@pytest.mark.parametrize("act", ["pause", "unpause", "suspend", "resume", "crash_dump"])
def test_an_unknown_guest_is_said_to_be_missing(driver, act):
    with pytest.raises(GuestNotFound):
        getattr(driver, act)(samples.SERVER_ID)
    with pytest.raises(GuestNotFound):
        driver.resize(samples.SERVER_ID, BIG, "token", 0)
    for end in (driver.confirm_resize, driver.revert_resize):
        with pytest.raises(GuestNotFound):
            end(samples.SERVER_ID, "token")


def test_a_confirm_or_revert_of_another_resize_leaves_this_one_as_it_is(driver, spawned):
    before = driver.facts().vcpus_used
    driver.resize(spawned.server_id, BIG, "newer", 0)
    driver.revert_resize(spawned.server_id, "older")
    driver.confirm_resize(spawned.server_id, "older")
    assert driver.facts().vcpus_used == before + 1
    driver.revert_resize(spawned.server_id, "newer")
    assert driver.facts().vcpus_used == before


def test_a_suspended_guest_stays_so_when_it_is_switched_off_and_boots_anew_by_a_hard_reboot(driver, spawned):
    driver.suspend(spawned.server_id)
    driver.power_off(spawned.server_id, 0)
    assert state(driver, spawned) == ASLEEP
    driver.reboot(spawned.server_id, True)
    assert state(driver, spawned) == ON
    driver.power_off(spawned.server_id, 0)
    assert state(driver, spawned) == OFF


def test_a_paused_or_suspended_guest_can_be_destroyed(driver, spawned):
    driver.suspend(spawned.server_id)
    driver.destroy(spawned.server_id)
    assert spawned.server_id not in driver.guests()


@pytest.mark.parametrize("running", [True, False])
def test_a_resize_leaves_the_guest_on_or_off_as_it_was(driver, spawned, running):
    if not running:
        driver.power_off(spawned.server_id, 0)
    for _ in range(2):
        driver.resize(spawned.server_id, BIG, "token", 0)
        assert state(driver, spawned) == (ON if running else OFF)
    for _ in range(2):
        driver.confirm_resize(spawned.server_id, "token")
    driver.revert_resize(spawned.server_id, "token")
    assert state(driver, spawned) == (ON if running else OFF)


def test_a_reverted_guest_runs_as_it_did_before_and_a_second_revert_does_nothing(driver, spawned):
    driver.power_off(spawned.server_id, 0)
    driver.resize(spawned.server_id, BIG, "token", 0)
    driver.power_on(spawned.server_id)
    driver.revert_resize(spawned.server_id, "token")
    driver.power_on(spawned.server_id)
    driver.revert_resize(spawned.server_id, "token")
    assert state(driver, spawned) == ON


def test_a_disk_cannot_become_smaller(driver, spawned):
    driver.resize(spawned.server_id, BIG, "first", 0)
    driver.confirm_resize(spawned.server_id, "first")
    with pytest.raises(DriverError, match="smaller"):
        driver.resize(spawned.server_id, SMALL, "second", 0)
    assert state(driver, spawned) == ON


class TestLibvirtResize:
    """What only a driver with disks and definitions does."""

    @pytest.fixture(params=["libvirt"])
    def driver(self, driver):
        return driver

    @pytest.fixture
    def folder(self, driver, spawned):
        return driver.console_log(spawned.server_id).parent

    def test_the_definition_and_the_disk_change_and_come_back(self, driver, spawned, folder):
        before = driver.definition(spawned.server_id)
        driver.resize(spawned.server_id, BIG, "token", 0)
        changed = driver.definition(spawned.server_id)
        assert "<memory unit='KiB'>1048576</memory>" in changed
        assert "<currentMemory unit='KiB'>1048576</currentMemory>" in changed
        assert ">2</vcpu>" in changed
        assert 'flavor name="m1.big"' in changed
        assert storage.virtual_size(folder / "disk") == 2 << 30
        driver.revert_resize(spawned.server_id, "token")
        assert same(driver.definition(spawned.server_id), before)
        assert storage.virtual_size(folder / "disk") == 1 << 30
        assert not (folder / "resize").exists()
        assert not (folder / "resize.json").exists()

    def test_what_was_written_after_the_resize_is_gone_after_a_revert_and_kept_by_a_confirm(self, driver, spawned, folder):
        write(folder / "disk", "before")
        driver.resize(spawned.server_id, BIG, "token", 0)
        write(folder / "disk", "after")
        driver.revert_resize(spawned.server_id, "token")
        assert read(folder / "disk") == "before"
        driver.resize(spawned.server_id, BIG, "again", 0)
        assert read(folder / "disk") == "before"
        write(folder / "disk", "after")
        driver.confirm_resize(spawned.server_id, "again")
        driver.revert_resize(spawned.server_id, "again")
        assert read(folder / "disk") == "after"

    def test_swap_and_ephemeral_disks_come_and_go(self, driver, spawned, folder):
        more = GuestSize(1, 512, 1, ephemeral_gb=1, swap_mb=64, flavor_name="m1.more")
        driver.resize(spawned.server_id, more, "token", 0)
        definition = driver.definition(spawned.server_id)
        assert str(folder / "disk.eph0") in definition
        assert str(folder / "disk.swap") in definition
        driver.revert_resize(spawned.server_id, "token")
        assert str(folder / "disk.swap") not in driver.definition(spawned.server_id)
        assert not (folder / "disk.eph0").exists()

    def test_a_resize_that_fails_leaves_the_guest_as_it_was(self, driver, spawned, folder):
        before = driver.definition(spawned.server_id)
        bad = GuestSize(vcpus=0, memory_mb=1024, root_gb=2, ephemeral_gb=0, swap_mb=0, flavor_name="none")
        with pytest.raises(DriverError):
            driver.resize(spawned.server_id, bad, "token", 0)
        assert same(driver.definition(spawned.server_id), before)
        assert state(driver, spawned) == ON
        assert storage.virtual_size(folder / "disk") == 1 << 30
        assert not (folder / "resize").exists()

    def test_an_interrupted_resize_goes_on_when_the_command_comes_again(self, driver, spawned, folder):
        driver.resize(spawned.server_id, BIG, "token", 0)
        driver.power_off(spawned.server_id, 0)
        note = json.loads((folder / "resize.json").read_text())
        (folder / "resize.json").write_text(json.dumps({**note, "done": False}))
        driver.resize(spawned.server_id, BIG, "token", 0)
        assert state(driver, spawned) == ON
        driver.revert_resize(spawned.server_id, "token")
        assert storage.virtual_size(folder / "disk") == 1 << 30

    def test_a_resize_that_was_interrupted_before_its_start_is_only_started(self, driver, spawned, folder):
        driver.resize(spawned.server_id, BIG, "token", 0)
        driver.power_off(spawned.server_id, 0)
        write(folder / "disk", "after")
        driver.resize(spawned.server_id, BIG, "token", 0)
        assert state(driver, spawned) == ON
        assert read(folder / "disk") == "after"

    def test_a_new_resize_forgets_an_old_one(self, driver, spawned, folder):
        driver.resize(spawned.server_id, BIG, "old", 0)
        bigger = GuestSize(2, 1024, 3, 0, 0, "m1.bigger")
        driver.resize(spawned.server_id, bigger, "new", 0)
        driver.revert_resize(spawned.server_id, "new")
        assert storage.virtual_size(folder / "disk") == 2 << 30


def same(one, other):
    """Whether two definitions say the same, but for the id of a run."""
    strip = lambda text: text.split(">", 1)[1]  # noqa: E731
    return strip(one) == strip(other)


def write(disk, word):
    """Write as the guest would."""
    subprocess.run(
        ["qemu-io", "-f", "qcow2", "-c", f"write -P {ord(word[0])} 64k 512", str(disk)], check=True, capture_output=True
    )


def read(disk):
    """Return which of the two words the disk holds."""
    for word in ("before", "after"):
        command = ["qemu-io", "-f", "qcow2", "-r", "-c", f"read -P {ord(word[0])} 64k 512", str(disk)]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return word
    return None
