"""Bytes on their way into stores, one store after another, each copy hashed and inspected as an upload is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from images.models import Image
from images.services import locations
from images.services.ingest import Content, Ingest
from images.stores import registry as stores
from images.stores.base import Reader, StoreError, chunks_of
from portal.core.errors import CloudError

Report = Callable[[int, int], None]


def copy(image: Image, source: Reader, store: str, run_id: str, report: Report, *, disk_format: str) -> Content:
    """Write one copy of the image's bytes to a store and return what was measured; nothing stays behind on failure."""
    locations.make_room(image.pk, store)
    writer = stores.get(store).writer(image.pk, run_id, source.size)
    ingest = Ingest(
        writer=writer,
        disk_format=disk_format,
        container_format=str(image.container_format),
        limit=source.size,
        expected=source.size,
    )
    try:
        with ThreadPoolExecutor(3, thread_name_prefix="image-copy") as pool:
            for chunk in chunks_of(source):
                ingest.count(len(chunk))
                for done in [pool.submit(job) for job in ingest.jobs(chunk)]:
                    done.result()
                report(ingest.size, source.size)
        return ingest.conclude()
    except BaseException:
        ingest.abort()
        raise


def reason_of(error: Exception) -> str:
    """Return what a user is told about the failure of a copy."""
    if isinstance(error, StoreError):
        error = locations.as_cloud_error(error)
    return error.message if isinstance(error, CloudError) else "An unexpected error ended the import."
