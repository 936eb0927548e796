"""Several stores, and an image whose bytes wait for their import."""

import pytest

from images.models import Image
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import put
from tests.images import web
from tests.images.factories import ImageFactory


@pytest.fixture(autouse=True)
def several(settings):
    """Three stores: one fast, one slow, one that does not answer."""
    memory = "images.stores.memory.MemoryStore"
    settings.IMAGE_STORES = {
        "memory": {"driver": memory},
        "slow": {"driver": memory, "weight": -1, "description": "cheap"},
        "web": {"driver": "images.stores.http.HttpStore"},
    }
    settings.IMAGE_FETCH = web.rules()
    stores.reset()


@pytest.fixture
def broken(settings):
    settings.IMAGE_STORES = {**settings.IMAGE_STORES, "broken": {"driver": "tests.images.imports.steps.BrokenStore"}}


@pytest.fixture
def away(settings, tmp_path):
    """A store on a disk that is not there."""
    (tmp_path / "file").touch()
    options = {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "file" / "away"}
    settings.IMAGE_STORES = {**settings.IMAGE_STORES, "away": options}


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk)


@pytest.fixture
def staged(image):
    """An image whose six bytes wait for their import."""
    put(stores.staging(), image.pk, image.pk, [b"staged"])
    Image.objects.filter(pk=image.pk).update(status=ImageStatus.UPLOADING, size=6, upload_bytes=6)
    return image
