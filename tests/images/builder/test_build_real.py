"""Builds tiny from the distribution's packages and boots it under QEMU without KVM, both ways."""

import hashlib
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from images.builder import build, manifest
from images.builder.manifest import Manifest
from tests.images.builder import guest
from tests.images.builder.guest import Guest

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

USER_DATA = "#!/bin/sh\necho hello from user data\nid -u\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    output = tmp_path_factory.mktemp("tiny")
    return output, build(output, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", 'me "quoted" @home', "-f", str(path)], check=True)
    return path


@pytest.fixture
def config_drive(tmp_path: Path, key: Path) -> Path:
    path = tmp_path / "config.iso"
    public_key = key.with_suffix(".pub").read_text().strip()
    guest.config_drive(path, hostname="vm-1.example", public_key=public_key, user_data=USER_DATA)
    return path


def disk_copy(source: Path, folder: Path, disk_format: str) -> list[str]:
    target = folder / "disk"
    shutil.copyfile(source, target)
    return ["-drive", f"file={target},format={disk_format},if=virtio"]


def attached(config_drive: Path) -> list[str]:
    return ["-drive", f"file={config_drive},format=raw,if=virtio,readonly=on"]


def direct(output: Path, made: Manifest, folder: Path) -> list[str]:
    return [
        *("-kernel", str(output / made.image("tiny-kernel").file), "-initrd", str(output / made.image("tiny-ramdisk").file)),
        *("-append", made.cmdline),
        *disk_copy(output / made.image("tiny-machine").file, folder, "raw"),
    ]


def test_the_manifest_tells_the_truth(built: tuple[Path, Manifest]) -> None:
    output, made = built
    assert manifest.read(output) == made
    assert {image.name: image.disk_format for image in made.images} == {
        "tiny": "qcow2",
        "tiny-kernel": "aki",
        "tiny-ramdisk": "ari",
        "tiny-machine": "ami",
    }
    for image in made.images:
        data = (output / image.file).read_bytes()
        assert (image.size, image.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert made.image("tiny").size < 16 * 1024 * 1024
    info = subprocess.run(
        ["qemu-img", "info", "--output=json", str(output / "tiny.qcow2")], capture_output=True, check=True
    ).stdout
    assert json.loads(info)["virtual-size"] == made.image("tiny").virtual_size


def test_the_disk_boots_and_keeps_its_files(
    built: tuple[Path, Manifest], tmp_path: Path, key: Path, config_drive: Path
) -> None:
    output, made = built
    arguments = [*disk_copy(output / made.image("tiny").file, tmp_path, "qcow2"), *attached(config_drive)]
    with Guest(tmp_path, arguments) as machine:
        seconds = machine.wait_for("vm-1 login:")
        print(f"login prompt of the disk after {seconds:.1f} s")
        machine.wait_for("tiny: user data ended with code 0")
        assert "tiny: hello from user data" in machine.log()
        machine.wait_for("Fingerprint:")
        wait_for_ssh(machine, key)

        assert machine.ssh("id -un; sudo id -u; hostname", key=key).stdout.split() == ["tiny", "0", "vm-1"]
        assert machine.ssh("id -u", key=key, user="root").stdout.split() == ["0"]
        refused = machine.ssh("true", key=key, options=["-o", "PubkeyAuthentication=no"])
        assert refused.returncode == 255
        assert "Permission denied (publickey)" in refused.stderr

        machine.ssh("echo kept > note; sudo reboot", key=key)
        machine.wait_for("vm-1 login:", count=2)
        machine.wait_for("Fingerprint:", count=2)
        wait_for_ssh(machine, key)
        # The same host key as before, or ssh would refuse to connect.
        assert machine.ssh("cat note", key=key).stdout == "kept\n"
        assert machine.log().count("hello from user data") == 1
        off = machine.press_power_button()
        print(f"off {off:.1f} s after the power button")
        assert off < 3


def test_kernel_and_ramdisk_boot_directly(built: tuple[Path, Manifest], tmp_path: Path, key: Path, config_drive: Path) -> None:
    output, made = built
    with Guest(tmp_path, [*direct(output, made, tmp_path), *attached(config_drive)]) as machine:
        print(f"login prompt after {machine.wait_for('vm-1 login:'):.1f} s")
        machine.wait_for("Fingerprint:")
        wait_for_ssh(machine, key)
        assert "/mnt ext4" in machine.ssh("cat /proc/mounts", key=key).stdout
        assert machine.press_power_button() < 3


def test_a_config_drive_on_ide(built: tuple[Path, Manifest], tmp_path: Path, config_drive: Path) -> None:
    output, made = built
    cdrom = ["-drive", f"file={config_drive},format=raw,if=ide,media=cdrom,readonly=on"]
    with Guest(tmp_path, [*direct(output, made, tmp_path), *cdrom]) as machine:
        machine.wait_for("config drive read from /dev/sr0")
        machine.wait_for("vm-1 login:")


def test_the_least_memory_the_manifest_promises(built: tuple[Path, Manifest], tmp_path: Path) -> None:
    output, made = built
    tiny = made.image("tiny")
    with Guest(tmp_path, disk_copy(output / tiny.file, tmp_path, "qcow2"), ram_mb=tiny.min_ram_mb) as machine:
        machine.wait_for("tiny login:")
        machine.wait_for("Fingerprint:")
        assert "Out of memory" not in machine.log()


def wait_for_ssh(machine: Guest, key: Path) -> None:
    """The fingerprint is printed a moment before the server listens."""
    for _ in range(20):
        answer = machine.ssh("true", key=key)
        if answer.returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError(answer.stderr)
