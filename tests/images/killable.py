"""Settings of a server that tests kill: those of tests, with the test's own database and store."""

import os

from portal.settings.test import *  # noqa: F403

IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": os.environ["KILLABLE_STORE"]}}
IMAGE_DEFAULT_STORE = "file"
