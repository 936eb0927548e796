"""Where an image's bytes lie: added by address, shown, patched, read from whichever answers, deleted one by one."""

import hashlib

import pytest
from django.test import TestCase

from images.models import Image, ImageLocation, ImageTask
from images.services import data, locations, registry
from images.services.imports import runs
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import StoreError, chunks_of, put
from images.stores.memory import MemoryStore
from portal.core.errors import Unavailable
from tests.images import web
from tests.images.factories import ActiveImageFactory, ImageFactory

pytestmark = pytest.mark.django_db
PATCH = "application/openstack-images-v2.1-json-patch"


class SilentStore(MemoryStore):
    """A store that does not answer."""

    def open(self, key):
        raise StoreError(f"The image store {self.name} does not answer.")

    def delete(self, key):
        raise StoreError(f"The image store {self.name} does not answer.")


@pytest.fixture(autouse=True)
def _several(settings):
    settings.IMAGE_STORES = {
        "memory": {"driver": "images.stores.memory.MemoryStore"},
        "silent": {"driver": "tests.images.test_locations.SilentStore", "weight": 9},
        "web": {"driver": "images.stores.http.HttpStore"},
    }
    settings.IMAGE_FETCH = web.rules()
    settings.IMAGE_SHOW_LOCATIONS = True
    stores.reset()


@pytest.fixture
def active(personas):
    """An image whose bytes lie in the memory store."""
    image = ActiveImageFactory(owner=personas.lab.pk)
    put(stores.get("memory"), image.pk, image.pk, [b"abc"])
    return image


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk)


@pytest.fixture
def address():
    with web.serving(web.of(b"abc")) as port:
        yield f"http://127.0.0.1:{port}/image"


def patch(person, image, *changes, status=200):
    response = person.api.patch(f"/image/v2/images/{image.pk}", list(changes), content_type=PATCH)
    assert response.status_code == status, response.content
    return response.json() if status == 200 else response


def added(url, **more):
    return {"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}, **more}}


def add(person, image, wanted, status=202):
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = person.api.post(f"/image/v2/images/{image.pk}/locations", wanted)
    assert response.status_code == status, response.content
    for task in ImageTask.objects.filter(status=TaskStatus.PENDING):
        runs.perform(task.pk)


def shown(person, image):
    return person.api.get(f"/image/v2/images/{image.pk}").json()


def test_the_copy_of_a_store_that_answers_is_read(active):
    locations.add(active.pk, ["silent"])
    fresh = Image.objects.get(pk=active.pk)
    assert [row.store for row in locations.in_order(fresh)] == ["silent", "memory"]
    assert b"".join(chunks_of(data.open_reader(fresh))) == b"abc"


def test_when_no_store_answers_that_is_told_and_the_image_stays(active):
    ImageLocation.objects.update(store="silent")
    with pytest.raises(Unavailable, match="silent does not answer"):
        data.open_reader(Image.objects.get(pk=active.pk))
    assert Image.objects.get(pk=active.pk).status == ImageStatus.ACTIVE


def test_a_store_that_left_the_configuration_is_told_as_well(active, settings):
    ImageLocation.objects.update(store="former")
    with pytest.raises(Unavailable, match="no image store former"):
        data.open_reader(Image.objects.get(pk=active.pk))


def delete_copy(person, store, image, status):
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert person.api.delete(f"/image/v2/stores/{store}/{image.pk}").status_code == status


def test_an_operator_deletes_one_copy_but_not_the_last(personas, active):
    ImageLocation.objects.create(image=active, store="web", address="http://example.org/")
    delete_copy(personas.member, "memory", active, 403)
    delete_copy(personas.admin, "moon", active, 409)
    delete_copy(personas.admin, "silent", active, 404)
    delete_copy(personas.admin, "memory", active, 204)
    assert stores.get("memory").data == {}
    assert shown(personas.member, active)["stores"] == "web"
    delete_copy(personas.admin, "web", active, 403)
    delete_copy(personas.admin, "web", ImageFactory(owner=personas.lab.pk), 409)


def test_a_copy_whose_store_does_not_answer_is_deleted_later(personas, active, settings):
    ImageLocation.objects.update(store="silent")
    with TestCase.captureOnCommitCallbacks(execute=True):
        registry.delete(ctx=personas.member.ctx, image=active)
    assert ImageLocation.objects.get().doomed
    assert locations.sweep() == 0
    settings.IMAGE_STORES["silent"] = {"driver": "images.stores.memory.MemoryStore"}
    stores.reset()
    put(stores.get("silent"), active.pk, active.pk, [b"abc"])
    assert locations.sweep() == 1
    assert stores.get("silent").data == {}
    assert not ImageLocation.objects.exists()


def test_locations_are_shown_only_where_the_operator_wants_it(personas, active, settings):
    assert shown(personas.member, active)["locations"] == [
        {"url": f"memory://memory/{active.pk}", "metadata": {"store": "memory"}}
    ]
    Image.objects.update(visibility="public")
    assert shown(personas.stranger, active)["locations"] == []
    settings.IMAGE_SHOW_LOCATIONS = False
    assert "locations" not in shown(personas.member, active)
    patch(personas.member, active, added("http://example.org/"), status=403)


def test_an_image_without_bytes_takes_those_at_an_address(personas, image, address):
    assert shown(personas.member, image)["locations"] == []
    row = patch(personas.member, image, added(address, metadata={"foo": "bar"}))
    assert row["locations"] == [{"url": address, "metadata": {"foo": "bar", "store": "web"}}]
    assert (row["status"], row["size"], row["checksum"], row["os_hash_value"]) == ("active", 3, None, None)
    row = patch(personas.member, image, added(f"{address}#new"))
    assert [each["url"] for each in row["locations"]] == [address, f"{address}#new"]
    assert b"".join(chunks_of(data.open_reader(Image.objects.get(pk=image.pk)))) == b"abc"


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"url": "gopher://info.cern.ch"}, 400),
        ({"url": "file:///etc/passwd"}, 400),
        ({"url": "http://169.254.169.254/"}, 400),
        ({"url": "http://user:pw@example.org/"}, 400),
        ({"url": "http://does-not.exist/"}, 400),
        ({"url": "http://example.org/" + "x" * 600}, 400),
        ({"url": 7}, 400),
        ({"url": "http://example.org/", "odd": 1}, 400),
        ("http://example.org/", 400),
        ({}, 400),
    ],
)
def test_an_address_that_leads_nowhere_or_inside_is_refused(personas, image, place, status):
    patch(personas.member, image, {"op": "add", "path": "/locations/-", "value": place}, status=status)
    assert shown(personas.member, image)["status"] == "queued"


def test_only_the_metadata_of_a_list_may_change(personas, image, address):
    patch(
        personas.member, image, {"op": "replace", "path": "/locations", "value": [{"url": address}, {"url": f"{address}#2"}]}
    )
    places = shown(personas.member, image)["locations"]
    places[0]["metadata"]["date"] = "2015-10-15"
    assert patch(personas.member, image, {"op": "replace", "path": "/locations", "value": places})["locations"] == places
    for wrong in (places[:1], [places[0], {**places[1], "url": f"{address}#3"}], [*places, places[0]], {}):
        patch(personas.member, image, {"op": "replace", "path": "/locations", "value": wrong}, status=400)
    assert shown(personas.member, image)["locations"] == places


def test_a_location_is_removed_by_operators_but_not_the_last(personas, image, address):
    patch(personas.member, image, added(address))
    patch(personas.member, image, added(f"{address}#new"))
    removal = {"op": "remove", "path": "/locations/0"}
    patch(personas.member, image, removal, status=403)
    for position in ("2", "-", "x", "-1", "²", "9" * 5000):
        patch(personas.admin, image, {"op": "remove", "path": f"/locations/{position}"}, status=400)
    assert [each["url"] for each in patch(personas.admin, image, removal)["locations"]] == [f"{address}#new"]
    patch(personas.admin, image, removal, status=403)


PROMISE = {"checksum": "1" * 32, "os_hash_algo": "sha512", "os_hash_value": "deadbeef" * 16}


def test_hashes_may_come_along_and_must_agree(personas, image, address):
    row = patch(personas.member, image, added(address, validation_data=PROMISE))
    assert {name: row[name] for name in PROMISE} == PROMISE
    for changed in ({"checksum": "2" * 32}, {"os_hash_value": "beefdead" * 16}, {"os_hash_algo": "sha256"}):
        patch(personas.member, image, added(f"{address}#new", validation_data=PROMISE | changed), status=409)
    row = patch(personas.member, image, added(f"{address}#new", validation_data=PROMISE))
    assert len(row["locations"]) == 2


def test_a_location_is_added_and_its_hashes_reckoned(personas, image, address):
    add(personas.member, image, {"url": address, "validation_data": {}})
    row = shown(personas.member, image)
    assert (row["status"], row["stores"], row["size"]) == ("active", "web", 3)
    assert (row["os_hash_algo"], row["os_hash_value"]) == ("sha512", hashlib.sha512(b"abc").hexdigest())
    assert row["checksum"] == hashlib.md5(b"abc", usedforsecurity=False).hexdigest()
    add(personas.member, image, {"url": address}, 409)


def test_bytes_at_a_location_are_what_the_record_says_or_the_image_stays_queued(personas, image, address):
    Image.objects.filter(pk=image.pk).update(disk_format="qcow2")
    add(personas.member, image, {"url": address})
    row = shown(personas.member, image)
    assert (row["status"], row["size"], row["os_hash_value"]) == ("queued", None, None)
    assert "declared qcow2, found raw" in ImageTask.objects.get().message


def test_an_image_without_formats_takes_no_location(personas, image, address):
    Image.objects.filter(pk=image.pk).update(disk_format=None)
    add(personas.member, image, {"url": address}, 400)
    patch(personas.member, image, added(address), status=400)
    assert not ImageLocation.objects.exists()


def test_hashes_that_were_promised_are_confirmed(personas, image, address):
    promise = {"os_hash_algo": "sha256", "os_hash_value": hashlib.sha256(b"abc").hexdigest()}
    add(personas.member, image, {"url": address, "validation_data": promise})
    row = shown(personas.member, image)
    assert (row["status"], row["os_hash_algo"], row["os_hash_value"]) == ("active", *promise.values())


def test_or_the_image_stays_queued(personas, image, address):
    add(
        personas.member,
        image,
        {"url": address, "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "beefdead" * 16}},
    )
    row = shown(personas.member, image)
    assert (row["status"], row["size"], row["checksum"], row["os_hash_algo"]) == ("queued", None, None, None)
    assert "hash that was promised" in ImageTask.objects.get().message


def test_an_address_that_failed_is_not_read_when_another_came_through(personas, image, address):
    add(personas.member, image, {"url": address, "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "0" * 128}})
    add(personas.member, image, {"url": f"{address}#new"})
    assert shown(personas.member, image)["status"] == "active"
    assert [row.address for row in ImageLocation.objects.all()] == [f"{address}#new"]


def test_nothing_is_reckoned_where_the_operator_turned_it_off(personas, image, address, settings):
    settings.IMAGE_SECURE_HASH = False
    add(personas.member, image, {"url": address})
    row = shown(personas.member, image)
    assert (row["status"], row["size"], row["checksum"], row["os_hash_value"]) == ("active", 3, None, None)


@pytest.mark.parametrize(
    "promise",
    [
        {"os_hash_algo": "sha512", "os_hash_value": "dbc9e0"},
        {"os_hash_value": "0" * 128},
        {"os_hash_algo": "sha123", "os_hash_value": "0" * 128},
        {"os_hash_algo": "sha512", "os_hash_value": "0" * 64},
        {"os_hash_algo": "sha512", "os_hash_value": "z" * 128},
        {"os_hash_algo": ["sha512"], "os_hash_value": "0" * 128},
        "sha512",
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(personas, image, address, promise):
    add(personas.member, image, {"url": address, "validation_data": promise}, 400)
    assert shown(personas.member, image)["status"] == "queued"


def test_without_a_store_that_reads_addresses_none_is_taken(personas, image, settings):
    del settings.IMAGE_STORES["web"]
    add(personas.member, image, {"url": "http://example.org/"}, 403)


def test_only_services_list_locations(personas, active):
    path = f"/image/v2/images/{active.pk}/locations"
    assert personas.member.api.get(path).status_code == 403
    assert personas.stranger.api.get(path).status_code == 404
    assert personas.admin.api.get(path).status_code == 403


def test_bytes_that_come_later_replace_an_address(personas, image, address):
    add(personas.member, image, {"url": address, "validation_data": {"os_hash_algo": "sha512", "os_hash_value": "0" * 128}})
    assert shown(personas.member, image)["stores"] == "web"
    upload = data.begin_upload(ctx=personas.member.ctx, image_id=image.pk, length=3)
    ingest = data.open_ingest(upload)
    ingest.count(3)
    for job in ingest.jobs(b"xyz"):
        job()
    data.finish_upload(upload, ingest.conclude())
    assert shown(personas.member, image)["stores"] == "memory"


def test_a_store_that_does_not_answer_leaves_an_upload_queued(personas, image):
    upload = data.begin_upload(ctx=personas.member.ctx, image_id=image.pk, length=3, store="silent")
    data.open_ingest(upload)
    with TestCase.captureOnCommitCallbacks(execute=True):
        data.abort_upload(upload, "the client went away")
    assert shown(personas.member, image)["status"] == "queued"
    assert ImageLocation.objects.get().doomed
    with pytest.raises(Unavailable, match="earlier copy"):
        data.begin_upload(ctx=personas.member.ctx, image_id=image.pk, length=3, store="silent")
    assert shown(personas.member, image)["status"] == "queued"
