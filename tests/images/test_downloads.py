"""Image bytes out, over ASGI as a server speaks it."""

import pytest
from asgiref.sync import sync_to_async

from images.models import Image
from images.services import transfer
from images.states import ImageStatus
from tests.images.asgi import call, file_of
from tests.images.factories import ImageFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk)


async def test_an_image_is_downloaded_whole(personas, active):
    answer = await call("GET", file_of(active), token=personas.member.token)
    assert (answer.status, answer.body) == (200, b"abc")
    assert answer.headers["content-length"] == "3"
    assert answer.headers["content-md5"] == active.checksum
    assert answer.headers["content-type"] == "application/octet-stream"
    answer = await call("HEAD", file_of(active), token=personas.member.token)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "3")


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-0", 206, b"a", "bytes 0-0/3"),
        ("bytes=1-", 206, b"bc", "bytes 1-2/3"),
        ("bytes=-2", 206, b"bc", "bytes 1-2/3"),
        ("bytes=1-99", 206, b"bc", "bytes 1-2/3"),
        ("Bytes = 1-1", 206, b"b", "bytes 1-1/3"),
        ("bytes=1-99999999999999999999", 206, b"bc", "bytes 1-2/3"),
        ("bytes=99999999999999999999-", 416, None, None),
        ("bytes=0-0,2-2", 200, b"abc", None),
        ("lines=1-2", 200, b"abc", None),
        ("bytes=3-", 416, None, None),
        ("bytes=2-1", 416, None, None),
        ("bytes=-", 416, None, None),
        ("bytes=-0", 416, None, None),
    ],
)
async def test_a_range_is_downloaded(personas, active, asked, status, body, content_range):
    answer = await call("GET", file_of(active), token=personas.member.token, headers={"range": asked})
    assert answer.status == status
    if body is not None:
        assert answer.body == body
        assert answer.headers.get("content-range") == content_range


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes 1-2/3", 206, b"bc", "bytes 1-2/3"),
        ("bytes 0-0/*", 206, b"a", "bytes 0-0/3"),
        ("bytes 3-4/*", 416, None, None),
        ("bytes */3", 200, b"abc", None),
    ],
)
async def test_older_clients_ask_for_a_range_by_another_header(personas, active, asked, status, body, content_range):
    answer = await call("GET", file_of(active), token=personas.member.token, headers={"content-range": asked})
    assert answer.status == status
    if body is not None:
        assert answer.body == body
        assert answer.headers.get("content-range") == content_range


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 403), ("member", 200), ("admin", 200)])
async def test_who_may_download(personas, active, who, status):
    assert (await call("GET", file_of(active), token=getattr(personas, who).token)).status == status


async def test_an_image_without_data_has_no_content(personas, image):
    assert (await call("GET", file_of(image), token=personas.member.token)).status == 204


async def test_a_deactivated_image_is_only_for_operators(personas, active):
    await sync_to_async(Image.objects.switch)(active.pk, ImageStatus.ACTIVE, ImageStatus.DEACTIVATED)
    assert (await call("GET", file_of(active), token=personas.member.token)).status == 403
    assert (await call("GET", file_of(active), token=personas.admin.token)).status == 200
    assert (await call("GET", transfer.source_url(active))).status == 404


async def test_a_host_fetches_by_a_signed_address(active, image):
    address = transfer.source_url(active)
    assert (await call("GET", address)).body == b"abc"
    stolen = address.replace(active.pk, image.pk)
    assert (await call("GET", stolen)).status == 401
    assert (await call("GET", address[:-2])).status == 401
    assert (await call("PUT", address, chunks=[b"x"])).status == 401
