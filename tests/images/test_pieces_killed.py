"""Servers killed again and again while images arrive in pieces: each image becomes whole all the same."""

import hashlib
import os
import random
import signal
import threading
import time

import httpx
import pytest

from images.models import Image
from images.services.verification import Report, verify
from images.states import ImageStatus
from tests.images.asgi import file_of
from tests.images.factories import MIB, ImageFactory
from tests.images.test_killed import nursery, store  # noqa: F401
from tests.kit.secrecy import remember

pytestmark = [pytest.mark.real, pytest.mark.django_db(transaction=True)]

KILLS, AT_ONCE = 20, 4
CONTENT = random.Random(3).randbytes(6 * MIB + 11)


class Sender:
    """Sends one image after another, each to its end, in pieces of one length."""

    def __init__(self, address, token, images, piece):
        self.url, self.token, self.piece = f"http://{address[0]}:{address[1]}", token, piece
        self.images, self.done, self.broken = images, [], 0
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        for image in self.images:
            if self._send(image):
                self.done.append(image.pk)

    def _send(self, image):
        deadline, offset = time.monotonic() + 60, None
        while time.monotonic() < deadline:
            answer = self._put(image, offset)
            if answer is not None and answer.status_code == 204:
                return True
            if answer is None or answer.status_code not in (308, 416):
                offset, self.broken = None, self.broken + 1
                time.sleep(0.02)
            else:
                offset = int(answer.headers.get("range", "bytes=0--1").removeprefix("bytes=0-")) + 1
        return False

    def _put(self, image, offset):
        body = b"" if offset is None else CONTENT[offset : offset + self.piece]
        asked = "*" if offset is None else f"{offset}-{offset + len(body) - 1}"
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/octet-stream"}
        headers["Content-Range"] = f"bytes {asked}/{len(CONTENT)}"
        try:
            return httpx.put(self.url + file_of(image), content=body, headers=headers, timeout=10)
        except httpx.TransportError:
            return None


def test_images_in_pieces_become_whole_although_servers_are_killed(personas, store):  # noqa: F811
    dice = random.Random(21)
    token = remember(personas.member.token)
    images = [[ImageFactory(owner=personas.lab.pk) for _number in range(4)] for _sender in range(AT_ONCE)]
    with nursery(store) as (address, pids):
        pieces = (64 << 10, 300_000, MIB, len(CONTENT))
        senders = [Sender(address, token, mine, piece) for mine, piece in zip(images, pieces, strict=True)]
        for sender in senders:
            sender.thread.start()
        for _kill in range(KILLS):
            pid = int(pids.readline())
            time.sleep(dice.uniform(0.02, 0.4))
            os.kill(pid, signal.SIGKILL)
        for sender in senders:
            sender.thread.join()

    assert sum(len(sender.done) for sender in senders) == 4 * AT_ONCE
    assert sum(sender.broken for sender in senders) >= 10, "kills must have met uploads"
    for row in Image.objects.all():
        assert (row.status, row.os_hash_value) == (ImageStatus.ACTIVE, hashlib.sha512(CONTENT).hexdigest())
    assert sorted(entry.name for entry in store.path.iterdir()) == sorted(Image.objects.values_list("pk", flat=True))
    assert list(verify(Report())) == []
