"""Stores against records: every byte read and hashed, what is missing and what belongs to nobody; nothing is changed.

A chunk at a time is in memory. Names are listed before records are read, so bytes that arrive meanwhile belong to an upload
whose record says so.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from images.models import Image, ImageLocation
from images.states import STORED
from images.stores import registry as stores
from images.stores.base import IMAGE_ID, NoData, Store, StoreError, chunks_of, part_name

_AT_ONCE = 500


class Kind(StrEnum):
    """What can be wrong."""

    ROT = "rot"
    MISSING = "missing"
    ORPHAN = "orphan"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit: ``name`` is an image's id or the name of what lies in the store."""

    kind: Kind
    store: str
    name: str
    reason: str


@dataclass(frozen=True)
class Orphan:
    """An entry of a store that belongs to nobody; ``image`` is the record its name speaks of, if there is one."""

    name: str
    reason: str
    image: Image | None


@dataclass
class Report:
    """What was looked at so far."""

    images: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)


class Pace:
    """Keeps reading below so many bytes a second; None means as fast as it goes."""

    def __init__(self, bytes_per_s: int | None) -> None:
        self._bytes_per_s = bytes_per_s
        self._began = time.monotonic()
        self._taken = 0

    def take(self, amount: int) -> None:
        """Wait until ``amount`` more bytes are within the pace."""
        self._taken += amount
        if self._bytes_per_s:
            time.sleep(max(0.0, self._began + self._taken / self._bytes_per_s - time.monotonic()))


def verify(report: Report, *, names: list[str] | None = None, bytes_per_s: int | None = None) -> Iterator[Finding]:
    """Yield what is wrong in the stores of these names, or in all, and count in ``report`` what was read."""
    pace = Pace(bytes_per_s)
    for name in names or stores.names():
        try:
            for finding in _store(stores.get(name), report, pace):
                report.findings.append(finding)
                yield finding
        except (StoreError, OSError) as error:
            report.findings.append(Finding(Kind.UNREADABLE, name, name, str(error)))
            yield report.findings[-1]


def _store(store: Store, report: Report, pace: Pace) -> Iterator[Finding]:
    for orphan in orphans(store):
        yield Finding(Kind.ORPHAN, store.name, orphan.name, orphan.reason)
    held = ImageLocation.objects.filter(store=store.name, doomed=False, image__status__in=STORED)
    for copy in held.select_related("image").order_by("pk").iterator(_AT_ONCE):
        problem = _problem(store, copy, report, pace)
        if problem is not None and held.filter(pk=copy.pk).exists():  # else it was deleted while we read
            yield Finding(problem[0], store.name, copy.image_id, problem[1])


def _problem(store: Store, copy: ImageLocation, report: Report, pace: Pace) -> tuple[Kind, str] | None:
    """Read a copy of an image's data; return what is wrong with it. One whose hash nobody ever took is measured only."""
    image = copy.image
    report.images += 1
    algorithm = image.os_hash_algo if image.os_hash_value else "md5"
    expected = image.os_hash_value or image.checksum
    digest, size = hashlib.new(str(algorithm), usedforsecurity=False), 0
    try:
        reader = store.open(copy.address or copy.image_id)
    except NoData:
        return Kind.MISSING, f"{image.size} bytes should be there"
    except (StoreError, OSError) as error:
        return Kind.UNREADABLE, str(error)
    try:
        for chunk in chunks_of(reader):
            digest.update(chunk)
            size += len(chunk)
            pace.take(len(chunk))
    except (StoreError, OSError) as error:
        return Kind.UNREADABLE, str(error)
    finally:
        reader.close()
        report.bytes += size
    if size != image.size:
        return Kind.ROT, f"{size} bytes are there of {image.size}"
    if expected and digest.hexdigest() != expected:
        return Kind.ROT, f"its {algorithm} is another than when it arrived"
    return None


def orphans(store: Store) -> Iterator[Orphan]:
    """Yield what lies in a store and belongs to no record's data or upload."""
    entries = store.entries()
    while batch := list(islice(entries, _AT_ONCE)):
        ids = {name: name if IMAGE_ID.fullmatch(name) else name[1:37] for name in batch}
        rows = Image.objects.prefetch_related("locations").in_bulk(list(set(ids.values())))
        for name, image_id in ids.items():
            reason = _stranger(store, name, rows.get(image_id))
            if reason is not None:
                yield Orphan(name, reason, rows.get(image_id))


def _stranger(store: Store, name: str, image: Image | None) -> str | None:
    """Return why an entry belongs to nobody, or None."""
    if image is None:
        return "no image of this cloud has this name"
    if image.import_task_id is not None:
        return None  # its import cleans up after itself
    writing = image.upload_id is not None and image.upload_store == store.name
    if name == image.pk:
        mine = writing or any(row.store == store.name for row in image.locations.all())
        return None if mine else f"the image is {image.status} and has no data here"
    mine = writing and name == part_name(image.pk, str(image.upload_id))
    return None if mine else "the upload that wrote it has ended"
