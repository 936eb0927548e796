"""What a host's image cache holds, what stays, and what goes."""

import os
import time
from pathlib import Path

import pytest

from compute.messages import Spawn
from compute.virt.errors import DriverError
from compute.virt.fake import FakeDriver, Pretence
from compute.virt.naming import cache_name
from compute.worker import holdings as subject
from compute.worker.build import Builder, Timings
from compute.worker.holdings import Holdings
from compute.worker.images import note_use, record_of
from compute.worker.operations import Operations
from tests.compute.virt import samples

DAY_S = 86_400


class Shelf:
    """A cache whose files are put there by hand, and the disks that lie on them."""

    def __init__(self, folder, keep_days=14):
        self.folder = folder
        self.disks = []
        folder.mkdir(parents=True, exist_ok=True)
        self.holdings = Holdings(folder, self.bases, keep_days=keep_days)

    def bases(self):
        if isinstance(self.disks, Exception):
            raise self.disks
        return self.disks

    def put(self, image_id, days_ago=0.0):
        path = self.folder / cache_name(image_id)
        path.write_bytes(b"x" * 8192)
        note_use(path, image_id)
        then = time.time() - days_ago * DAY_S
        for one in (path, record_of(path)):
            os.utime(one, (then, then))
        return path

    def ids(self):
        return {held.image_id for held in self.holdings.listed()}


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "_base")


def test_an_image_is_listed_with_its_room_its_disks_and_its_last_use(shelf):
    path = shelf.put("red", days_ago=3)
    shelf.disks = [path, path]

    (held,) = shelf.holdings.listed()

    assert (held.image_id, held.bytes, held.disks) == ("red", path.stat().st_blocks * 512, 2)
    assert held.fetched_at == pytest.approx(time.time() - 3 * DAY_S, abs=60)
    assert held.used_at == pytest.approx(held.fetched_at, abs=1)


def test_an_image_is_listed_by_the_id_that_its_fetch_noted(shelf):
    path = shelf.put("red")
    record_of(path).write_text("red\n8192 1234567890\n")
    note_use(path, "red")

    assert shelf.ids() == {"red"}


def test_what_is_no_whole_image_is_not_listed(shelf, tmp_path):
    path = shelf.put("red")
    path.with_name(f"{path.name}.part").touch()
    (tmp_path / "secret").touch()
    (shelf.folder / cache_name("blue")).symlink_to(tmp_path / "secret")
    note_use(shelf.folder / cache_name("blue"), "blue")
    record_of(shelf.put("green")).write_text("another's id")

    assert shelf.ids() == {"red"}


def test_an_image_without_disks_is_evicted_and_only_that(shelf):
    red, blue = shelf.put("red"), shelf.put("blue")

    assert shelf.holdings.evict("red")
    assert shelf.holdings.evict("red")

    assert not red.exists()
    assert blue.exists()


def test_an_image_under_a_disk_stays(shelf):
    red = shelf.put("red")
    shelf.disks = [red]

    assert not shelf.holdings.evict("red")
    assert red.exists()


def test_an_image_whose_disks_lie_in_a_folder_under_another_name_stays(shelf):
    red = shelf.put("red")
    shelf.disks = [Path("/elsewhere") / red.name]

    assert not shelf.holdings.evict("red")


def test_a_kernel_that_a_guest_has_under_a_second_name_stays(shelf, tmp_path):
    kernel = shelf.put("kernel")
    os.link(kernel, tmp_path / "kernel")

    assert not shelf.holdings.evict("kernel")
    assert shelf.holdings.listed()[0].disks == 1


def test_an_image_of_a_build_that_runs_stays(shelf):
    red = shelf.put("red")
    with shelf.holdings.kept(["red"]):
        with shelf.holdings.kept(["red"]):
            pass
        assert not shelf.holdings.evict("red")
    assert red.exists()

    assert shelf.holdings.evict("red")


def test_nothing_is_removed_or_listed_while_a_disk_does_not_tell_what_it_lies_on(shelf, caplog):
    red = shelf.put("red", days_ago=100)
    shelf.disks = DriverError("disk: Permission denied.")

    assert shelf.holdings.listed() is None
    shelf.holdings.tidy()
    with pytest.raises(DriverError):
        shelf.holdings.evict("red")

    assert red.exists()
    assert "nothing was aged: disk: Permission denied." in caplog.text


def test_an_image_that_no_disk_used_for_the_days_of_grace_goes(shelf):
    old, used, young = shelf.put("old", 15), shelf.put("used", 15), shelf.put("young", 13)
    shelf.disks = [used]

    shelf.holdings.tidy()

    assert [path.exists() for path in (old, used, young)] == [False, True, True]


def test_the_days_of_grace_begin_when_the_last_disk_goes(shelf, monkeypatch):
    monkeypatch.setattr(subject, "TIDY_EVERY_S", 0)
    used = shelf.put("used", 15)
    shelf.disks = [used]
    shelf.holdings.tidy()
    shelf.disks = []

    shelf.holdings.tidy()

    assert used.exists()
    assert shelf.holdings.listed()[0].used_at == pytest.approx(time.time(), abs=60)


def test_an_image_of_which_nothing_was_written_down_has_its_days_of_grace(shelf, monkeypatch):
    monkeypatch.setattr(subject, "TIDY_EVERY_S", 0)
    older = shelf.put("older", 100)
    record_of(older).unlink()
    shelf.holdings.tidy()
    shelf.holdings.tidy()
    assert older.exists()

    os.utime(record_of(older), (0, 0))
    shelf.holdings.tidy()

    assert not older.exists()


def test_zero_days_keep_everything(tmp_path):
    shelf = Shelf(tmp_path / "_base", keep_days=0)
    old = shelf.put("old", 1000)

    shelf.holdings.tidy()

    assert old.exists()


def test_the_cache_is_looked_through_once_an_hour(shelf):
    shelf.holdings.tidy()
    old = shelf.put("old", 15)

    shelf.holdings.tidy()

    assert old.exists()


class Evicting:
    """An image cache at whose fetch somebody tries to evict the image."""

    def __init__(self, shelf):
        self.shelf = shelf
        self.evicted = []

    def fetch(self, image, tell):
        path = self.shelf.put(image.id)
        self.evicted.append(self.shelf.holdings.evict(image.id))
        return path


class Quiet:
    host = "host1"

    def try_send(self, report):
        return True


def test_an_image_is_not_evicted_between_its_fetch_and_the_disk_on_top(shelf, tmp_path):
    driver, images = FakeDriver(tmp_path / "instances", Pretence(fetch_images=True)), Evicting(shelf)
    builder = Builder(driver, images, Quiet(), Operations(), keeping=shelf.holdings.kept)
    guest = samples.guest()

    builder.build(Spawn(guest.server_id, "req-1", guest), Timings())

    assert images.evicted == [False]
    assert driver.bases() == [shelf.folder / cache_name(guest.image.id)]
    assert shelf.holdings.evict(guest.image.id), "the build is over, and this shelf's disks are empty"
