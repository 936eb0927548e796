"""Images fetched ahead of any server and evicted: a whole worker with the fake driver on a real queue."""

import time
from dataclasses import replace

import pytest

from compute.messages import EvictImage, FetchImage, HostReport, ImageNotFetched
from compute.virt.fake import Pretence
from compute.virt.naming import cache_name
from tests.compute.worker.test_images import server  # noqa: F401
from tests.compute.worker.world import spawn
from tests.kit.waiting import wait_for


@pytest.fixture
def host(world):
    return world(pretence=Pretence(fetch_images=True))


def until(what):
    return wait_for("the host", what, 10, every=0.02)


def holds(conductor, *image_ids):
    """Wait for a report that names these images and no other."""

    def probe():
        reports = conductor.of(HostReport)
        return reports and {held.image_id for held in reports[-1].images or ()} == set(image_ids) and reports[-1]

    return until(probe)


def test_an_image_is_fetched_ahead_reported_and_evicted(host, server, tmp_path):  # noqa: F811
    _host, conductor = host
    image = server.image(b"x" * 300_000)
    holds(conductor)

    conductor.send(FetchImage(image, "req-1"))
    (held,) = holds(conductor, image.id).images
    conductor.send(FetchImage(image, "req-2"))
    time.sleep(0.3)

    assert held.bytes >= 300_000
    assert held.disks == 0
    assert server.requests == 1
    assert (tmp_path / "instances" / "_base" / cache_name(image.id)).read_bytes() == server.content

    conductor.send(EvictImage(image.id, "req-3"))
    conductor.send(EvictImage(image.id, "req-4"))
    holds(conductor)
    assert not conductor.of(ImageNotFetched)


def test_a_server_finds_the_image_there_and_keeps_it(host, server, tmp_path):  # noqa: F811
    _host, conductor = host
    image = server.image(b"x" * 300_000)
    conductor.send(FetchImage(image, "req-1"))
    holds(conductor, image.id)
    command = spawn()
    command = replace(command, guest=replace(command.guest, image=image))

    assert conductor.outcome(conductor.send(command)).fault is None
    until(lambda: conductor.of(HostReport)[-1].images[0].disks == 1)
    conductor.send(EvictImage(image.id, "req-2"))
    time.sleep(0.5)

    assert server.requests == 1
    assert (tmp_path / "instances" / "_base" / cache_name(image.id)).exists()


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"hash_value": "0" * 64}, "does not match its checksum"),
        ({"disk_format": "qcow2"}, "is refused"),
        ({"size": 5}, "is larger than the 5 bytes"),
    ],
)
def test_an_image_is_checked_as_for_a_build(host, server, lie, reason, tmp_path):  # noqa: F811
    _host, conductor = host
    image = replace(server.image(b"x" * 300_000), **lie)

    conductor.send(FetchImage(image, "req-1"))

    (told,) = until(lambda: conductor.of(ImageNotFetched))
    assert (told.host, told.image_id, told.request_id) == ("host1", image.id, "req-1")
    assert reason in told.fault
    assert not (tmp_path / "instances" / "_base" / cache_name(image.id)).exists()


def test_a_fetch_ends_when_the_image_is_not_wanted_any_more(host, server, tmp_path):  # noqa: F811
    _host, conductor = host
    server.pause_s = 0.05
    image = server.image(b"x" * 65536 * 200)
    conductor.send(FetchImage(image, "req-1"))
    base = tmp_path / "instances" / "_base"
    until(lambda: list(base.glob("*.part")))

    conductor.send(EvictImage(image.id, "req-2", cancels="req-1"))

    until(lambda: not list(base.glob("*.part")))
    conductor.send(FetchImage(image, "req-1"))  # a doubled message
    time.sleep(0.3)
    assert not (base / cache_name(image.id)).exists()
    assert not conductor.of(ImageNotFetched)

    server.pause_s = 0
    conductor.send(FetchImage(image, "req-3"))
    holds(conductor, image.id)
