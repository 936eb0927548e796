"""The stores of this installation, by name: ``IMAGE_STORES`` names their classes and options."""

import threading
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from images.stores.base import Store, StoreError

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
            options: dict[str, Any] | None = settings.IMAGE_STORES.get(wanted)
            if options is None:
                raise StoreError(f"There is no image store {wanted}.")
            arguments = {key: value for key, value in options.items() if key not in ("driver", "description")}
            _stores[wanted] = import_string(options["driver"])(name=wanted, **arguments)
        return _stores[wanted]


def reset() -> None:
    """Forget the stores that were made, for tests that change settings."""
    with _lock:
        _stores.clear()
