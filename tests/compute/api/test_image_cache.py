"""The Image API's calls about caches."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compute.models import HostImage
from portal.core import bus
from tests.kit.compute import HostFactory, make_image

CACHE = "/image/v2/cache"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def on(host, image_id, **fields):
    known = {"state": "cached", "size_bytes": 10, "used_at": timezone.now(), "fetched_at": timezone.now()}
    return HostImage.objects.create(host=host, image_id=image_id, **{**known, **fields})


def test_an_image_is_listed_once_whatever_the_number_of_its_hosts(personas, cloud):
    other = HostFactory(name="host2")
    on(cloud.host, "red", disks=2)
    on(other, "red", disks=1, size_bytes=20)
    on(other, "blue", state="queued")
    on(cloud.host, "green", state="failed")

    with CaptureQueriesContext(connection) as queries:
        body = personas.admin.api.get(CACHE).json()

    (red,) = body["cached_images"]
    assert set(red) == {"image_id", "hits", "last_accessed", "last_modified", "size"}
    assert (red["image_id"], red["hits"], red["size"]) == ("red", 3, 20)
    assert isinstance(red["last_accessed"], float)
    assert body["queued_images"] == ["blue"]
    assert len([query for query in queries if "hostimage" in query["sql"]]) == 1


def test_an_image_is_queued_and_removed(personas, cloud, sent):
    path = f"{CACHE}/{cloud.image.pk}"
    assert personas.admin.api.put(path).status_code == 202
    assert personas.admin.api.get(CACHE).json()["queued_images"] == [cloud.image.pk]
    assert personas.admin.api.delete(path).status_code == 204
    assert personas.admin.api.get(CACHE).json() == {"cached_images": [], "queued_images": []}
    assert sent() == ["compute.fetch_image", "compute.evict_image"]


def test_hosts_that_have_an_image_are_named(personas, cloud):
    on(cloud.host, cloud.image.pk)
    on(HostFactory(name="host2"), cloud.image.pk, state="queued")
    path = f"{CACHE}/nodes/{cloud.image.pk}"
    assert personas.admin.api.get(path).json() == ["host1"]
    assert personas.member.api.get(path).status_code == 403
    assert personas.admin.api.get(f"{CACHE}/nodes/{MADE_UP}").status_code == 404


def test_a_deleted_image_that_hosts_still_have_can_be_removed(personas, cloud, sent):
    on(cloud.host, MADE_UP)
    assert personas.admin.api.delete(f"{CACHE}/{MADE_UP}").status_code == 204
    assert sent() == ["compute.evict_image"]


def test_an_image_that_servers_use_stays(personas, cloud, sent):
    on(cloud.host, cloud.image.pk, disks=1)
    answer = personas.admin.api.delete(f"{CACHE}/{cloud.image.pk}")
    assert answer.status_code == 409
    assert "host1" in answer.content.decode()
    assert personas.admin.api.delete(CACHE).status_code == 204
    assert sent() == []


@pytest.mark.parametrize(("target", "left"), [("cache", 1), ("queue", 0), ("", 0), ("QUEUE", 0)])
def test_cache_and_queue_are_cleared_apart(personas, cloud, target, left):
    on(cloud.host, "blue", state="queued", request_id="req-1")
    answer = personas.admin.api.delete(CACHE, **{"x-image-cache-clear-target": target})
    assert answer.status_code == 204
    assert len(personas.admin.api.get(CACHE).json()["queued_images"]) == left


def test_refusals(personas, cloud):
    image, queued = cloud.image.pk, make_image(status="queued", size=None, checksum=None).pk
    private = make_image(visibility="private", owner=personas.stranger.ctx.project_id).pk
    clear = {"x-image-cache-clear-target": "attic"}
    admin, member = personas.admin.api, personas.member.api
    assert admin.delete(CACHE, **clear).status_code == 400
    assert admin.put(f"{CACHE}/{queued}").status_code == 400
    assert admin.put(f"{CACHE}/{MADE_UP}").status_code == 404
    assert admin.delete(f"{CACHE}/{MADE_UP}").status_code == 404
    assert admin.put(CACHE).status_code == 405
    assert member.put(f"{CACHE}/{private}").status_code == 404
    for method, path in (("get", CACHE), ("delete", CACHE), ("put", f"{CACHE}/{image}"), ("delete", f"{CACHE}/{image}")):
        assert member(method, path).status_code == 403
        personas.nobody.api(method, path)
        assert type(member)()(method, path).status_code == 401
    assert not bus.OutboxMessage.objects.exists()
