"""The disk under the guests' folders full, or not to be written to, in the middle of what is done to a guest."""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute.virt.driver import GuestSize, ImageRef, Quiesce, RescueSpec, never
from compute.virt.errors import DriverError
from compute.virt.libvirt.differences import steady
from compute.virt.libvirt.driver import LibvirtDriver, Options
from tests.compute.virt import samples

pytestmark = pytest.mark.real

STEP = 48 * 1024
RESCUE = RescueSpec(image=ImageRef("rescue", "http://nowhere", 1, "md5", "0" * 32, "qcow2", "bare"))
LARGER = GuestSize(2, 1024, 40, 2, 16, "m1.larger")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes with the guests' folders."""
    folder = tmp_path / "instances"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def driver(shelf: Path, tmp_path: Path) -> LibvirtDriver:
    """libvirt's own pretended hypervisor, and true files."""
    return LibvirtDriver(Options("test:///default", shelf, tmp_path.name, "0.1.0"))


class Guest:
    """A guest that has written something, and how it is."""

    def __init__(self, driver: LibvirtDriver, spec, base: Path, shelf: Path) -> None:
        self.driver, self.id, self.base, self.shelf, self.spec = driver, spec.server_id, samples.OneFile(base), shelf, spec
        self.folder = shelf / self.id
        self.disk = self.folder / "disk"
        with self.disk.open("ab") as file:
            file.write(b"7" * 512 * 1024)

    def state(self) -> tuple:
        files = {str(one.relative_to(self.folder)) for one in self.folder.rglob("*")} - {"console.log", "console-1.log"}
        written = hashlib.sha256(self.disk.read_bytes()).hexdigest()
        return self.driver.guests()[self.id], steady(self.driver.definition(self.id)), written, files

    def copy(self) -> None:
        target = self.shelf / "image"
        self.driver.copy_disk(self.id, target, Quiesce.NO, samples.ignore, never)
        target.unlink()

    def rescue(self) -> None:
        self.driver.rescue(self.id, RESCUE, self.base, samples.ignore)

    def resize(self) -> None:
        self.driver.resize(self.id, LARGER, "token", 0)

    def rebuild(self) -> None:
        self.driver.rebuild(self.spec, self.base, samples.ignore, never, start=True, preserve_ephemeral=False)


@pytest.fixture
def guest(driver, spec, base, shelf) -> Iterator[Guest]:
    driver.spawn(spec, samples.OneFile(base), samples.ignore, never)
    yield Guest(driver, spec, base, shelf)
    driver.destroy(spec.server_id)


def fill(shelf: Path, but: int) -> None:
    """Leave so many bytes free."""
    (shelf / "ballast").unlink(missing_ok=True)
    free = os.statvfs(shelf)
    with (shelf / "ballast").open("wb") as file:
        file.write(b"x" * max(0, free.f_bavail * free.f_bsize - but))


@pytest.mark.parametrize("action", ["copy", "rescue", "resize"])
def test_wherever_a_full_disk_ends_it_the_guest_is_as_it_was(guest: Guest, shelf: Path, action: str):
    before = guest.state()
    failures = []
    for room in range(0, 3 * 1024 * 1024, STEP):
        fill(shelf, room)
        try:
            getattr(guest, action)()
        except (DriverError, OSError) as error:
            failures.append(str(error))
            assert guest.state() == before, f"with {room} bytes left: {error}"
        else:
            break
    else:
        assert action == "copy", failures[-1]  # which leaves room for others
    assert failures
    assert [one for one in failures if "full" not in one and "would fill" not in one] == []


def test_a_rebuild_that_finds_no_room_for_its_definition_leaves_the_guest_as_it_was(guest: Guest, shelf: Path):
    """Further on it needs no more than it had: its old disks are gone by then."""
    before = guest.state()
    time.sleep(0.5)  # a child that made a disk holds its room for a moment after its end
    fill(shelf, 0)
    with pytest.raises(DriverError, match="disk of this host is full"):
        guest.rebuild()
    assert guest.state() == before
    fill(shelf, 1024 * 1024)
    guest.rebuild()


@pytest.mark.parametrize("action", ["copy", "rescue", "resize", "rebuild"])
def test_a_disk_that_is_not_written_to_any_more_ends_it_with_a_sentence_and_the_guest_is_as_it_was(
    guest: Guest, shelf: Path, action: str
):
    before = guest.state()
    subprocess.run(["mount", "-o", "remount,ro", str(shelf)], check=True)
    try:
        with pytest.raises(DriverError, match="Read-only file system"):
            getattr(guest, action)()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(shelf)], check=True)
    assert guest.state() == before
