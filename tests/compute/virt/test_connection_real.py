"""The connection to a real libvirt that dies, comes back, or stops without dying; it is the test's own and has no hypervisor."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compute.states import PowerState
from compute.virt.errors import HypervisorUnreachable
from compute.virt.libvirt.connection import Connection, translated
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

NOBODY = 65534


@dataclass
class Libvirt:
    """A libvirt of a user who may do nothing, on a socket of its own; what it offers is the pretended hypervisor."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nebulet-libvirt-", dir="/var/tmp")))

    def __post_init__(self) -> None:
        os.chown(self.folder, NOBODY, NOBODY)
        self.socket = self.folder / "libvirt" / "libvirt-sock"
        self.uri = f"test+unix:///default?socket={self.socket}"

    def start(self) -> None:
        names = ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "libvirtd"],
            env={"PATH": os.environ["PATH"], **dict.fromkeys(names, str(self.folder))},
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def virsh(self, *words: str) -> None:
        """Do something as another client; there is one guest, ``test``."""
        subprocess.run(["virsh", "-q", "-c", self.uri, *words], check=True, capture_output=True)


@pytest.fixture
def libvirt() -> Iterator[Libvirt]:
    libvirt = Libvirt()
    libvirt.start()
    try:
        wait_for("libvirt's socket", libvirt.socket.is_socket, 60)
        yield libvirt
    finally:
        libvirt.kill()
        shutil.rmtree(libvirt.folder)


@pytest.fixture
def connection(libvirt) -> Connection:
    connection = Connection(libvirt.uri, keepalive_s=1)
    connection.again = threading.Semaphore(0)
    connection.reopened = connection.again.release
    wait_for("libvirt", lambda: reached(connection), 60)
    return connection


def reached(connection: Connection) -> bool:
    try:
        return bool(connection.get().isAlive())
    except HypervisorUnreachable:
        return False


def test_after_the_death_of_libvirt_guests_are_heard_again_though_nobody_asked(libvirt, connection):
    for _ in range(3):
        libvirt.kill()
        wait_for("the loss to be noticed", lambda: not reached(connection), 60)
        libvirt.start()
        assert connection.again.acquire(timeout=10)
        libvirt.virsh("destroy", "test")
        assert connection.events.get(timeout=2)[1] == PowerState.SHUTDOWN


def test_lost_connections_leave_no_file_descriptors(libvirt, connection):
    def lose() -> int:
        libvirt.kill()
        libvirt.start()
        assert connection.again.acquire(timeout=10)
        return len(os.listdir("/proc/self/fd"))

    counts = [lose() for _ in range(5)]
    assert counts[-1] <= counts[0] + 1, counts


def test_a_libvirt_that_stopped_without_dying_keeps_nobody_for_ever(libvirt, connection):
    connect = connection.get()
    os.kill(libvirt.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(HypervisorUnreachable), translated():
            connect.listAllDomains()
        assert time.monotonic() - began < 8

        began, ends = time.monotonic(), []
        threads = [threading.Thread(target=lambda: ends.append(reached(connection))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert ends == [False] * 4
        assert time.monotonic() - began < 8, "all wait for the same answer"
    finally:
        os.kill(libvirt.process.pid, signal.SIGCONT)
    assert connection.again.acquire(timeout=10)
    assert [domain.name() for domain in connection.get().listAllDomains()] == ["test"]
