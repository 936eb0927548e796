"""Image bytes in, over ASGI as a server speaks it."""

import asyncio
import hashlib
import logging
import threading
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from accounts import delegations
from accounts.models import Assignment
from accounts.services import application_credentials, quotas, tokens
from accounts.services.tokens import Scope
from images.api.v2 import upload as uploading
from images.models import Image
from images.services import data, limits, registry, transfer
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import Forbidden, Gone
from tests.accounts.factories import ServiceFactory
from tests.images.asgi import call, file_of
from tests.images.factories import MIB, ImageFactory, noise, qcow2

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk)


async def fresh(image):
    return await sync_to_async(Image.objects.get)(pk=image.pk)


async def assert_queued(image, store):
    row = await fresh(image)
    assert (row.status, row.upload_id, row.upload_bytes, row.size) == (ImageStatus.QUEUED, None, 0, None)
    assert store.parts == {}
    assert store.data == {}


@pytest.mark.parametrize("length", ["sum", None])
@pytest.mark.parametrize("size", [0, 1, 700, MIB, 5 * MIB + 3])
async def test_an_upload_makes_the_image_active(personas, image, store, length, size):
    content = noise(size)
    chunks = [content[start : start + 65536] for start in range(0, size, 65536)]
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=chunks, length=length)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    row = await fresh(image)
    assert row.status == ImageStatus.ACTIVE
    assert (row.size, row.virtual_size, row.upload_bytes) == (size, size, 0)
    assert [place.store async for place in row.locations.all()] == ["memory"]
    assert row.checksum == hashlib.md5(content).hexdigest()
    assert (row.os_hash_algo, row.os_hash_value) == ("sha512", hashlib.sha512(content).hexdigest())
    assert store.data[image.pk] == content


async def test_access_rules_of_an_application_credential_bind_image_data_too(personas, image, active, store):
    token = await sync_to_async(confined)(personas, {"service": "image", "method": "GET", "path": "/v2/images/*/file"})
    assert (await call("GET", file_of(active), token=token)).body == b"abc"
    assert (await call("PUT", file_of(image), token=token, chunks=[b"abc"])).status == 401
    assert (await call("HEAD", file_of(active), token=token)).status == 401
    assert (await fresh(image)).status == ImageStatus.QUEUED
    assert set(store.data) == {active.pk}


def confined(personas, rule):
    """Return a token of the member that is good for one kind of request."""
    row, _secret = application_credentials.create(
        ctx=personas.member.ctx, user_id=personas.member.user.pk, name="robot", access_rules=[rule]
    )
    return tokens.issue(
        user=personas.member.user,
        methods=["application_credential"],
        scope=Scope(project=personas.lab),
        delegation=delegations.lent_by(row),
    )[0]


async def test_nothing_is_taken_from_a_stranger_to_the_cloud(image, store):
    for token in (None, "nonsense", "gAAAA" + "x" * 100):
        answer = await call("PUT", file_of(image), token=token, chunks=[b"abc"])
        assert answer.status == 401
        assert answer.taken == 0
    assert (await call("GET", file_of(image))).status == 401
    await assert_queued(image, store)


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 403), ("admin", 204), ("nobody", 404)])
async def test_who_may_upload(personas, image, who, status):
    answer = await call("PUT", file_of(image), token=getattr(personas, who).token, chunks=[b"abc"])
    assert answer.status == status
    assert answer.taken == (0 if status != 204 else 2)


async def test_an_unknown_image_is_not_found(personas):
    address = "/image/v2/images/00000000-0000-4000-8000-000000000000/file"
    assert (await call("PUT", address, token=personas.member.token, chunks=[b"abc"])).status == 404
    assert (await call("GET", address, token=personas.member.token)).status == 404


async def test_bytes_of_another_type_are_refused(personas, image, store):
    for kind in ("text/plain", None):
        answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"x"], headers={"content-type": kind})
        assert (answer.status, answer.taken) == (415, 0)
    await assert_queued(image, store)


async def test_an_active_image_takes_no_second_upload(personas, active, store):
    answer = await call("PUT", file_of(active), token=personas.member.token, chunks=[b"other"])
    assert (answer.status, answer.taken) == (409, 0)
    assert store.data[active.pk] == b"abc"


async def test_of_two_uploads_at_once_one_wins(personas, image, store):
    contents = [noise(3 * MIB), noise(2 * MIB)]
    answers = await asyncio.gather(
        *(call("PUT", file_of(image), token=personas.member.token, chunks=[content]) for content in contents)
    )
    assert sorted(answer.status for answer in answers) == [204, 409]
    winner = contents[[answer.status for answer in answers].index(204)]
    assert store.data == {image.pk: winner}
    assert (await fresh(image)).size == len(winner)


async def test_a_body_shorter_than_announced_leaves_the_image_queued(personas, image, store):
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"], length=10)
    assert answer.status == 400
    await assert_queued(image, store)


async def test_a_body_longer_than_announced_leaves_the_image_queued(personas, image, store):
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc", b"def"], length=4)
    assert answer.status == 400
    await assert_queued(image, store)


async def test_the_announced_image_size_counts_for_chunked_bodies(personas, image, store):
    answer = await call(
        "PUT",
        file_of(image),
        token=personas.member.token,
        chunks=[b"abc"],
        length=None,
        headers={"x-openstack-image-size": "9"},
    )
    assert answer.status == 400
    await assert_queued(image, store)


@pytest.mark.parametrize("chunks", [[], [b"abc"], [noise(3 * MIB)]])
async def test_a_client_that_goes_away_leaves_the_image_queued(personas, image, store, chunks):
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=chunks, length=10 * MIB, gone=True)
    assert answer.status is None
    await assert_queued(image, store)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"again"])
    assert answer.status == 204


async def test_an_upload_that_stands_still_is_ended(personas, image, store, monkeypatch):
    monkeypatch.setattr(uploading, "IDLE_S", 0.2)

    async def silence():
        await asyncio.sleep(30)

    from images.api.v2.receiver import receive

    statuses = []

    async def send(message):
        statuses.append(message.get("status"))

    scope = {
        "type": "http", "method": "PUT", "path": file_of(image), "query_string": b"", "client": None,
        "headers": [(b"x-auth-token", personas.member.token.encode()), (b"content-type", b"application/octet-stream")],
    }  # fmt: skip
    await receive(scope, silence, send)
    assert statuses[0] == 400
    await assert_queued(image, store)


async def test_only_so_many_uploads_run_at_once(personas, image, store, monkeypatch):
    monkeypatch.setattr(uploading, "MOST_UPLOADS", 0)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])
    assert (answer.status, answer.taken) == (503, 0)
    await assert_queued(image, store)


@sync_to_async
def limited(project_id, changes):
    """Limit a project."""
    ServiceFactory(type="image")
    quotas.set_limits(project_id, changes)


async def test_a_project_runs_only_so_many_uploads_at_once(personas, image, store):
    await limited(personas.lab.pk, {limits.UPLOADS: 0})
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])
    assert (answer.status, answer.taken) == (413, 0)


async def test_an_upload_that_crawls_is_ended(personas, image, store, monkeypatch):
    monkeypatch.setattr(uploading, "GRACE_S", -10)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc", b"def"])
    assert answer.status == 400
    assert "slower" in answer.body.decode()
    await assert_queued(image, store)


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30])
async def test_a_length_that_is_no_number_is_refused(personas, image, store, length):
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"], length=length)
    assert (answer.status, answer.taken) == (400, 0)


async def test_a_store_can_be_named(personas, image, store):
    for name, status in (("nowhere", 400), ("memory", 204)):
        answer = await call(
            "PUT", file_of(image), token=personas.member.token, chunks=[b"abc"], headers={"x-image-meta-store": name}
        )
        assert answer.status == status


async def test_an_upload_that_is_cancelled_leaves_the_image_queued(personas, image, store):
    from images.api.v2.receiver import receive

    async def silence():
        await asyncio.sleep(30)

    async def send(message):
        raise AssertionError(message)

    scope = {
        "type": "http", "method": "PUT", "path": file_of(image), "query_string": b"", "client": None,
        "headers": [(b"x-auth-token", personas.member.token.encode()), (b"content-type", b"application/octet-stream")],
    }  # fmt: skip
    task = asyncio.create_task(receive(scope, silence, send))
    while not store.parts:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await assert_queued(image, store)


@pytest.mark.parametrize(
    ("disk_format", "content", "words"),
    [
        ("qcow2", qcow2(backing=512), "backing file"),
        ("qcow2", noise(4 * MIB), "does not match"),
        ("raw", qcow2(), "found qcow2"),
        ("qcow2", b"", "does not match"),
    ],
)
async def test_content_is_what_it_claims_or_refused(personas, store, disk_format, content, words):
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk, disk_format=disk_format)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[content])
    assert answer.status == 400
    assert words in answer.body.decode()
    await assert_queued(image, store)


async def test_formats_must_be_known_first(personas):
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk, disk_format=None, container_format=None)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])
    assert answer.status == 400
    assert "disk_format, container_format" in answer.body.decode()


async def test_a_quota_refuses_before_the_first_byte(personas, image, store):
    await limited(personas.lab.pk, {limits.TOTAL_MIB: 1})
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[noise(2 * MIB)])
    assert (answer.status, answer.taken) == (413, 0)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[noise(MIB), b"x"], length=None)
    assert answer.status == 413
    await assert_queued(image, store)
    assert (await call("PUT", file_of(image), token=personas.member.token, chunks=[noise(MIB)])).status == 204


async def test_parallel_uploads_cannot_pass_a_quota(personas, store):
    await limited(personas.lab.pk, {limits.TOTAL_MIB: 3})
    rows = [await sync_to_async(ImageFactory)(owner=personas.lab.pk) for _number in range(6)]
    answers = await asyncio.gather(
        *(
            call("PUT", file_of(row), token=personas.member.token, chunks=[noise(MIB)], length="sum" if number % 2 else None)
            for number, row in enumerate(rows)
        )
    )
    assert sorted({answer.status for answer in answers}) == [204, 413]
    assert len(store.data) == sum(answer.status == 204 for answer in answers) <= 3
    assert store.parts == {}


async def test_too_large_is_told_before_the_first_byte(personas, image, store, settings):
    settings.IMAGE_MAX_BYTES = 100
    for length, taken in (("sum", 0), (None, 1)):
        answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"x" * 101], length=length)
        assert (answer.status, answer.taken) == (413, taken)
    await assert_queued(image, store)


async def test_a_full_store_is_told(personas, image, store, monkeypatch):
    store.capacity = 70 * MIB
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"x"], length=69 * MIB)
    assert (answer.status, answer.taken) == (413, 0)
    store.capacity = 10
    monkeypatch.setattr(data, "ROOM_TO_KEEP", -MIB)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"x" * 100])
    assert answer.status == 413
    await assert_queued(image, store)


async def test_an_image_deleted_meanwhile_is_gone(personas, image, store):
    upload = await sync_to_async(data.begin_upload)(ctx=personas.member.ctx, image_id=image.pk, length=None)
    ingest = data.open_ingest(upload)
    ingest.count(3)
    for job in ingest.jobs(b"abc"):
        job()
    await sync_to_async(Image.objects.mark_deleted)(image.pk)
    with pytest.raises(Gone):
        await sync_to_async(data.finish_upload)(upload, ingest.conclude())
    assert store.data == {}


async def test_a_delete_during_an_upload_leaves_no_data(personas, image, store):
    stale = await sync_to_async(Image.objects.get)(pk=image.pk)
    assert (await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])).status == 204
    await sync_to_async(registry.delete)(ctx=personas.member.ctx, image=stale)
    assert store.data == {}


async def test_a_database_that_fails_at_the_end_leaves_the_image_queued(personas, image, store, monkeypatch):
    def broken(*_args):
        raise OperationalError("database is locked")

    monkeypatch.setattr(limits, "admit_arrived", broken)
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])
    assert answer.status == 500
    assert "locked" not in answer.body.decode()
    await assert_queued(image, store)


async def test_cancelled_work_is_waited_for(monkeypatch):
    from images.api.v2.work import on_bytes

    ended = threading.Event()

    def slow():
        time.sleep(0.2)
        ended.set()

    task = asyncio.create_task(on_bytes(slow))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_an_upload_whose_process_died_is_reclaimed(personas, image, store):
    upload = await sync_to_async(data.begin_upload)(ctx=personas.member.ctx, image_id=image.pk, length=5)
    data.open_ingest(upload)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 0
    old = timezone.now() - timedelta(hours=1)
    await sync_to_async(Image.objects.filter(pk=image.pk).update)(upload_seen_at=old)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    await assert_queued(image, store)
    with pytest.raises(Gone):
        await sync_to_async(data.keep_alive)(upload)


async def test_what_a_dead_upload_of_a_deleted_image_left_goes(personas, image, store):
    upload = await sync_to_async(data.begin_upload)(ctx=personas.member.ctx, image_id=image.pk, length=5)
    data.open_ingest(upload)
    await sync_to_async(registry.delete)(ctx=personas.member.ctx, image=await fresh(image))
    with pytest.raises(Gone):
        await sync_to_async(data.keep_alive)(upload)
    assert len(store.parts) == 1
    await sync_to_async(Image.objects.filter(pk=image.pk).update)(upload_seen_at=timezone.now() - timedelta(hours=1))
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    assert store.parts == {}
    assert (await fresh(image)).status == ImageStatus.DELETED


async def test_a_browser_puts_to_a_signed_address(personas, image, active, caplog):
    with caplog.at_level(logging.DEBUG):
        address = await sync_to_async(transfer.upload_ticket)(personas.member.ctx, image)
        assert (await call("PUT", address.replace(image.pk, active.pk), chunks=[b"x"])).status == 401
        assert (await call("GET", address)).status == 401
        assert (await call("PUT", address, chunks=[b"abc"])).status == 204
        assert (await call("PUT", address, chunks=[b"abc"])).status == 409
    assert address.partition("ticket=")[2][:20] not in caplog.text
    assert (await fresh(image)).size == 3


async def test_a_ticket_is_worth_no_more_than_the_roles_of_its_holder_now(personas, image):
    address = await sync_to_async(transfer.upload_ticket)(personas.member.ctx, image)
    await sync_to_async(Assignment.objects.filter(user_id=personas.member.user.pk).delete)()
    assert (await call("PUT", address, chunks=[b"x"])).status == 401
    assert (await fresh(image)).status == ImageStatus.QUEUED


async def test_a_ticket_is_only_for_those_who_may_upload(personas, image):
    with pytest.raises(Forbidden):
        await sync_to_async(transfer.upload_ticket)(personas.reader.ctx, image)
    with pytest.raises(Forbidden):
        await sync_to_async(transfer.upload_ticket)(RequestContext(project_id="x", roles=frozenset({"member"})), image)


@pytest.mark.parametrize("path", ["/image/v2/images/x/file", "/image/v2/images/../file", "/image/v2/images", "/x"])
def test_other_addresses_are_not_the_receivers(path):
    from images.api.v2.receiver import is_image_data

    assert not is_image_data({"type": "http", "method": "PUT", "path": path})
