"""A world for the image service: its own addresses, a store in memory, people of two projects."""

import pytest

from images.stores import registry
from images.stores.base import put
from tests.images.factories import ActiveImageFactory
from tests.kit.identity import personas  # noqa: F401


@pytest.fixture(autouse=True)
def _service(settings, tmp_path):
    settings.ROOT_URLCONF = "tests.images.urls"
    settings.IMAGE_STORES = {"memory": {"driver": "images.stores.memory.MemoryStore"}}
    settings.IMAGE_DEFAULT_STORE = "memory"
    settings.IMAGE_STAGING_DIR = tmp_path / "staging"
    registry.reset()
    yield
    registry.reset()


@pytest.fixture
def store():
    """The store of this test."""
    return registry.get()


@pytest.fixture
def active(personas, store):  # noqa: F811
    """An image whose three bytes are in the store."""
    put(store, "0a0a0a0a-0000-4000-8000-000000000001", "0a0a0a0a-0000-4000-8000-000000000002", [b"abc"])
    return ActiveImageFactory(id="0a0a0a0a-0000-4000-8000-000000000001", owner=personas.lab.pk)
