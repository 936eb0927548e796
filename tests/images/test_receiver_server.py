"""The receiver behind a real server on loopback: what clients, slow and broken ones too, meet on the wire."""

import asyncio
import hashlib
import socket
import threading
import time

import httpx
import pytest
import uvicorn

from images.api.v2.receiver import receive
from images.models import Image
from images.services import transfer
from images.states import ImageStatus
from images.stores import registry
from tests.images.asgi import file_of
from tests.images.factories import MIB, ImageFactory, noise

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(settings, tmp_path):
    settings.IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "images"}}
    settings.IMAGE_DEFAULT_STORE = "file"
    registry.reset()
    return registry.get()


@pytest.fixture
def address(store):
    """A server with the receiver alone; gives its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(receive, lifespan="off", log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk)


def headers(personas):
    return {"X-Auth-Token": personas.member.token, "Content-Type": "application/octet-stream"}


def wait_for(image, status):
    for _try in range(500):
        row = Image.objects.get(pk=image.pk)
        if row.status == status:
            return row
        time.sleep(0.01)
    raise AssertionError(row.status)


@pytest.mark.parametrize("chunked", [False, True])
def test_bytes_go_in_and_come_out(personas, address, store, image, chunked):
    content = noise(9 * MIB + 5)
    body = (content[start : start + 100_000] for start in range(0, len(content), 100_000)) if chunked else content
    response = httpx.put(address + file_of(image), content=body, headers=headers(personas))
    assert (response.status_code, response.content) == (204, b"")
    response = httpx.get(address + file_of(image), headers=headers(personas))
    assert response.content == content
    assert response.headers["Content-MD5"] == hashlib.md5(content).hexdigest()
    ticket = transfer.source_url(image).partition("?")[2]
    assert httpx.get(f"{address}{file_of(image)}?{ticket}").content == content
    assert [entry.name for entry in store.path.iterdir()] == [image.pk]


def test_a_connection_cut_in_the_middle_leaves_the_image_queued(personas, address, store, image):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        lines = [f"PUT {file_of(image)} HTTP/1.1", f"Host: {host}", "Content-Length: 9999999"]
        lines += [f"{name}: {value}" for name, value in headers(personas).items()]
        client.sendall("\r\n".join([*lines, "", ""]).encode() + noise(3 * MIB))
        wait_for(image, ImageStatus.SAVING)
    row = wait_for(image, ImageStatus.QUEUED)
    assert row.upload_bytes == 0
    for _try in range(100):
        if not list(store.path.iterdir()):
            break
        time.sleep(0.01)
    assert list(store.path.iterdir()) == []


def test_a_refusal_reaches_a_client_that_still_sends(personas, address, image):
    Image.objects.filter(pk=image.pk).update(disk_format=None)
    response = httpx.put(address + file_of(image), content=noise(8 * MIB), headers=headers(personas))
    assert response.status_code == 400
    assert "disk_format" in response.json()["message"]
