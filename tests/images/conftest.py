"""A world for the image service: its own addresses, a store in memory, people of two projects."""

import pytest

from images.stores import registry
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
