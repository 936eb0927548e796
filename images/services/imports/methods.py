"""Where the bytes of an import come from; whatever the method, they are in the staging area afterwards."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from accounts.standing import Standing
from images import fetching
from images.models import Image, ImageProperty
from images.services import attributes, data, limits
from images.services.imports.requests import GLANCE, WEB
from images.services.ingest import Arrival
from images.stores import registry as stores
from images.stores.base import StoreError, chunks_of

if TYPE_CHECKING:
    from images.services.imports.runs import Run

INTERFACES = ("public", "internal", "admin")
COPIED_PROPERTIES = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")


def obtain(run: "Run", method: Mapping[str, Any]) -> None:
    """Bring the bytes of an import to the staging area, unless they were sent there."""
    if method["name"] == WEB:
        _from_the_web(run, method["uri"])
    elif method["name"] == GLANCE:
        _from_another_image(run, method)


def _from_the_web(run: "Run", uri: str) -> None:
    try:
        fetched = fetching.fetch(uri)
    except fetching.FetchRefused as error:
        raise StoreError(f"URI for web-download does not pass filtering: {error}.") from error
    try:
        _stage(run, fetched.chunks(), fetched.size)
    finally:
        fetched.close()


def _from_another_image(run: "Run", method: Mapping[str, Any]) -> None:
    """Copy an image of this region, as whoever asked may read it now."""
    region, interface = method["glance_region"], method.get("glance_service_interface", "public")
    if region != settings.REGION or interface not in INTERFACES:
        raise StoreError("There is no image service with this interface in this region that could be asked.")
    task = run.task
    ctx = Standing(str(task.user_id), task.owner).context(request_id=task.request_id)
    if ctx is None:
        raise StoreError("Whoever asked for the import has no role in the project any more.")
    source, reader = data.open_data(ctx=ctx, image_id=method["glance_image_id"])
    if reader is None:
        raise StoreError(f"Image {source.pk} has no data.")
    try:
        _stage(run, chunks_of(reader), reader.size)
    finally:
        reader.close()
    _take_over(run, source)


def _stage(run: "Run", chunks: Iterable[bytes], size: int | None) -> None:
    """Write bytes to the staging area, as many as quota and room allow."""
    image, area = run.image, stores.staging()
    left = [limits.remaining_staging(image.owner), limits.remaining_bytes(image.owner)]
    limit = data.size_limit(area, size, min((each for each in left if each is not None), default=None))
    _reserve(run, image, size or 0)
    arrival = Arrival(writer=area.writer(image.pk, run.id, size), limit=limit, expected=size)
    try:
        for chunk in chunks:
            arrival.count(len(chunk))
            for job in arrival.jobs(chunk):
                job()
            run.report(arrival.size, size or limit)
        arrived: int = arrival.conclude()
    except BaseException:
        arrival.abort()
        raise
    _reserve(run, image, arrived)


def _reserve(run: "Run", image: Image, size: int) -> None:
    with transaction.atomic():
        limits.admit_staged(image.owner, size, image.pk)
        limits.admit_arrived(image.owner, size, image.pk)
        run.change_image(upload_bytes=size, size=size)


def _take_over(run: "Run", source: Image) -> None:
    """Give the image the formats of its source, and those properties that say what the bytes need."""
    wanted = {name: value for name, value in source.custom.items() if name.startswith(COPIED_PROPERTIES)}
    with transaction.atomic():
        run.change_image(disk_format=source.disk_format, container_format=source.container_format)
        image = run.image
        attributes.require_few({**image.custom, **wanted}, [])
        for name, value in wanted.items():
            ImageProperty.objects.update_or_create(image=image, name=name, defaults={"value": value})
