"""Caches of hosts in the Image API's JSON."""

from collections.abc import Iterable
from typing import Any

from compute.models import HostImage
from compute.states import CacheState


def cache(rows: Iterable[HostImage]) -> dict[str, Any]:
    """Return one entry for each image, whatever the number of hosts it lies on.

    ``hits`` are the files of guests that lie on it. An image counts as queued as long as one host still waits for it.
    """
    cached: dict[str, dict[str, Any]] = {}
    queued: dict[str, None] = {}
    for row in rows:
        if row.state == CacheState.QUEUED:
            queued[row.image_id] = None
        elif row.is_cached:
            _add(cached.setdefault(row.image_id, _empty(row.image_id)), row)
    return {"cached_images": list(cached.values()), "queued_images": list(queued)}


def _empty(image_id: str) -> dict[str, Any]:
    return {"image_id": image_id, "hits": 0, "last_accessed": 0.0, "last_modified": 0.0, "size": 0}


def _add(entry: dict[str, Any], row: HostImage) -> None:
    entry["hits"] += row.disks
    entry["size"] = max(entry["size"], row.size_bytes)
    for name, at in (("last_accessed", row.used_at), ("last_modified", row.fetched_at)):
        entry[name] = max(entry[name], at.timestamp() if at else 0.0)
