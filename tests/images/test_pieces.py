"""Uploads in pieces: cut at every kind of place, gone on with, refused out of step, and never active without all bytes."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from images.api.v2 import upload as uploading
from images.api.v2.receiver import receive
from images.models import Image
from images.services import data, leftovers, limits, pieces, registry, transfer
from images.services.verification import Report, verify
from images.states import ImageStatus
from images.stores import registry as stores
from tests.images.asgi import call, file_of
from tests.images.factories import MIB, ImageFactory, noise, qcow2
from tests.images.test_receiver import fresh, limited

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = noise(2 * MIB + 4711)
SIZE = len(CONTENT)


@pytest.fixture
def store(settings, tmp_path):
    folders = {str(tmp_path / "one"): 1, str(tmp_path / "two"): 1}
    settings.IMAGE_STORES |= {"file": {"driver": "images.stores.filesystem.FilesystemStore", "paths": folders}}
    settings.IMAGE_DEFAULT_STORE = "file"
    stores.reset()
    return stores.get()


@pytest.fixture
def image(personas, store):
    return ImageFactory(owner=personas.lab.pk)


@pytest.fixture
def send(personas, image):
    """Send the bytes from ``start`` to ``end``; only the first ``cut`` of them arrive, when that is said."""

    async def send_piece(start, end, *, cut=None, content=CONTENT, total=None, **more):
        body = content[start:end][:cut]
        chunks = [body[place : place + 65536] for place in range(0, len(body), 65536)]
        described = {
            "content-range": f"bytes {start}-{end - 1}/{len(content) if total is None else total}",
            **more.pop("headers", {}),
        }
        return await call(
            "PUT", file_of(image), token=personas.member.token, chunks=chunks, length=end - start, gone=cut is not None,
            headers=described, **more,
        )  # fmt: skip

    return send_piece


@pytest.fixture
def ask(personas, image):
    async def question(total=SIZE):
        headers = {"content-range": f"bytes */{total}", "content-type": None}
        return await call("PUT", file_of(image), token=personas.member.token, headers=headers)

    return question


async def assert_active(image, store, content=CONTENT):
    row = await fresh(image)
    assert (row.status, row.size, row.upload_id, row.upload_bytes, row.upload_offset) == (
        ImageStatus.ACTIVE,
        len(content),
        None,
        0,
        None,
    )
    assert row.checksum == hashlib.md5(content).hexdigest()
    assert row.os_hash_value == hashlib.sha512(content).hexdigest()
    assert list(store.entries()) == [image.pk]
    assert await sync_to_async(lambda: list(verify(Report(), names=["file"])))() == []


async def assert_queued(image, store):
    row = await fresh(image)
    assert (row.status, row.upload_id, row.upload_bytes, row.upload_offset) == (ImageStatus.QUEUED, None, 0, None)
    assert list(store.entries()) == []


async def age(image, **since):
    await sync_to_async(Image.objects.filter(pk=image.pk).update)(upload_seen_at=timezone.now() - timedelta(**since))


async def test_pieces_one_after_another_make_the_image_active(image, store, send, ask):
    assert ((await ask()).status, (await ask()).headers.get("range")) == (308, None)
    for end in (MIB, 2 * MIB):
        answer = await send(end - MIB, end)
        assert (answer.status, answer.headers["range"]) == (308, f"bytes=0-{end - 1}")
        row = await fresh(image)
        assert (row.status, row.upload_offset, row.upload_bytes, row.size) == (ImageStatus.SAVING, end, SIZE, None)
    assert (await ask()).headers["range"] == f"bytes=0-{2 * MIB - 1}"
    assert (await send(2 * MIB, SIZE)).status == 204
    await assert_active(image, store)
    assert (await ask()).status == 204
    assert (await ask(SIZE + 1)).status == 409
    assert (await send(0, SIZE)).status == 409


@pytest.mark.parametrize("cut", [0, 1, 65536, MIB, MIB + 65537, SIZE - 1, SIZE])
async def test_a_piece_that_is_cut_goes_on_where_it_ended(image, store, send, ask, cut):
    assert (await send(0, SIZE, cut=cut)).status is None
    row = await fresh(image)
    assert (row.status, row.size) == (ImageStatus.SAVING, None)
    kept = row.upload_offset
    assert cut - MIB <= kept <= min(cut, SIZE - 1), "at most one batch that was not full is sent again"
    assert (await ask()).headers.get("range") == (f"bytes=0-{kept - 1}" if kept else None)
    assert (await send(kept, SIZE)).status == 204
    await assert_active(image, store)


async def test_what_lies_beyond_the_bytes_that_were_acknowledged_is_cut_off(image, store, send):
    await send(0, 1000)
    part = next(path for folder in store.path.parent.iterdir() for path in folder.glob("*.part"))
    with part.open("ab") as file:
        file.write(b"of a process that died" * 100_000)
    assert (await send(1000, 2000)).headers["range"] == "bytes=0-1999"
    assert part.stat().st_size == 2000
    assert (await send(2000, SIZE)).status == 204
    await assert_active(image, store)


@pytest.mark.parametrize("start", [0, 500, 999, 1001, MIB])
async def test_a_piece_out_of_step_is_told_where_to_go_on(image, store, send, start):
    await send(0, 1000)
    answer = await send(start, start + 1000)
    assert (answer.status, answer.headers["range"], answer.taken) == (416, "bytes=0-999", 0)
    assert "byte 1000" in answer.body.decode()
    assert (await fresh(image)).upload_offset == 1000


async def test_an_upload_begins_with_its_first_byte(image, store, send):
    answer = await send(1000, 2000)
    assert (answer.status, answer.headers.get("range")) == (416, None)
    await assert_queued(image, store)


async def test_another_size_is_another_upload(image, store, send, ask):
    await send(0, 1000)
    assert (await send(1000, 2000, total=SIZE + 1)).status == 409
    assert (await ask(SIZE + 1)).status == 409
    assert (await fresh(image)).upload_offset == 1000


@pytest.mark.parametrize(
    "text",
    ["bytes 0-1", "bytes 1-0/9", "bytes 0-9/9", "bytes 0-0/0", "bytes */0", "bytes */*", "bytes 0-1/*", "lines 0-1/9", "0-1/9",
     "bytes -1-2/9", f"bytes 0-{'9' * 30}/{'9' * 30}", ""],
)  # fmt: skip
async def test_a_range_that_is_none_is_refused(personas, image, store, text):
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"ab"], headers={"content-range": text})
    assert (answer.status, answer.taken) == (400, 0)
    await assert_queued(image, store)


async def test_a_body_of_another_length_than_its_range_is_refused(personas, image, store, send):
    headers = {"content-range": "bytes 0-99/1000"}
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[b"x" * 99], headers=headers)
    assert (answer.status, answer.taken) == (400, 0)
    for chunks in ([b"x" * 101], [b"x" * 99]):
        answer = await call("PUT", file_of(image), token=personas.member.token, chunks=chunks, length=None, headers=headers)
        assert answer.status == 400
        assert (await fresh(image)).status in {ImageStatus.SAVING, ImageStatus.QUEUED}
        await sync_to_async(pieces.cancel)(ctx=personas.member.ctx, image_id=image.pk)
    await assert_queued(image, store)


async def test_two_never_write_to_one_part(personas, image, store, send):
    await send(0, 1000)
    upload = await sync_to_async(pieces.begin)(ctx=personas.member.ctx, image_id=image.pk, start=1000, total=SIZE)
    part = pieces.open_part(upload, 1000)
    assert (await send(1000, SIZE)).status == 409
    part.pause()
    assert (await send(1000, SIZE)).status == 204
    await assert_active(image, store)


async def test_of_many_at_once_one_is_taken(image, store, send):
    await send(0, 1000)
    answers = await asyncio.gather(*(send(1000, SIZE) for _number in range(6)))
    assert sorted({answer.status for answer in answers} - {416}) == [204, 409]
    assert [answer.status for answer in answers].count(204) == 1
    await assert_active(image, store)


async def test_who_comes_too_late_is_told_that_the_image_is_there(personas, image, store, send, monkeypatch):
    await send(0, 1000)
    late = await sync_to_async(pieces.begin)(ctx=personas.member.ctx, image_id=image.pk, start=1000, total=SIZE)
    assert (await send(1000, SIZE)).status == 204
    monkeypatch.setattr(pieces, "begin", lambda **_words: late)
    answer = await send(1000, SIZE)
    assert answer.status == 409
    assert b"from active to saving" in answer.body
    await assert_active(image, store)


async def test_a_whole_upload_and_one_in_pieces_do_not_mix(personas, image, store, send):
    await send(0, 1000)
    assert (await call("PUT", file_of(image), token=personas.member.token, chunks=[b"abc"])).status == 409
    assert (await fresh(image)).upload_offset == 1000
    other = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    await sync_to_async(data.begin_upload)(ctx=personas.member.ctx, image_id=other.pk, length=SIZE)
    headers = {"content-range": f"bytes 0-2/{SIZE}"}
    assert (await call("PUT", file_of(other), token=personas.member.token, chunks=[b"abc"], headers=headers)).status == 409


async def test_content_is_judged_when_all_of_it_is_there(image, store, send, ask):
    await sync_to_async(Image.objects.filter(pk=image.pk).update)(disk_format="qcow2")
    hostile = qcow2(backing=512)
    assert (await send(0, 1000, content=hostile)).status == 308
    answer = await send(1000, len(hostile), content=hostile)
    assert answer.status == 400
    assert "backing file" in answer.body.decode()
    await assert_queued(image, store)
    good = qcow2()
    await send(0, 1000, content=good)
    assert (await send(1000, len(good), content=good)).status == 204
    await assert_active(image, store, good)


async def test_the_quota_is_reserved_for_the_whole_before_the_first_byte(personas, image, store, send):
    await limited(personas.lab.pk, {limits.TOTAL_MIB: 2})
    answer = await send(0, 1000)
    assert (answer.status, answer.taken) == (413, 0)
    await limited(personas.lab.pk, {limits.TOTAL_MIB: 3})
    assert (await send(0, 1000)).status == 308
    other = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await call("PUT", file_of(other), token=personas.member.token, chunks=[noise(MIB)])).status == 413


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 403)])
async def test_who_may_not_upload_learns_and_changes_nothing(personas, image, store, send, who, status):
    await send(0, 1000)
    token = getattr(personas, who).token
    for headers, chunks in (
        ({"content-range": f"bytes */{SIZE}"}, []),
        ({"content-range": f"bytes 1000-1002/{SIZE}"}, [b"abc"]),
    ):
        assert (await call("PUT", file_of(image), token=token, chunks=chunks, headers=headers)).status == status
    assert (await call("DELETE", file_of(image), token=token)).status == status
    assert (await fresh(image)).upload_offset == 1000


async def test_each_piece_may_have_a_ticket_of_its_own(personas, image, store):
    for start, end in ((0, MIB), (MIB, SIZE)):
        address = await sync_to_async(transfer.upload_ticket)(personas.member.ctx, await fresh(image))
        headers = {"content-range": f"bytes {start}-{end - 1}/{SIZE}"}
        answer = await call("PUT", address, chunks=[CONTENT[start:end]], headers=headers)
        assert answer.status == (204 if end == SIZE else 308)
    await assert_active(image, store)


async def test_who_sent_it_whole_may_ask_whether_it_arrived(personas, image, store):
    """So a host that died after its last byte finds out, also where a store takes no pieces."""
    address = await sync_to_async(transfer.upload_ticket)(personas.member.ctx, await fresh(image))
    question = {"content-range": f"bytes */{SIZE}", "content-type": None}
    before = await call("PUT", address, headers=question)
    assert (before.status, before.headers.get("range")) == (308, None)
    assert (await call("PUT", address, chunks=[CONTENT])).status == 204
    assert (await call("PUT", address, headers=question)).status == 204
    await assert_active(image, store)


async def test_a_cancelled_upload_leaves_nothing(personas, image, store, send):
    assert (await call("DELETE", file_of(image), token=personas.member.token)).status == 409
    await send(0, 1000)
    assert (await call("DELETE", file_of(image), token=personas.member.token)).status == 204
    await assert_queued(image, store)
    assert (await send(0, SIZE)).status == 204
    assert (await call("DELETE", file_of(image), token=personas.member.token)).status == 409
    await assert_active(image, store)


async def test_a_piece_whose_upload_is_cancelled_meanwhile_is_told(personas, image, store, monkeypatch, send):
    whole = pieces.whole

    def cancelled_before(upload, part):
        pieces.cancel(ctx=personas.member.ctx, image_id=image.pk)
        return whole(upload, part)

    monkeypatch.setattr(pieces, "whole", cancelled_before)
    assert (await send(0, SIZE)).status in {410, 503}
    await assert_queued(image, store)


async def test_what_was_not_gone_on_with_in_time_is_thrown_away(image, store, send):
    await send(0, 1000)
    await age(image, hours=23)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 0
    assert await sync_to_async(leftovers.remove)() == 0
    assert await sync_to_async(lambda: list(verify(Report(), names=["file"])))() == []
    await age(image, hours=25)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    await assert_queued(image, store)


async def test_an_upload_without_a_byte_is_not_kept(image, store, send):
    await send(0, 1000, cut=0)
    await age(image, minutes=6)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    await assert_queued(image, store)


async def test_a_part_does_not_outlive_its_image(personas, image, store, send):
    await send(0, 1000)
    await sync_to_async(registry.delete)(ctx=personas.member.ctx, image=await fresh(image))
    assert (await send(1000, SIZE)).status == 404
    await age(image, minutes=6)
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    assert list(store.entries()) == []


async def test_an_upload_whose_part_is_lost_begins_anew(image, store, send, ask):
    await send(0, 1000)
    row = await fresh(image)
    store.discard(image.pk, row.upload_id)
    assert (await send(1000, SIZE)).status == 410
    await assert_queued(image, store)
    assert (await send(0, SIZE)).status == 204


async def test_a_part_shorter_than_what_was_acknowledged_is_not_filled_up(image, store, send):
    await send(0, 1000)
    part = next(path for folder in store.path.parent.iterdir() for path in folder.glob("*.part"))
    part.write_bytes(b"short")
    assert (await send(1000, SIZE)).status == 503
    await assert_queued(image, store)


async def test_a_database_that_fails_at_the_end_leaves_the_image_queued(image, store, monkeypatch, send):
    def broken(*_args):
        raise OperationalError("database is locked")

    monkeypatch.setattr(limits, "admit_arrived", broken)
    await send(0, 1000)
    assert (await send(1000, SIZE)).status == 500
    await assert_queued(image, store)


async def test_a_database_that_fails_between_leaves_the_upload_where_it_was(image, store, monkeypatch, send):
    def broken(*_args):
        raise OperationalError("database is locked")

    await send(0, 1000)
    with monkeypatch.context() as patched:
        patched.setattr(pieces, "acknowledge", broken)
        assert (await send(1000, 2000)).status == 500
    assert (await fresh(image)).upload_offset == 1000
    assert (await send(1000, SIZE)).status == 204
    await assert_active(image, store)


async def test_a_piece_that_stands_still_keeps_what_has_arrived(personas, image, store, send, monkeypatch):
    monkeypatch.setattr(uploading, "IDLE_S", 0.3)
    statuses = []
    messages = [{"type": "http.request", "body": CONTENT[:MIB], "more_body": True}]

    async def silence():
        return messages.pop() if messages else await asyncio.sleep(30)

    async def note(message):
        statuses.append(message.get("status"))

    sent = {"x-auth-token": personas.member.token, "content-type": "application/octet-stream"}
    sent["content-range"] = f"bytes 0-{SIZE - 1}/{SIZE}"
    scope = {
        "type": "http", "method": "PUT", "path": file_of(image), "query_string": b"", "client": None,
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    await receive(scope, silence, note)
    assert statuses[0] == 400
    assert (await fresh(image)).upload_offset == MIB
    assert (await send(MIB, SIZE)).status == 204
    await assert_active(image, store)


async def test_a_store_that_cannot_append_says_so_before_the_first_byte(image, store, send):
    answer = await send(0, SIZE, headers={"x-image-meta-store": "memory"})
    assert (answer.status, answer.taken) == (400, 0)
    assert "one piece" in answer.body.decode()
    await assert_queued(image, store)


async def test_pieces_are_declared_as_bytes_and_counted_as_uploads(image, store, send, monkeypatch):
    assert (await send(0, SIZE, headers={"content-type": "text/plain"})).status == 415
    monkeypatch.setattr(uploading, "MOST_UPLOADS", 0)
    assert (await send(0, SIZE)).status == 503
    await assert_queued(image, store)


async def test_data_is_staged_whole(personas, image, store):
    headers = {"content-range": "bytes 0-2/9"}
    answer = await call(
        "PUT", f"/image/v2/images/{image.pk}/stage", token=personas.member.token, chunks=[b"abc"], headers=headers
    )
    assert (answer.status, answer.taken) == (400, 0)
    await assert_queued(image, store)
