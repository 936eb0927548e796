"""The bytes of one upload on their way into a store: written, hashed twice and inspected, each by a worker thread of its own.

Nothing here waits for the network or the database; the receiver hands over batches, and each batch's jobs run side by side since
hashing and writing release the interpreter's lock.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from images.services.inspection import Inspection
from images.services.steps.signature import Verifier
from images.stores.base import Writer
from portal.core.errors import BadRequest, TooLarge

HASH_ALGORITHM = "sha512"


@dataclass(frozen=True)
class Content:
    """What was measured of a whole upload."""

    size: int
    checksum: str
    os_hash_algo: str
    os_hash_value: str
    virtual_size: int | None


class Arrival:
    """Counts, limits and writes the batches of one upload, in order."""

    def __init__(self, *, writer: Writer, limit: int, expected: int | None) -> None:
        self._writer = writer
        self._limit = limit
        self._expected = expected
        self.size = 0

    def count(self, length: int) -> None:
        """Count bytes as they arrive; raises TooLarge or BadRequest before they are written."""
        self.size += length
        if self._expected is not None and self.size > self._expected:
            raise BadRequest(f"More data arrived than the {self._expected} bytes that were announced.")
        if self.size > self._limit:
            raise TooLarge(f"The image is larger than the {self._limit} bytes that are allowed.")

    def jobs(self, batch: bytes) -> list[Callable[[], None]]:
        """Return what is to be done with a batch; each job must end before that in its place of the next batch begins.

        One large buffer each: a thread that hashes many small ones fights for the interpreter's lock at every one of them.
        """
        return [lambda: self._writer.write(batch)]

    def conclude(self) -> Any:
        """Make the bytes what they are to be, and return what was measured; raises BadRequest when they are not what was promised."""
        self._require_all()
        self._writer.commit()
        return self.size

    def abort(self) -> None:
        """Throw the bytes away."""
        self._writer.abort()

    def _require_all(self) -> None:
        if self._expected is not None and self.size != self._expected:
            raise BadRequest(f"{self.size} bytes arrived of the {self._expected} that were announced.")


class Ingest(Arrival):
    """The arrival of an image's data in its store: hashed and inspected as well, and its signature verified."""

    def __init__(
        self,
        *,
        writer: Writer,
        disk_format: str,
        limit: int,
        expected: int | None,
        container_format: str = "bare",
        verifier: Verifier | None = None,
    ) -> None:
        super().__init__(writer=writer, limit=limit, expected=expected)
        self._checksum = hashlib.md5(usedforsecurity=False)
        self._hash = hashlib.new(HASH_ALGORITHM)
        self._inspection = Inspection(disk_format, container_format)
        self._verifier = verifier

    def jobs(self, batch: bytes) -> list[Callable[[], None]]:
        jobs = [lambda: self._store(batch), lambda: self._checksum.update(batch), lambda: self._hash.update(batch)]
        if self._verifier is not None:
            verifier = self._verifier
            jobs.append(lambda: verifier.update(batch))
        return jobs

    def conclude(self) -> Content:
        self._require_all()
        virtual_size = self._inspection.conclude(self.size)
        if self._verifier is not None:
            self._verifier.verify()
        self._writer.commit()
        return Content(self.size, self._checksum.hexdigest(), HASH_ALGORITHM, self._hash.hexdigest(), virtual_size)

    def _store(self, batch: bytes) -> None:
        self._inspection.feed(batch)
        self._writer.write(batch)
