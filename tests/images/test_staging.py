"""Bytes that are sent to wait for their import, and the quotas of uploads, staging and imports."""

import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.services import quotas
from images.models import Image, ImageTask
from images.services import data, limits, registry, staging
from images.services.imports import runs
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from tests.accounts.factories import ServiceFactory
from tests.images import web
from tests.images.asgi import call
from tests.images.factories import MIB, ActiveImageFactory, ImageFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

DIRECT = {"method": {"name": "glance-direct"}}


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk, disk_format=None, container_format=None)


@pytest.fixture
def limited(personas):
    """Sets limits of the project."""
    ServiceFactory(type="image", name="glance")

    async def limit(**wanted):
        await sync_to_async(quotas.set_limits)(personas.lab.pk, wanted)

    return limit


def place_of(image):
    return f"/image/v2/images/{image.pk}/stage"


async def stage(person, image, *chunks, **more):
    return await call("PUT", place_of(image), token=person.token, chunks=chunks, **more)


async def fresh(image):
    return await Image.objects.aget(pk=image.pk)


def area():
    return sorted(path.name for path in stores.staging().path.iterdir())


async def assert_queued(image):
    row = await fresh(image)
    assert (row.status, row.upload_id, row.upload_bytes, area()) == (ImageStatus.QUEUED, None, 0, [])


@sync_to_async
def ask(person, image, wanted=DIRECT):
    return person.api.post(f"/image/v2/images/{image.pk}/import", wanted)


@sync_to_async
def work():
    for task in ImageTask.objects.filter(status=TaskStatus.PENDING):
        runs.perform(task.pk)
    return ImageTask.objects.order_by("created_at").last()


@pytest.mark.parametrize("length", ["sum", None])
async def test_bytes_wait_for_their_import(personas, image, length):
    answer = await stage(personas.member, image, b"abc", b"def", length=length)
    assert answer.status == 204
    row = await fresh(image)
    assert (row.status, row.size, row.upload_bytes, row.checksum) == ("uploading", 6, 6, None)
    assert area() == [image.pk]
    assert (stores.staging().path / image.pk).read_bytes() == b"abcdef"
    assert (await stage(personas.member, image, b"x")).status == 409
    assert (await call("PUT", f"/image/v2/images/{image.pk}/file", token=personas.member.token, chunks=[b"x"])).status in (
        400,
        409,
    )


async def test_from_the_first_byte_to_the_active_image(personas, store):
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await stage(personas.member, image, b"abc")).status == 204
    assert (await ask(personas.member, image)).status_code == 202
    assert (await work()).status == TaskStatus.SUCCESS
    assert store.data == {image.pk: b"abc"}
    row = await fresh(image)
    assert (row.status, row.size, row.upload_bytes) == ("active", 3, 0)


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 403), ("admin", 204)])
async def test_who_may_stage(personas, image, who, status):
    assert (await stage(getattr(personas, who), image, b"abc")).status == status


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"length": 10}, 400),
        ({"length": 1}, 400),
        ({"gone": True}, 499),
        ({"headers": {"content-type": "text/plain"}}, 415),
        ({"length": 1 << 50}, 413),
    ],
)
async def test_what_goes_wrong_leaves_the_image_queued(personas, image, more, status):
    answer = await stage(personas.member, image, b"abc", **more)
    assert answer.status in (status, None)
    await assert_queued(image)


async def test_staging_is_off_with_its_method(personas, image, settings):
    settings.IMAGE_IMPORT_METHODS = ["web-download"]
    assert (await stage(personas.member, image, b"abc")).status == 404
    await assert_queued(image)


async def test_nothing_is_read_from_the_staging_area(personas, image):
    assert (await stage(personas.member, image, b"abc")).status == 204
    assert (await sync_to_async(personas.member.api.get)(place_of(image))).status_code == 405
    answer = await call("GET", f"/image/v2/images/{image.pk}/file", token=personas.member.token)
    assert (answer.status, answer.body) == (204, b"")
    name = {"x-image-meta-store": stores.STAGING}
    answer = await call("PUT", f"/image/v2/images/{image.pk}/file", token=personas.member.token, chunks=[b"abc"], headers=name)
    assert answer.status == 400


async def test_staging_whose_process_died_is_reclaimed(personas, image):
    upload = await sync_to_async(staging.begin_upload)(ctx=personas.member.ctx, image_id=image.pk, length=5)
    staging.open_ingest(upload)
    await Image.objects.filter(pk=image.pk).aupdate(upload_seen_at=timezone.now() - timedelta(hours=1))
    assert await sync_to_async(data.reclaim_silent_uploads)() == 1
    await assert_queued(image)


async def test_what_waits_is_not_taken_for_dead(personas, image):
    assert (await stage(personas.member, image, b"abc")).status == 204
    await Image.objects.filter(pk=image.pk).aupdate(upload_seen_at=timezone.now() - timedelta(hours=1))
    assert await sync_to_async(data.reclaim_silent_uploads)() == 0
    assert area() == [image.pk]


async def test_a_deleted_image_takes_what_is_staged_along(personas, image):
    assert (await stage(personas.member, image, b"abc")).status == 204
    await sync_to_async(registry.delete)(ctx=personas.member.ctx, image=await fresh(image))
    assert area() == []


async def test_staging_has_a_quota_before_the_first_byte_and_while_bytes_arrive(personas, image, limited):
    await limited(image_stage_total=2)
    answer = await stage(personas.member, image, b"abc", length=3 * MIB)
    assert (answer.status, answer.taken) == (413, 0)
    assert "image_stage_total" in json.loads(answer.body)["message"]
    answer = await stage(personas.member, image, b"x" * MIB, b"x" * MIB, b"x" * MIB, length=None)
    assert answer.status == 413
    await assert_queued(image)
    assert (await stage(personas.member, image, b"x" * MIB, b"x" * MIB)).status == 204
    another = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await stage(personas.member, another, b"x")).status == 413


async def test_what_waits_counts_as_an_upload(personas, image, limited):
    await limited(image_count_uploading=1)
    assert (await stage(personas.member, image, b"abc")).status == 204
    another = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await stage(personas.member, another, b"abc")).status == 413
    refused = await ask(personas.member, another, {"method": {"name": "web-download", "uri": "http://example.org/"}})
    assert (refused.status_code, "image_count_uploading" in refused.content.decode()) == (413, True)
    await assert_used(personas, {"image_count_uploading": 1, "image_stage_total": 1, "image_size_total": 0})


async def assert_used(personas, wanted):
    used = await sync_to_async(limits.in_use)([personas.lab.pk])
    assert {name: used[name] for name in wanted} == wanted


async def test_an_import_needs_room_for_every_copy(personas, limited, settings):
    memory = {"driver": "images.stores.memory.MemoryStore"}
    settings.IMAGE_STORES = {"memory": memory, "second": memory}
    await limited(image_size_total=1)
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await stage(personas.member, image, b"x" * MIB)).status == 204
    refused = await ask(personas.member, image, {**DIRECT, "all_stores": True})
    assert (refused.status_code, "image_size_total" in refused.content.decode()) == (413, True)
    assert (await ask(personas.member, image)).status_code == 202
    assert (await work()).status == TaskStatus.SUCCESS
    await assert_used(personas, {"image_size_total": 1, "image_stage_total": 0})


async def test_a_limit_that_sank_meanwhile_fails_the_import(personas, limited):
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    assert (await stage(personas.member, image, b"x" * MIB)).status == 204
    assert (await ask(personas.member, image)).status_code == 202
    await limited(image_size_total=0)
    task = await work()
    assert (task.status, "image_size_total" in task.message) == ("failure", True)
    await assert_queued(image)


async def test_a_full_project_imports_nothing_from_the_web(personas, limited):
    await limited(image_size_total=1)
    await sync_to_async(ActiveImageFactory)(owner=personas.lab.pk, size=MIB)
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)
    refused = await ask(personas.member, image, {"method": {"name": "web-download", "uri": "http://example.org/"}})
    assert refused.status_code == 413


@pytest.mark.parametrize("limit", ["image_size_total", "image_stage_total"])
async def test_the_web_gives_no_more_than_a_quota_allows(personas, limited, settings, limit):
    settings.IMAGE_FETCH = web.rules()
    await limited(**{limit: 1})
    image = await sync_to_async(ImageFactory)(owner=personas.lab.pk)

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65536)

    for answer in (web.of(b"x" * (MIB + 1)), endless):
        with web.serving(answer) as port:
            wanted = {"method": {"name": "web-download", "uri": f"http://127.0.0.1:{port}/"}}
            assert (await ask(personas.member, image, wanted)).status_code == 202
            assert (await work()).status == TaskStatus.FAILURE
        await assert_queued(image)
