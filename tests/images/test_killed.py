"""Two hundred uploads, and the server killed in the midst of them again and again: what was acknowledged is whole, and nothing else is left."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live
from django.db import connection

from images.models import Image
from images.services import data, leftovers
from images.services.verification import Report, verify
from images.states import ImageStatus
from images.stores import registry
from tests.images.asgi import file_of
from tests.images.factories import MIB, ImageFactory, noise
from tests.kit.secrecy import remember

pytestmark = [pytest.mark.real, pytest.mark.django_db(transaction=True)]

KILLS, AT_ONCE = 25, 8
PIECE = 64 << 10
CONTENT = noise(3 * MIB)


@pytest.fixture
def store(settings, tmp_path):
    settings.IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "images"}}
    settings.IMAGE_DEFAULT_STORE = "file"
    registry.reset()
    return registry.get()


@contextmanager
def nursery(store, before=()):
    """Give the address of servers on the test's database and store, and the pids of them as they come."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.images.killable",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "NEBULET_STATE_DIR": str(live.STATE_DIR),
        "KILLABLE_STORE": str(store.path),
    }
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "tests.images.nursery", str(listening.fileno())],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        pass_fds=[listening.fileno()],
        env=environ,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    try:
        yield listening.getsockname(), process.stdout
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        listening.close()


class Uploads:
    """Uploads that run at once; after so many bytes of all of them something happens."""

    def __init__(self, address, token, after, happens):
        self.address, self.token, self.after, self.happens = address, token, after, happens
        self.sent, self.acknowledged, self.lock = 0, set(), threading.Lock()

    def run(self, images):
        threads = [threading.Thread(target=self._upload, args=(image, size)) for image, size in images]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self._count(1 << 40)

    def _count(self, amount):
        with self.lock:
            before, self.sent = self.sent, self.sent + amount
        if before < self.after <= self.sent:
            self.happens()

    def _upload(self, image, size):
        lines = [f"PUT {file_of(image)} HTTP/1.1", "Host: x", f"Content-Length: {size}", f"X-Auth-Token: {self.token}"]
        lines += ["Content-Type: application/octet-stream", "", ""]
        try:
            with socket.create_connection(self.address, timeout=20) as client:
                client.sendall("\r\n".join(lines).encode())
                for start in range(0, size, PIECE):
                    client.sendall(CONTENT[start : min(start + PIECE, size)])
                    self._count(PIECE)
                if client.recv(4096).startswith(b"HTTP/1.1 204"):
                    self.acknowledged.add(image.pk)
                self._count(PIECE)
        except OSError:
            return


def test_a_server_killed_at_any_byte_loses_nothing_that_it_acknowledged_and_leaves_nothing_behind(personas, store):
    dice = random.Random(20)
    token = remember(personas.member.token)
    acknowledged, images = set(), []
    with nursery(store) as (address, pids):
        for _kill in range(KILLS):
            pid = int(pids.readline())
            some = [(ImageFactory(owner=personas.lab.pk), dice.randrange(1, len(CONTENT))) for _one in range(AT_ONCE)]
            images += some
            total = sum(size for _image, size in some) + AT_ONCE * PIECE
            uploads = Uploads(address, token, dice.randrange(1, total), lambda pid=pid: os.kill(pid, signal.SIGKILL))
            uploads.run(some)
            acknowledged |= uploads.acknowledged
            gone(pid)
            data.reclaim_silent_uploads(timedelta(0))
            leftovers.remove()

    rows = Image.objects.in_bulk([image.pk for image, _size in images])
    active = {pk for pk, row in rows.items() if row.status == ImageStatus.ACTIVE}
    assert len(images) == 200
    assert acknowledged <= active
    assert 20 < len(active) < 180, "kills and uploads must both have happened"
    assert {row.status for row in rows.values()} == {ImageStatus.ACTIVE, ImageStatus.QUEUED}
    assert {rows[image.pk].size for image, size in images if image.pk in active and rows[image.pk].size != size} == set()
    assert {entry.name for entry in store.path.iterdir()} == active
    assert list(verify(Report())) == []
    assert all(row.upload_id is None and row.upload_bytes == 0 for row in rows.values())


def gone(pid):
    """Wait until a killed process holds nothing any more."""
    for _try in range(1000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.005)
    raise AssertionError("it lives")
