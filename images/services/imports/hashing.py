"""A location that somebody added: the image takes its bytes from there, and its hashes are reckoned in the background.

With hashes that came along the image becomes active when they are confirmed; without, at once. An operator may turn the reckoning off;
then nothing is confirmed, and a host refuses an image that has no hash.
"""

import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from images.services import locations
from images.services.imports import outcomes
from images.services.ingest import HASH_ALGORITHM
from images.states import ImageStatus
from images.stores import registry as stores
from images.stores.base import Reader, StoreError, chunks_of

if TYPE_CHECKING:
    from images.services.imports.runs import Run


def take_location(run: "Run") -> None:
    """Make an image active with the bytes at the address that its task names."""
    image, address = run.image, str(run.task.input["loc_url"])
    promised: dict[str, Any] = run.task.input.get("validation_data") or {}
    store = str(stores.of_addresses())
    locations.add_address(image.pk, store, address)
    source = stores.get(store).open(address)
    try:
        known = {"size": source.size, "os_hash_algo": promised.get("os_hash_algo", HASH_ALGORITHM)}
        if not settings.IMAGE_SECURE_HASH:
            hashes = promised or {"os_hash_algo": None}
        else:
            if not promised:
                run.change_image(**known, status=ImageStatus.ACTIVE)
            hashes = _hashes(run, source, known["os_hash_algo"])
    finally:
        source.close()
    if promised and hashes["os_hash_value"] != promised["os_hash_value"]:
        raise StoreError("The data at the location does not have the hash that was promised.")
    with transaction.atomic():
        outcomes.succeed(run.task, run.id, **{**known, **hashes}, status=ImageStatus.ACTIVE)


def _hashes(run: "Run", source: Reader, algorithm: str) -> dict[str, str]:
    checksum, value = hashlib.md5(usedforsecurity=False), hashlib.new(algorithm)
    done = 0
    for chunk in chunks_of(source):
        checksum.update(chunk)
        value.update(chunk)
        done += len(chunk)
        run.report(done, source.size)
    return {"checksum": checksum.hexdigest(), "os_hash_algo": algorithm, "os_hash_value": value.hexdigest()}
