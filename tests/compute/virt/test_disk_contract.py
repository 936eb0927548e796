"""Copying and exchanging disks: what every driver does, on the fake and on libvirt's test driver."""

import subprocess
from dataclasses import replace

import pytest

from compute.states import PowerState, TaskState
from compute.virt.driver import GuestSize, ImageRef, Quiesce, RescueSpec, never
from compute.virt.errors import DriverError, GuestNotFound, OperationCancelled
from compute.virt.libvirt.markup import read
from tests.compute.virt import samples

RESCUE = RescueSpec(image=ImageRef("rescue", "http://nowhere", 1, "md5", "0" * 32, "qcow2", "bare"))


def folder_of(driver, spec):
    return driver.console_log(spec.server_id).parent


def disks(definition):
    return [
        (one.find("source").get("file").rpartition("/")[2], one.find("target").get("dev"))
        for one in read(definition).iterfind(".//disk")
    ]


class TestCopies:
    @pytest.fixture
    def target(self, driver, spawned):
        folder = folder_of(driver, spawned) / "copies"
        folder.mkdir()
        return folder / "image"

    @pytest.mark.parametrize("off", [False, True])
    def test_a_copy_is_a_whole_image_that_needs_no_other_file(self, driver, spawned, target, off):
        if off:
            driver.power_off(spawned.server_id, 0)
        steps = []

        driver.copy_disk(spawned.server_id, target, Quiesce.NO, steps.append, never)

        said = subprocess.run(["qemu-img", "info", str(target)], capture_output=True, text=True, check=True).stdout
        assert "file format: qcow2" in said
        assert "virtual size: 1 GiB" in said
        assert "backing file" not in said
        assert {step.stage for step in steps} <= {TaskState.IMAGE_SNAPSHOT}
        assert [one.name for one in target.parent.iterdir()] == ["image"]
        assert driver.guests()[spawned.server_id] == (PowerState.SHUTDOWN if off else PowerState.RUNNING)

    def test_a_copy_that_is_made_again_replaces_what_was_left(self, driver, spawned, target):
        target.with_name("image.part").write_text("half")

        driver.copy_disk(spawned.server_id, target, Quiesce.NO, samples.ignore, never)
        driver.copy_disk(spawned.server_id, target, Quiesce.NO, samples.ignore, never)

        assert target.read_bytes().startswith(b"QFI\xfb")

    def test_a_copy_that_is_not_wanted_any_more_leaves_nothing(self, driver, spawned, target):
        def tell(step):
            raise OperationCancelled(spawned.server_id)

        with pytest.raises(OperationCancelled):
            driver.copy_disk(spawned.server_id, target, Quiesce.NO, tell, never)

        assert list(target.parent.iterdir()) == []

    def test_nothing_is_copied_of_a_guest_that_is_not_there(self, driver, tmp_path):
        with pytest.raises(GuestNotFound):
            driver.copy_disk(samples.SERVER_ID, tmp_path / "image", Quiesce.NO, samples.ignore, never)


class TestRebuilds:
    def rebuild(self, driver, spec, base, start=True, keep=False, tell=samples.ignore):
        return driver.rebuild(spec, samples.OneFile(base), tell, never, start=start, preserve_ephemeral=keep)

    def test_the_disk_is_new_and_the_guest_runs(self, driver, spawned, base):
        disk = folder_of(driver, spawned) / "disk"
        disk.write_text("old")
        steps = []

        built = self.rebuild(driver, replace(spawned, name="renamed"), base, tell=steps.append)

        assert built.power_state == PowerState.RUNNING
        assert "renamed" in built.definition
        assert disk.read_bytes() != b"old"
        assert {TaskState.BLOCK_DEVICE_MAPPING, TaskState.SPAWNING} <= {step.stage for step in steps}

    def test_one_that_was_off_stays_off(self, driver, spawned, base):
        driver.power_off(spawned.server_id, 0)

        assert self.rebuild(driver, spawned, base, start=False).power_state == PowerState.SHUTDOWN
        assert driver.guests()[spawned.server_id] == PowerState.SHUTDOWN

    def test_a_second_one_after_a_crash_in_the_middle_works(self, driver, spawned, base):
        def die(step):
            if step.stage == TaskState.SPAWNING:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.rebuild(driver, spawned, base, tell=die)

        assert self.rebuild(driver, spawned, base).power_state == PowerState.RUNNING

    def test_no_revert_brings_the_old_disk_back(self, driver, spawned, base):
        driver.resize(spawned.server_id, GuestSize(2, 1024, 2, 0, 0, "m1.big"), "token", 0)
        self.rebuild(driver, spawned, base)
        definition, disk = driver.definition(spawned.server_id), folder_of(driver, spawned) / "disk"
        rebuilt = disk.read_bytes()

        driver.revert_resize(spawned.server_id, "token")

        assert (driver.definition(spawned.server_id), disk.read_bytes()) == (definition, rebuilt)

    def test_a_guest_whose_host_lost_it_is_built(self, driver, spec, base):
        assert self.rebuild(driver, spec, base).power_state == PowerState.RUNNING
        driver.destroy(spec.server_id)

    def test_a_guest_is_not_touched_when_the_image_cannot_be_had(self, driver, spawned, tmp_path):
        class Nothing:
            def fetch(self, image, tell):
                raise DriverError("No image.")

        disk = folder_of(driver, spawned) / "disk"
        before = disk.read_bytes()

        with pytest.raises(DriverError, match="No image"):
            driver.rebuild(spawned, Nothing(), samples.ignore, never, start=True, preserve_ephemeral=False)

        assert disk.read_bytes() == before
        assert driver.guests()[spawned.server_id] == PowerState.RUNNING


class TestRescues:
    def test_there_and_back(self, driver, spawned, base):
        own = disks(driver.definition(spawned.server_id))
        disk = folder_of(driver, spawned) / "disk"
        before = disk.read_bytes()

        for _ in range(2):
            built = driver.rescue(spawned.server_id, RESCUE, samples.OneFile(base), samples.ignore)

            assert built.power_state == PowerState.RUNNING
            assert disks(built.definition)[:2] == [("disk.rescue", "vda"), ("disk", "vdb")]
        for _ in range(2):
            assert disks(driver.unrescue(spawned.server_id).definition) == own
        assert driver.guests()[spawned.server_id] == PowerState.RUNNING
        assert disk.read_bytes() == before
        assert not (disk.parent / "disk.rescue").exists()

    def test_a_reboot_starts_a_guest_as_itself(self, driver, spawned, base):
        own = disks(driver.definition(spawned.server_id))
        driver.rescue(spawned.server_id, RESCUE, samples.OneFile(base), samples.ignore)

        driver.reboot(spawned.server_id, hard=True)

        assert disks(driver.definition(spawned.server_id)) == own
        assert driver.guests()[spawned.server_id] == PowerState.RUNNING

    def test_the_end_of_a_rescue_that_there_is_not_only_starts_the_guest(self, driver, spawned):
        driver.pause(spawned.server_id)
        log = driver.console_log(spawned.server_id)
        before = log.read_bytes() if log.exists() else b""
        assert driver.unrescue(spawned.server_id).power_state == PowerState.RUNNING
        assert (log.read_bytes() if log.exists() else b"") == before

    @pytest.mark.parametrize("driver", ["libvirt"], indirect=True)
    def test_an_unrescue_that_comes_again_takes_away_what_one_that_was_interrupted_left(self, driver, spawned):
        left = folder_of(driver, spawned) / "disk.rescue"
        left.touch()
        assert driver.unrescue(spawned.server_id).power_state == PowerState.RUNNING
        assert not left.exists()

    @pytest.mark.parametrize(
        ("device", "bus", "target"),
        [("disk", "virtio", "vdc"), ("disk", "scsi", "sda"), ("disk", "usb", "sda"), ("cdrom", "ide", "hda")],
    )
    def test_a_stable_rescue_leaves_the_own_disks_in_their_places(self, driver, spawned, base, device, bus, target):
        own = disks(driver.definition(spawned.server_id))
        wanted = replace(RESCUE, stable=True, device=device, bus=bus)

        found = read(driver.rescue(spawned.server_id, wanted, samples.OneFile(base), samples.ignore).definition)

        shown = disks(driver.definition(spawned.server_id))
        assert [one for one in shown if one[0] != "disk.rescue"] == own
        assert ("disk.rescue", target) in shown
        added = next(one for one in found.iterfind(".//disk") if one.find("source").get("file").endswith("disk.rescue"))
        assert (added.get("device"), added.find("target").get("bus"), added.find("boot").get("order")) == (device, bus, "1")
        driver.unrescue(spawned.server_id)
