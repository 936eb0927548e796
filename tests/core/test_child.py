"""A child that works on what strangers wrote: what it can reach, what it may use, and qemu-img in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.core.disks import child, qemu_img
from portal.core.disks.child import ChildError, Limits

MIB = 1 << 20
SMALL = Limits(file_bytes=MIB, seconds=20, cpu_seconds=5, memory_bytes=512 * MIB)
ROOT = os.geteuid() == 0


def sh(script, limits=SMALL, **options):
    return child.run(["sh", "-c", script], limits=limits, readable=["/proc"], **options)


def status():
    return dict(line.split(":\t", 1) for line in sh("cat /proc/self/status").splitlines() if ":\t" in line)


def test_a_child_has_no_network():
    lines = sh("cat /proc/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] in ([], ["lo"])


def test_a_child_gains_no_rights_and_has_none():
    known = status()
    assert known["NoNewPrivs"] == "1"
    if ROOT:
        assert known["Uid"].split() == [str(child.NOBODY)] * 4
        assert known["Groups"].split() == []
        assert {int(known[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


def test_a_child_inherits_neither_files_nor_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "x")
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        assert str(tmp_path) not in sh("ls -l /proc/self/fd")
    assert "A_SECRET" not in sh("env")


def test_a_child_reads_only_the_file_it_was_lent(tmp_path):
    tmp_path.chmod(0o700)
    mine, other = tmp_path / "mine", tmp_path / "other"
    for path in (mine, other):
        path.write_text(path.name)
        path.chmod(0o600)
    before = mine.stat()
    with child.lent(mine, os.O_RDONLY) as descriptor:
        assert sh(f"cat {child.named(descriptor)}", files=[descriptor]) == "mine"
        with pytest.raises(ChildError, match="denied"):
            sh(f"cat {other}", files=[descriptor])
    assert (mine.stat().st_uid, mine.stat().st_gid) == (before.st_uid, before.st_gid)


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "/tmp", "/var/log", "/proc/self/environ"])
def test_a_child_reads_nothing_that_anybody_may_read(path):
    with pytest.raises(ChildError, match="denied"):
        child.run(["ls" if path in ("/tmp", "/var/log") else "cat", path], limits=SMALL)


def test_a_child_writes_nowhere_else(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(ChildError, match=r"denied|cannot"):
        sh(f"echo x >{tmp_path}/out")
    with pytest.raises(ChildError, match=r"denied|cannot"):
        sh("echo x >/dev/shm/out")


def test_a_link_is_not_lent(tmp_path):
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic"), child.lent(tmp_path / "link", os.O_RDONLY):
        pass


@pytest.mark.parametrize(
    ("script", "limits", "why"),
    [
        ("sleep 60", Limits(file_bytes=MIB, seconds=1), "longer than 1 seconds"),
        ("while :; do :; done", Limits(file_bytes=MIB, seconds=20, cpu_seconds=1), "1 seconds of processor time"),
        ("exit 3", SMALL, "exit code 3"),
        ("echo first; echo the reason >&2; exit 1", SMALL, "^the reason$"),
    ],
)
def test_a_child_that_fails_or_lasts_says_why(script, limits, why):
    with pytest.raises(ChildError, match=why):
        sh(script, limits=limits)


def test_a_child_cannot_write_more_than_it_may(tmp_path):
    (tmp_path / "out").touch()
    with child.lent(tmp_path / "out", os.O_RDWR) as descriptor, pytest.raises(ChildError, match="more than the 1048576 bytes"):
        child.run(
            ["dd", "if=/dev/zero", f"of={child.named(descriptor)}", "bs=1M", "count=5"], limits=SMALL, files=[descriptor]
        )
    assert (tmp_path / "out").stat().st_size <= MIB


def test_a_child_cannot_take_more_memory_than_it_may():
    with pytest.raises(ChildError, match="memory exhausted"):
        child.run(["grep", "-a", "x", "/dev/zero"], limits=SMALL)


def test_a_missing_program_is_named():
    with pytest.raises(ChildError, match="no-such-program"):
        child.run(["no-such-program"], limits=SMALL)


def test_a_child_that_is_not_wanted_any_more_is_ended():
    def unwanted():
        raise KeyError("enough")

    began = time.monotonic()
    with pytest.raises(KeyError):
        sh("sleep 30", still_wanted=unwanted)
    assert time.monotonic() - began < 5


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.qcow2"
    qemu_img.create_blank(path, "qcow2", 8 * MIB)
    return path


pytestmark = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img is not installed")


def test_a_disk_is_converted_and_nobody_else_reads_it(disk, tmp_path):
    target = tmp_path / "disk.raw"
    qemu_img.convert(disk, "qcow2", target, "raw", virtual_bytes=8 * MIB)
    assert target.read_bytes() == bytes(8 * MIB)
    assert (target.stat().st_uid, target.stat().st_mode & 0o777) == (os.geteuid(), 0o600)


def test_a_failed_conversion_leaves_no_file(tmp_path):
    (tmp_path / "junk").write_bytes(b"junk" * 1000)
    with pytest.raises(ChildError, match="not in qcow2 format"):
        qemu_img.convert(tmp_path / "junk", "qcow2", tmp_path / "out", "raw", virtual_bytes=MIB)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_grows_past_what_it_claimed_is_stopped(tmp_path):
    qemu_img.create_blank(tmp_path / "large", "qcow2", 1 << 30)
    with pytest.raises(ChildError, match="more than"):
        qemu_img.convert(tmp_path / "large", "qcow2", tmp_path / "out", "raw", virtual_bytes=MIB)
    assert not (tmp_path / "out").exists()


def test_a_bomb_goes_off_in_no_more_than_the_room_that_is_free(tmp_path):
    (tmp_path / "raw").write_bytes(b"\1" * (96 * MIB))
    bomb, out = tmp_path / "bomb", tmp_path / "out"
    subprocess.run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", tmp_path / "raw", bomb], check=True)
    (tmp_path / "raw").unlink()
    assert bomb.stat().st_size < 2 * MIB
    keep = shutil.disk_usage(tmp_path).free - 16 * MIB
    with pytest.raises(ChildError, match="would fill the disk"):
        qemu_img.convert(bomb, "qcow2", out, "raw", virtual_bytes=96 * MIB, keep_free_bytes=keep)
    assert not out.exists()


def test_an_overlay_does_not_open_its_base(tmp_path):
    qemu_img.create_overlay(tmp_path / "overlay", tmp_path / "absent", "raw", 8 * MIB)
    said = subprocess.run(
        ["qemu-img", "info", "-f", "qcow2", tmp_path / "overlay"], capture_output=True, text=True, check=True
    ).stdout
    assert f"backing file: {tmp_path / 'absent'}" in said
    assert "backing file format: raw" in said


def test_a_raw_disk_that_a_guest_made_look_like_a_qcow2_stays_raw(tmp_path):
    base = tmp_path / "base"
    qemu_img.create_overlay(base, tmp_path / "host secret", "raw", 8 * MIB)
    qemu_img.create_overlay(tmp_path / "overlay", base, "raw", base.stat().st_size)
    command = ["qemu-img", "info", "--backing-chain", "--output=json", "-f", "qcow2", tmp_path / "overlay"]
    chain = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [one["format"] for one in chain] == ["qcow2", "raw"]


@pytest.mark.skipif(not ROOT, reason="only root can become the service user")
def test_the_service_users_child_is_kept_from_the_network_where_the_kernel_allows_it(disk, tmp_path):
    code = (
        "from portal.core.disks import child\n"
        "limits = child.Limits(1 << 20)\n"
        "print(child.run(['cat', '/proc/self/status', '/proc/net/dev'], limits=limits, readable=['/proc']))\n"
        "try:\n    child.run(['cat', '/etc/hostname'], limits=limits)\n"
        "except child.ChildError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "NoNewPrivs:\t1" in done.stdout
    assert "lo:" in done.stdout
    assert "eth0" not in done.stdout
    assert "Permission denied" in done.stdout
