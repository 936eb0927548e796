"""Tests: a state folder, database and keys of their own; nothing of a running installation is touched."""

import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from pathlib import Path

if "NEBULET_STATE_DIR" not in os.environ:
    os.environ["NEBULET_STATE_DIR"] = tempfile.mkdtemp(prefix="nebulet-test-")
_state = Path(os.environ["NEBULET_STATE_DIR"])
_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker and _state.name != _worker:  # one of several processes that run tests
    _state = _state / _worker
    _state.mkdir(mode=0o711, exist_ok=True)
    (_state / "db").mkdir(exist_ok=True)
    os.environ["NEBULET_STATE_DIR"] = str(_state)
for _file in (_state / "secrets" / folder / str(number) for folder in ("fernet", "credential") for number in (0, 1)):
    _file.parent.mkdir(parents=True, exist_ok=True)
    if not _file.exists():
        _file.write_bytes(urlsafe_b64encode(secrets.token_bytes(32)))
(_state / "run").mkdir(exist_ok=True)
for _name in ("queue-key", "secret-key"):
    _file = _state / "secrets" / _name
    if not _file.exists():
        _file.write_text(secrets.token_urlsafe(48))

from portal.settings.prod import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "accounts.hashers.RandomSecretHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LOG = LOG | {"debug": True}  # noqa: F405  the kit looks through all that could ever be logged
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
ALLOWED_HOSTS = ["*"]
if DATABASES["default"]["ENGINE"] == "portal.core.sqlite":  # noqa: F405
    # a file: connections of several threads to a database in memory do not wait for each other's locks
    DATABASES["default"]["TEST"] = {"NAME": str(_state / "test.sqlite3")}  # noqa: F405
