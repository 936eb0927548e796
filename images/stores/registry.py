"""The stores of this installation, by name: ``IMAGE_STORES`` names their classes and options.

Beside them stands the staging area, where bytes wait for their import. It is no store of images and appears in no list.
"""

import threading
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from images.stores.base import Store, StoreError
from images.stores.filesystem import FilesystemStore

STAGING = "os_glance_staging_store"
_ABOUT = ("driver", "description", "weight")

_lock = threading.Lock()
_stores: dict[str, Store] = {}


def names() -> list[str]:
    """Return the names of all stores, the default one first."""
    default = settings.IMAGE_DEFAULT_STORE
    return [default, *sorted(set(settings.IMAGE_STORES) - {default})]


def get(name: str | None = None) -> Store:
    """Return a store by name, or the default store; raises StoreError for a name that is not configured."""
    wanted = name or settings.IMAGE_DEFAULT_STORE
    with _lock:
        if wanted not in _stores:
            _stores[wanted] = _make(wanted)
        return _stores[wanted]


def staging() -> FilesystemStore:
    """Return the staging area."""
    area = get(STAGING)
    assert isinstance(area, FilesystemStore)
    return area


def driver(name: str) -> type[Store]:
    """Return a store's class, which is there even while the store is not."""
    found: type[Store] = import_string(settings.IMAGE_STORES[name]["driver"])
    return found


def writable() -> list[str]:
    """Return the names of the stores that take new images, the default one first."""
    return [name for name in names() if not driver(name).read_only]


def of_addresses() -> str | None:
    """Return the name of the store that reads what lies at addresses of the web, if there is one."""
    return next((name for name in names() if driver(name).kind == "http"), None)


def weight(name: str) -> int:
    """Return a store's weight: of several copies the one in the heaviest store is read first."""
    return int(settings.IMAGE_STORES.get(name, {}).get("weight", 0))


def by_weight(found: Iterable[str]) -> list[str]:
    """Return stores in the order in which their copies are read."""
    names = sorted(found)
    return sorted(names, key=weight, reverse=True) if len(names) > 1 else names


def _make(name: str) -> Store:
    if name == STAGING:
        return FilesystemStore(name, settings.IMAGE_STAGING_DIR)
    options: dict[str, Any] | None = settings.IMAGE_STORES.get(name)
    if options is None:
        raise StoreError(f"There is no image store {name}.")
    arguments: dict[str, Any] = {key: value for key, value in options.items() if key not in _ABOUT}
    try:
        made: Store = import_string(options["driver"])(name=name, **arguments)
    except (OSError, ValueError) as error:  # a file of credentials that cannot be read
        raise StoreError(f"The image store {name} cannot be opened.") from error
    return made


def reset() -> None:
    """Forget the stores that were made, for tests that change settings."""
    with _lock:
        _stores.clear()
