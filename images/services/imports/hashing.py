"""A location that somebody added: the image takes its bytes from there, once they were read in the background.

They must be what the record says of their formats, and have the hashes that came along. An operator may turn the reading off;
then nothing is confirmed, and a host refuses an image that has no hash.
"""

import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from images.services import locations
from images.services.imports import outcomes
from images.services.ingest import HASH_ALGORITHM
from images.services.inspection import Inspection
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
        if settings.IMAGE_SECURE_HASH:
            found = _measured(run, source, promised.get("os_hash_algo", HASH_ALGORITHM))
        else:
            found = promised
    finally:
        source.close()
    if promised and found["os_hash_value"] != promised["os_hash_value"]:
        raise StoreError("The data at the location does not have the hash that was promised.")
    with transaction.atomic():
        locations.forget_addresses(image.pk)  # one that failed before stayed with the image
        locations.add_address(image.pk, store, address)
        outcomes.succeed(run.task, run.id, **found, size=source.size, status=ImageStatus.ACTIVE)


def _measured(run: "Run", source: Reader, algorithm: str) -> dict[str, Any]:
    """Return hashes and virtual size of the bytes; raises BadRequest when they are not what the record says."""
    inspection = Inspection(str(run.image.disk_format), str(run.image.container_format))
    checksum, value = hashlib.md5(usedforsecurity=False), hashlib.new(algorithm)
    done = 0
    for chunk in chunks_of(source):
        inspection.feed(chunk)
        checksum.update(chunk)
        value.update(chunk)
        done += len(chunk)
        run.report(done, source.size)
    return {
        "virtual_size": inspection.conclude(done),
        "checksum": checksum.hexdigest(),
        "os_hash_algo": algorithm,
        "os_hash_value": value.hexdigest(),
    }
