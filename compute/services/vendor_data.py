"""What the operator of the cloud tells every guest: one JSON file, read again when it changes."""

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

LOG = logging.getLogger(__name__)


def current() -> dict[str, Any]:
    """Return the document; without a file, or with one that is no JSON object, it is empty."""
    path = Path(settings.VENDOR_DATA_FILE)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return {}
    return _read(path, changed)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        LOG.warning("The vendor data in %s cannot be read: %s", path, error)
        return {}
    if not isinstance(found, dict):
        LOG.warning("The vendor data in %s is no JSON object.", path)
        return {}
    return found
