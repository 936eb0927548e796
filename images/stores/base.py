"""What every store of image bytes offers."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

IMAGE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PART = re.compile(rf"\.({IMAGE_ID.pattern})\.({IMAGE_ID.pattern})\.part")
COPY_BYTES = 1 << 20


class StoreError(Exception):
    """A store could not do what was asked."""


class NoData(StoreError):
    """The store holds nothing under this id."""


class StoreFull(StoreError):
    """There is no room for the bytes."""


class PartBusy(StoreError):
    """Another upload writes to the part at this moment."""


class Writer(Protocol):
    """Bytes on their way in; nobody sees them before ``commit``."""

    def write(self, data: bytes) -> None:
        """Append the bytes; raises StoreFull."""

    def commit(self) -> None:
        """Make what was written the image's data, safe against a power cut; raises StoreError when there is data already."""

    def abort(self) -> None:
        """Throw away what was written; harmless after ``commit`` or a second time."""


class Part(Writer, Protocol):
    """Bytes that may wait half-way for the rest; nobody else writes to them while they are open, and a process that dies lets go."""

    def cut(self, size: int) -> None:
        """Keep the first ``size`` bytes alone; what is written next follows them."""

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` of the bytes that were written, from ``offset``."""

    def pause(self) -> int:
        """Let go of the bytes, safe against a power cut, and return how many there are."""


class Reader(Protocol):
    """An image's data, open for reading."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; empty at the end."""

    def close(self) -> None: ...


class Store(Protocol):
    """A place for image bytes. ``name`` is the store's id in the configuration and in image records, ``kind`` the word of its type.

    A key is the image's id, or the address itself where a store reads what lies elsewhere.
    """

    name: str
    kind: str
    read_only: bool

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> Writer:
        """Return a writer for one upload of one image, of ``size`` bytes when that is known."""

    def open(self, key: str) -> Reader:
        """Return the image's data; raises NoData."""

    def delete(self, key: str) -> bool:
        """Remove the image's data; False when there was none."""

    def discard(self, image_id: str, upload_id: str) -> None:
        """Remove what an upload left behind whose process is gone."""

    def entries(self) -> Iterator[str]:
        """Yield the names of everything that lies here: ids of images, and what unfinished uploads left."""

    def free_bytes(self) -> int | None:
        """Return how many bytes still fit, or None when nobody knows."""

    def url(self, key: str) -> str:
        """Return how operators see the place of an image's data; nothing is opened by it."""

    def properties(self) -> dict[str, Any]:
        """Return what operators may know of the store; no secrets."""


@runtime_checkable
class ResumingStore(Store, Protocol):
    """A store in which an upload may go on after an interruption."""

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> Part: ...

    def resume(self, image_id: str, upload_id: str) -> Part:
        """Return what an earlier piece of the upload wrote, open for more; raises NoData or PartBusy."""


def checked(image_id: str) -> str:
    """Return the id if it is a UUID; raises StoreError, since an id becomes a file's name."""
    if not IMAGE_ID.fullmatch(image_id):
        raise StoreError("The id of an image must be a UUID.")
    return image_id


def part_name(image_id: str, upload_id: str) -> str:
    """Return the name of an upload's bytes before they are the image's."""
    return f".{checked(image_id)}.{checked(upload_id)}.part"


def put(store: Store, image_id: str, upload_id: str, chunks: Iterable[bytes]) -> int:
    """Store a stream of chunks in one go and return its length; nothing stays behind on failure."""
    writer = store.writer(image_id, upload_id)
    total = 0
    try:
        for chunk in chunks:
            writer.write(chunk)
            total += len(chunk)
        writer.commit()
    except BaseException:
        writer.abort()
        raise
    return total


def chunks_of(reader: Reader, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the data from ``offset`` to ``end`` in chunks."""
    stop = reader.size if end is None else min(end, reader.size)
    while offset < stop:
        chunk = reader.read(offset, min(COPY_BYTES, stop - offset))
        if not chunk:
            raise StoreError("The image's data ends before its size.")
        offset += len(chunk)
        yield chunk
