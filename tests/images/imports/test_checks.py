"""What an import gives its image, and what it refuses."""

import pytest

from images.models import Image
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import put
from tests.images.factories import MIB, PropertyFactory, qcow2
from tests.images.imports.steps import DIRECT, area, ask, held, shown, work

pytestmark = pytest.mark.django_db


def with_bytes(image, data, **values):
    """Let these bytes wait for the import of an image."""
    put(stores.staging(), image.pk, image.pk, [data])
    waiting = {"status": ImageStatus.UPLOADING, "size": len(data), "upload_bytes": len(data)}
    Image.objects.filter(pk=image.pk).update(**waiting, **values)
    return image


def test_what_is_imported_gets_the_operators_properties(personas, staged, settings):
    settings.IMAGE_INJECT_PROPERTIES = {"licence": "ours"}
    ask(personas.member, staged, DIRECT)
    work()
    assert shown(personas.member, staged)["licence"] == "ours"


def test_an_imported_disk_is_converted_to_the_operators_format(personas, image, settings):
    settings.IMAGE_CONVERSION_FORMAT = "raw"
    ask(personas.member, with_bytes(image, qcow2(), disk_format="qcow2"), DIRECT)
    work()
    found = shown(personas.member, image)
    assert (found["status"], found["disk_format"], found["size"], found["virtual_size"]) == (
        "active",
        "raw",
        10 * MIB,
        10 * MIB,
    )
    assert held()["memory"] == {image.pk: bytes(10 * MIB)}
    assert area() == []


def test_a_disk_that_is_not_what_it_claims_is_not_converted(personas, image, settings):
    settings.IMAGE_CONVERSION_FORMAT = "raw"
    ask(personas.member, with_bytes(image, qcow2(backing=104), disk_format="qcow2"), DIRECT)
    assert work().status == TaskStatus.FAILURE
    found = shown(personas.member, image)
    assert (found["status"], found["disk_format"]) == ("queued", "qcow2")
    assert area() == []


def test_an_import_that_is_not_what_was_signed_is_refused(personas, image, settings, tmp_path):
    settings.IMAGE_CERTIFICATES_DIR = tmp_path
    for name, value in (
        ("img_signature", "c2lnbmF0dXJl"),
        ("img_signature_hash_method", "SHA-256"),
        ("img_signature_key_type", "RSA-PSS"),
        ("img_signature_certificate_uuid", image.pk),
    ):
        PropertyFactory(image=image, name=name, value=value)
    ask(personas.member, with_bytes(image, b"anything"), DIRECT)
    assert "Signature verification failed" in work().message
    assert shown(personas.member, image)["status"] == "queued"
