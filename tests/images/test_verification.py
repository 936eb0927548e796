"""Stores against records: rot, missing files, orphans; and a host that is given rotten bytes."""

import hashlib
import json
import time
from uuid import uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command

from compute.virt.driver import ImageRef
from compute.virt.errors import ImageUnavailable
from compute.worker.images import FileImageCache
from images.models import Image, ImageLocation
from images.services import leftovers, transfer
from images.services.verification import Report, verify
from images.states import ImageStatus
from images.stores import registry
from images.stores.base import part_name
from tests.images.factories import MIB, ActiveImageFactory, ImageFactory, noise
from tests.images.servers import running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(settings, tmp_path):
    settings.IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "images"}}
    settings.IMAGE_DEFAULT_STORE = "file"
    registry.reset()
    return registry.get()


def stored(store, content=b"content" * 1000):
    image = ActiveImageFactory(
        store=store.name,
        size=len(content),
        checksum=hashlib.md5(content).hexdigest(),
        os_hash_value=hashlib.sha512(content).hexdigest(),
    )
    (store.path / image.pk).write_bytes(content)
    return image


def flip(path, offset):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def found(**options):
    return {(finding.kind, finding.name) for finding in verify(Report(), **options)}


def test_a_healthy_store_has_nothing_to_find(store):
    stored(store)
    uploading = ImageFactory(status=ImageStatus.SAVING, upload_id=str(uuid4()), upload_store="file")
    (store.path / part_name(uploading.pk, uploading.upload_id)).write_bytes(b"half")
    arrived = ImageFactory(status=ImageStatus.SAVING, upload_id=str(uuid4()), upload_store="file")
    (store.path / arrived.pk).write_bytes(b"renamed, not yet active")
    report = Report()
    assert list(verify(report)) == []
    assert (report.images, report.bytes) == (1, 7000)


def test_a_flipped_byte_is_rot(store):
    image = stored(store)
    flip(store.path / image.pk, 3500)
    assert found() == {("rot", image.pk)}


def test_an_image_without_the_long_hash_is_verified_by_the_short_one(store):
    image = stored(store)
    Image.objects.filter(pk=image.pk).update(os_hash_algo=None, os_hash_value=None)
    assert found() == set()
    flip(store.path / image.pk, 0)
    assert found() == {("rot", image.pk)}


def test_a_cut_file_is_rot_and_a_lost_one_missing(store):
    cut, lost = stored(store), stored(store)
    (store.path / cut.pk).write_bytes(b"content")
    (store.path / lost.pk).unlink()
    assert found() == {("rot", cut.pk), ("missing", lost.pk)}


def test_what_belongs_to_nobody_is_an_orphan(store):
    deleted, queued, elsewhere = stored(store), stored(store), stored(store)
    Image.objects.filter(pk=deleted.pk).update(status=ImageStatus.DELETED)
    ImageLocation.objects.filter(image__in=[deleted, queued]).delete()
    Image.objects.filter(pk=queued.pk).update(status=ImageStatus.QUEUED)
    elsewhere.locations.update(store="another")
    names = {deleted.pk, queued.pk, elsewhere.pk, str(uuid4()), "notes.txt", part_name(queued.pk, str(uuid4()))}
    for name in names:
        (store.path / name).touch()
    assert found() == {("orphan", name) for name in names}


def test_the_sweep_removes_what_is_surely_nobodys_and_nothing_else(store):
    kept, deleted, queued = stored(store), stored(store), stored(store)
    Image.objects.filter(pk=deleted.pk).update(status=ImageStatus.DELETED)
    ImageLocation.objects.filter(image__in=[deleted, queued]).delete()
    Image.objects.filter(pk=queued.pk).update(status=ImageStatus.QUEUED)
    part, unknown = part_name(queued.pk, str(uuid4())), str(uuid4())
    for name in (part, unknown, "notes.txt"):
        (store.path / name).touch()
    assert leftovers.remove() == 2
    assert {entry.name for entry in store.path.iterdir()} == {kept.pk, queued.pk, unknown, "notes.txt"}
    assert leftovers.remove() == 0


def test_a_link_in_the_place_of_an_image_is_not_read(store):
    image = stored(store)
    (store.path / image.pk).unlink()
    (store.path / image.pk).symlink_to("/etc/hostname")
    assert found() == {("unreadable", image.pk)}


def test_reading_keeps_to_its_rate(store):
    stored(store, noise(2 * MIB))
    began = time.monotonic()
    assert found(bytes_per_s=4 * MIB) == set()
    assert time.monotonic() - began >= 0.5


def test_the_command_speaks_to_people_and_to_programs(store, capsys):
    image = stored(store)
    call_command("images", "verify")
    assert "1 images, 0.0 MB read, 0 findings." in capsys.readouterr().out
    flip(store.path / image.pk, 1)
    with pytest.raises(CommandError) as error:
        call_command("images", "verify")
    assert error.value.returncode == 1
    assert f"rot: {image.pk} in file: its sha512 is another" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("images", "verify", "--json", "--store", "file")
    said = json.loads(capsys.readouterr().out)
    assert (said["images"], said["bytes"], said["findings"][0]["kind"]) == (1, 7000, "rot")


def test_a_store_that_is_not_configured_is_named(store):
    with pytest.raises(CommandError, match="no image store attic"):
        call_command("images", "verify", "--store", "attic")


def test_a_host_refuses_what_rotted_in_the_store(store, tmp_path):
    image = stored(store, noise(3 * MIB))
    cache = FileImageCache(tmp_path / "_base")
    with running() as address:
        path, query = httpx.URL(transfer.source_url(image)).raw_path.decode().split("?")
        wanted = ImageRef(
            image.pk, f"{address}{path}?{query}", image.size, image.os_hash_algo, image.os_hash_value, "raw", "bare"
        )
        assert cache.fetch(wanted, lambda step: None).stat().st_size == image.size
        flip(store.path / image.pk, 2 * MIB)
        for base in (tmp_path / "_base").iterdir():
            base.unlink()
        with pytest.raises(ImageUnavailable, match="does not match its checksum"):
            cache.fetch(wanted, lambda step: None)
    assert [one.suffix for one in (tmp_path / "_base").iterdir()] == [".lock"]
