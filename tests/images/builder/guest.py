"""A guest under QEMU without KVM, for the real test: serial port in a file, SSH by a loopback port, power button by QMP."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pycdlib

_STEP_S = 0.1


def config_drive(path: Path, *, hostname: str, public_key: str, user_data: str) -> None:
    """An ISO 9660 image with the label and files of an OpenStack config drive."""
    metadata = {
        "uuid": "83679162-1378-4288-a2d4-70e13ec132aa",
        "meta": {"note": 'a "quoted" {brace}\\'},
        "public_keys": {"my key": public_key + "\n"},
        "keys": [{"name": "my key", "type": "ssh", "data": public_key + "\n"}],
        "hostname": hostname,
        "name": "the first",
        "launch_index": 0,
        "random_seed": "a/b+c==",
    }
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=4, joliet=3, rock_ridge="1.09", vol_ident="config-2")
    for folder in ("/openstack", "/openstack/latest"):
        iso.add_directory(folder, rr_name=folder.rpartition("/")[2], joliet_path=folder)
    for name, text in (("meta_data.json", json.dumps(metadata)), ("user_data", user_data)):
        data = text.encode()
        place = f"/openstack/latest/{name}"
        iso.add_fp(BytesIO(data), len(data), place, rr_name=name, joliet_path=place)
    iso.write(str(path))
    iso.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Guest:
    """A running guest; use it in a `with` block, which ends it."""

    def __init__(self, folder: Path, arguments: Sequence[str], *, ram_mb: int = 128) -> None:
        self.folder = folder
        self.serial = folder / "serial.log"
        self.ssh_port = free_port()
        self._qmp = folder / "qmp.sock"
        self.started = time.monotonic()
        machine = ["qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", str(ram_mb), "-display", "none", "-no-user-config"]
        network = f"user,id=net,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22"
        self.process = subprocess.Popen(
            [
                *machine,
                *("-serial", f"file:{self.serial}"),
                *("-qmp", f"unix:{self._qmp},server=on,wait=off"),
                *("-netdev", network, "-device", "virtio-net-pci,netdev=net"),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
        )

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def log(self) -> str:
        return self.serial.read_text(errors="replace") if self.serial.exists() else ""

    def wait_for(self, text: str, *, seconds: float = 60, count: int = 1) -> float:
        """Seconds since the start when the serial port showed the text that often."""
        deadline = time.monotonic() + seconds
        while self.log().count(text) < count:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no {text!r} on the serial port:\n{self.log()[-3000:]}")
            time.sleep(_STEP_S)
        return time.monotonic() - self.started

    def qmp(self, command: str, **arguments: object) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._qmp))
            stream = connection.makefile("rw")
            stream.readline()
            for message in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(message) + "\n")
                stream.flush()
                stream.readline()

    def press_power_button(self) -> float:
        """Seconds until the guest was off."""
        pressed = time.monotonic()
        self.qmp("system_powerdown")
        self.process.wait(timeout=30)
        return time.monotonic() - pressed

    def ssh(
        self, command: str, *, key: Path, user: str = "tiny", options: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        known_hosts = self.folder / "known_hosts"
        settings = {"UserKnownHostsFile": known_hosts, "StrictHostKeyChecking": "accept-new", "BatchMode": "yes"}
        chosen = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        return subprocess.run(
            ["ssh", "-F", os.devnull, "-i", str(key), *chosen, "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=20", *options,
             "-p", str(self.ssh_port), f"{user}@127.0.0.1", command],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
