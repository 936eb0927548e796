"""The small cloud of the kit, with processes that can be killed."""

import pytest

from images.stores import registry
from portal.core import bus
from tests.compute.interruptions.acts import BIGGER
from tests.compute.interruptions.town import ImageService, Town
from tests.kit.compute import *  # noqa: F403
from tests.kit.compute import FlavorFactory, member


@pytest.fixture
def town(cloud, settings, tmp_path, monkeypatch, caplog):
    """A host with nothing on it. Deleted servers can be restored, shelved ones stay where they are until they are told to go."""
    caplog.set_level("WARNING")  # a third of the time went into the words of every statement
    made, images = Town(tmp_path), ImageService()
    monkeypatch.setattr(bus, "broker", lambda: made.mail)
    settings.STATE_DIR = tmp_path
    settings.PUBLIC_URL = images.url
    settings.RECLAIM_INSTANCE_INTERVAL_S, settings.SHELVED_OFFLOAD_TIME_S = 3600, -1
    settings.IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "images"}}
    settings.IMAGE_DEFAULT_STORE = "file"
    registry.reset()
    cloud.ctx = member(roles=frozenset({"admin", "manager", "member", "reader"}))
    FlavorFactory(flavor_id=BIGGER, name=BIGGER, vcpus=2, ram_mb=1024, root_gb=2)
    images.start()
    yield made
    images.stop()
    registry.reset()
