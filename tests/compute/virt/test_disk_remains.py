"""What is left of a guest on its disks: nothing that the next one could read, in the same folder and on true files."""

import subprocess
import uuid
from dataclasses import replace

import pytest

from compute.virt.driver import GuestSize, never
from tests.compute.virt import samples

SECRET, PAGE = 0xA5, 4096
DISKS = {"disk": "qcow2", "disk.eph0": "qcow2", "disk.swap": "raw"}
LARGER = GuestSize(vcpus=1, memory_mb=512, root_gb=2, ephemeral_gb=2, swap_mb=48, flavor_name="larger")


@pytest.fixture
def driver(libvirt_driver):
    return libvirt_driver


@pytest.fixture
def spec(spec):
    return replace(spec, ephemeral_gb=1, swap_mb=32)


def build(driver, spec, base):
    driver.spawn(spec, samples.OneFile(base), samples.ignore, never)
    return driver.console_log(spec.server_id).parent


def write_secrets(folder):
    """Do what a guest does that fills its disks: 16 MiB of each."""
    for name, disk_format in DISKS.items():
        words = ["qemu-io", "-f", disk_format, "-c", f"write -P {SECRET} 0 16M", str(folder / name)]
        subprocess.run(words, check=True, capture_output=True)


def same(one, form, other):
    """Whether a disk reads as a plain file does, and as zeros beyond the shorter of both (qemu-img, "compare")."""
    words = ["qemu-img", "compare", "-f", form, "-F", "raw", str(one), str(other)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def clean(folder, base):
    """Return which disks hold nothing but the image, nothing at all, or a swap's first page."""
    page = folder.parent / "page"
    page.write_bytes((folder / "disk.swap").read_bytes()[:PAGE])
    nothing = folder.parent / "nothing"
    nothing.touch()
    expected = {"disk": base, "disk.eph0": nothing, "disk.swap": page}
    return [name for name, form in DISKS.items() if same(folder / name, form, expected[name])]


@pytest.mark.parametrize("again", [False, True], ids=["another guest", "the same name again"])
def test_a_new_guest_reads_nothing_of_one_that_was_deleted(driver, spec, base, again):
    folder = build(driver, spec, base)
    write_secrets(folder)
    assert clean(folder, base) == []
    driver.destroy(spec.server_id)
    assert not folder.exists()

    other = spec if again else replace(spec, server_id=str(uuid.uuid4()), domain_name=f"{spec.domain_name}-b")
    assert clean(build(driver, other, base), base) == [*DISKS]
    driver.destroy(other.server_id)


def test_a_rebuilt_guest_reads_nothing_of_before(driver, spec, base):
    folder = build(driver, spec, base)
    write_secrets(folder)

    driver.rebuild(spec, samples.OneFile(base), samples.ignore, never, start=True, preserve_ephemeral=False)

    assert clean(folder, base) == [*DISKS]
    driver.destroy(spec.server_id)


def test_what_a_resize_adds_reads_as_zeros_and_the_copy_of_before_goes(driver, spec, base, tmp_path):
    folder = build(driver, spec, base)
    write_secrets(folder)
    mine = tmp_path / "mine"
    mine.write_bytes(bytes([SECRET]) * 16 * 1024 * 1024)

    driver.resize(spec.server_id, LARGER, "token", 0)
    assert same(folder / "resize" / "disk", "qcow2", mine), "what a revert needs"
    driver.confirm_resize(spec.server_id, "token")

    assert same(folder / "disk", "qcow2", mine)
    assert same(folder / "disk.eph0", "qcow2", mine)
    assert "disk.swap" in clean(folder, base), "a new swap disk is empty"
    assert not (folder / "resize").exists()
    driver.destroy(spec.server_id)


def test_nobody_else_on_the_host_reads_a_disk(driver, spec, base):
    folder = build(driver, spec, base)
    driver.resize(spec.server_id, LARGER, "token", 0)

    disks = [path for name in DISKS for path in folder.rglob(name)]
    assert len(disks) == 2 * len(DISKS)
    assert {path.stat().st_mode & 0o077 for path in disks} == {0}
    driver.destroy(spec.server_id)
