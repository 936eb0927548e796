"""Locations that users add: where the bytes of an image already lie, by an address of the web.

There must be a store that reads addresses, and an address must pass what those of imports pass. An operator turns on that locations are
shown and patched; adding one to an image without bytes is a call of its own. Follows the Image API reference, "Update image" and
"Add location".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from images import fetching, policies
from images.models import Image, ImageLocation, ImageTask
from images.models.location import MAX_ADDRESS
from images.services import data, locations, tasks
from images.services.documents import require_storable
from images.services.patches import Change
from images.states import ImageStatus, TaskType
from images.stores import registry as stores
from images.stores.base import StoreError
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, Forbidden
from portal.core.policy import authorize

DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
PATCHED = "sha512"
MAX_LOCATIONS = 10
MAX_METADATA = 4096
_KEYS = {"url", "metadata", "validation_data"}
_INVISIBLE = "It's not allowed to add/replace/remove locations if locations are invisible."


def shown(image_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the locations of images as clients see them, by the image's id. One query."""
    found: dict[str, list[dict[str, Any]]] = {}
    rows = ImageLocation.objects.filter(image__in=image_ids, doomed=False)
    for row in sorted(rows, key=locations.reading_order):
        told = {"url": locations.url_of(row), "metadata": {**row.metadata, "store": row.store}}
        found.setdefault(row.image_id, []).append(told)
    return found


def add(*, ctx: RequestContext, image: Image, wanted: Any) -> ImageTask:
    """Give a queued image the bytes at an address, in the background."""
    if image.status != ImageStatus.QUEUED:
        raise Conflict(f"It's not allowed to add locations if image status is {image.status}.")
    authorize(ctx, policies.ADD_IMAGE_LOCATION, image)
    data.require_formats(image)
    place = _wanted(wanted, {"url", "validation_data"})
    promised = place.get("validation_data")
    if promised not in (None, {}):
        _check_promise(promised, {"os_hash_algo", "os_hash_value"}, BadRequest)
    with transaction.atomic():
        given = {"image_id": image.pk, "loc_url": place["url"], "validation_data": promised or {}}
        task = tasks.create(ctx=ctx, kind=TaskType.LOCATION_IMPORT, image_id=image.pk, input=given)
        if not Image.objects.begin_import(image.pk, task.pk, ImageStatus.QUEUED, ImageStatus.IMPORTING, []):
            raise Conflict(f"New operation on image '{image.pk}' is not permitted as prior operation is still in progress")
    return task


def measure(*, ctx: RequestContext, image: Image, changes: list[Change]) -> int | None:
    """Return how many bytes lie at the first place that a patch gives to an image without any.

    Asked before the transaction begins: another machine may take its time to answer.
    """
    if not changes:
        return None
    if not settings.IMAGE_SHOW_LOCATIONS:
        raise Forbidden(_INVISIBLE)
    given = [each for change in changes for each in _given(change)]
    if not given or image.status != ImageStatus.QUEUED:
        return None
    authorize(ctx, policies.SET_IMAGE_LOCATION, image)
    data.require_formats(image)
    address = _wanted(given[0], _KEYS)["url"]
    try:
        reader = stores.get(stores.of_addresses()).open(address)
    except StoreError as error:
        raise BadRequest(f"Invalid location: {error}") from error
    reader.close()
    return reader.size


def patch(*, ctx: RequestContext, image: Image, changes: list[Change], size: int | None) -> None:
    """Apply the operations of a patch on ``locations`` to a locked image, inside the caller's transaction."""
    if image.import_task_id:
        raise Conflict(f"New operation on image '{image.pk}' is not permitted as prior operation is still in progress")
    for change in changes:
        if change.operation == "remove":
            authorize(ctx, policies.DELETE_IMAGE_LOCATION, image)
            _remove(image, change)
            continue
        authorize(ctx, policies.SET_IMAGE_LOCATION, image)
        if change.operation == "replace":
            _replace(image, change, size)
        else:
            _insert(image, change, size)


def _given(change: Change) -> list[Any]:
    """Return the locations that an operation brings."""
    if change.operation == "remove":
        return []
    return change.value if isinstance(change.value, list) else [change.value]


def _insert(image: Image, change: Change, size: int | None) -> None:
    if change.position is None:
        raise BadRequest("A location is added at a position of the list.")
    if image.status not in (ImageStatus.ACTIVE, ImageStatus.QUEUED):
        raise Conflict(f"It's not allowed to add locations if image status is {image.status}.")
    _take(image, [_wanted(change.value, _KEYS)], size)


def _replace(image: Image, change: Change, size: int | None) -> None:
    """Set the list of an image without bytes; of one that has some only the metadata may change."""
    if change.position is not None or not isinstance(change.value, list):
        raise BadRequest("The list of locations is replaced as a whole.")
    rows = {locations.url_of(row): row for row in _rows(image)}
    if not rows:
        _take(image, [_wanted(each, _KEYS) for each in change.value], size)
        return
    wanted = {str(each.get("url")): each for each in change.value if isinstance(each, dict)}
    if wanted.keys() != rows.keys() or len(wanted) != len(change.value):
        raise BadRequest(f"Unable to replace locations from non-empty to another list. Original locations: {len(rows)}")
    for url, each in wanted.items():
        ImageLocation.objects.filter(pk=rows[url].pk).update(metadata=_metadata(each.get("metadata", {})))


def _remove(image: Image, change: Change) -> None:
    rows = _rows(image)
    if not re.fullmatch("[0-9]{1,4}", change.position or "") or int(str(change.position)) >= len(rows):
        raise BadRequest("Invalid position for location")
    if image.status not in (ImageStatus.ACTIVE, ImageStatus.DEACTIVATED):
        raise Conflict(f"It's not allowed to remove locations if image status is {image.status}.")
    if len(rows) == 1:
        raise Forbidden("It's not allowed to remove the last location of an active image.")
    locations.doom([rows[int(str(change.position))]])


def _take(image: Image, places: list[Mapping[str, Any]], size: int | None) -> None:
    """Add locations to an image; one that was queued becomes active with them."""
    promise = _promise_of(image, places)
    present = _rows(image)
    if len(present) + len(places) > MAX_LOCATIONS:
        raise BadRequest(f"An image has at most {MAX_LOCATIONS} locations.")
    taken = {row.address for row in present}
    if taken & {place["url"] for place in places} or len({place["url"] for place in places}) < len(places):
        raise BadRequest("The location is there already.")
    for place in places:
        locations.add_address(image.pk, str(stores.of_addresses()), place["url"], _metadata(place.get("metadata", {})))
    if image.status == ImageStatus.QUEUED and size is not None:
        queued = Image.objects.filter(pk=image.pk, status=ImageStatus.QUEUED)
        queued.update(status=ImageStatus.ACTIVE, size=size, **promise)
        image.refresh_from_db()


def _promise_of(image: Image, places: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return the hashes that come with locations and are new; raises Conflict when they contradict what is known."""
    promise: dict[str, str] = {}
    for place in places:
        given = place.get("validation_data")
        if given is None:
            continue
        _check_promise(given, {"os_hash_algo", "os_hash_value", "checksum"}, Conflict)
        for name, value in given.items():
            if promise.setdefault(name, value) != value or (getattr(image, name) or value) != value:
                raise Conflict(f"{name} is already set with a different value")
    if promise and promise["os_hash_algo"] != PATCHED:
        raise Conflict(f"os_hash_algo must be {PATCHED}, not {promise['os_hash_algo']}")
    new = {name: value for name, value in promise.items() if not getattr(image, name)}
    if new and image.status != ImageStatus.QUEUED:
        raise Conflict(f"New value(s) for {', '.join(new)} may only be provided when image status is 'queued'")
    return new


def _check_promise(given: Any, known: set[str], refusal: type[BadRequest | Conflict]) -> None:
    if not isinstance(given, dict) or set(given) - known or not all(isinstance(each, str) for each in given.values()):
        raise BadRequest("Invalid validation_data.")
    algorithm, value = given.get("os_hash_algo"), given.get("os_hash_value")
    if algorithm not in DIGITS:
        raise refusal(f"os_hash_algo must be one of {', '.join(DIGITS)}.")
    for name, digest, digits in (
        ("os_hash_value", value, DIGITS[algorithm]),
        ("checksum", given.get("checksum", "0" * 32), 32),
    ):
        if not re.fullmatch(f"[0-9a-f]{{{digits}}}", digest or ""):
            raise refusal(f"{name} is not a hexadecimal value of {digits} digits.")


def _wanted(value: Any, known: set[str]) -> Mapping[str, Any]:
    """Return a location that may be added; raises BadRequest, or Forbidden where no store reads addresses."""
    if not isinstance(value, dict) or set(value) - known or not isinstance(value.get("url"), str):
        raise BadRequest("A location is an object with a url.")
    if stores.of_addresses() is None:
        raise Forbidden("http store must be enabled to use location API by normal user.")
    try:
        fetching.check(value["url"])
    except fetching.FetchRefused as error:
        raise BadRequest(f"URI for add location does not pass filtering: {error}") from error
    if len(value["url"]) > MAX_ADDRESS:
        raise BadRequest(f"The url of a location has at most {MAX_ADDRESS} characters.")
    return value


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(json.dumps(value)) > MAX_METADATA:
        raise BadRequest(f"The metadata of a location is an object of at most {MAX_METADATA} characters.")
    require_storable(value)
    return {name: each for name, each in value.items() if name != "store"}


def _rows(image: Image) -> list[ImageLocation]:
    """Return the locations of a locked image in the order in which they are shown."""
    return locations.in_order(Image.objects.get(pk=image.pk))
