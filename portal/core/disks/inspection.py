"""What the bytes of a disk image really are, judged while they flow past; no program that follows names ever opens them before.

A header that claims 8 EiB costs nothing here: headers are read, and nothing else.
"""

import logging
from pathlib import Path

from oslo_utils.imageutils import format_inspector as library

from portal.core.disks import formats

LOG = logging.getLogger(__name__)

HEAD_BYTES = 4 << 20
MAX_VIRTUAL_BYTES = 1 << 44  # the largest file of ext4, which a raw copy on a host will be
PLAIN = frozenset({"ami", "ari", "aki", "raw"})
_SECTOR = 512
_STEP_BYTES = 64 << 10
_PLAIN_CONTENT = frozenset({"raw", "gpt"})
_UNKNOWN = frozenset({"ploop"})
# What may be found beside the declared format: the boot loader of an ISO for disks is a partition table.
_BESIDE = {"iso": frozenset({"gpt"})}


class Refused(Exception):
    """The content is not what it was declared to be, or not safe to use; the text says why."""


class Inspection:
    """Watches the bytes of one image of a declared disk format; ``most`` is the largest disk it may claim to be."""

    def __init__(self, disk_format: str, most: int = MAX_VIRTUAL_BYTES) -> None:
        self.disk_format = disk_format
        self._most = most
        self._all = {name: kind() for name, kind in formats.STRICT.items()}
        self._live = dict(self._all)
        self._seen = 0

    @property
    def waiting(self) -> bool:
        """Whether more bytes can still change the verdict."""
        return bool(self._live)

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; raises Refused as soon as they cannot be what was declared."""
        start = 0
        while start < len(data) and self._live and self._seen < HEAD_BYTES:
            self._eat(data[start : start + _STEP_BYTES])  # a header that says where the next one is must come before it
            start += _STEP_BYTES
            if self._seen >= HEAD_BYTES:
                self._settle()
        if start < len(data) and self._live:
            self._eat(data[start:])

    def conclude(self, size: int) -> int | None:
        """Return the virtual size of content of ``size`` bytes, or None where the format has none; raises Refused."""
        if 0 < self._seen < _SECTOR:
            self._eat(b"\0" * (_SECTOR - self._seen))  # so that a header of its own is still recognised
        for inspector in self._all.values():
            inspector.finish()
        found = self._matches()
        self._check_match(found)
        for name in set(found) - _PLAIN_CONTENT:
            self._check_safety(name, size)
        return self._virtual_size(size)

    def _eat(self, chunk: bytes) -> None:
        self._seen += len(chunk)
        for name, inspector in list(self._live.items()):
            try:
                inspector.eat_chunk(chunk)
            except Exception as error:  # a parser's complaint means "not this format"
                LOG.debug("Not %s: %s", name, error)
                del self._live[name]
                del self._all[name]
                if name == self.disk_format:
                    raise self._mismatch("something else") from error

    def _settle(self) -> None:
        """After the head, go on only with a format that matched and still waits for its footer."""
        matches = self._matches()
        self._check_match(matches)
        self._live = {name: one for name, one in self._live.items() if name in matches and not one.complete}

    def _matches(self) -> list[str]:
        return sorted(name for name, one in self._all.items() if _matches(one))

    def _check_match(self, found: list[str]) -> None:
        if self.disk_format in PLAIN or self.disk_format in _UNKNOWN:
            wanted = set(found) <= _PLAIN_CONTENT
        else:
            wanted = set(found) - _BESIDE.get(self.disk_format, frozenset()) == {self.disk_format}
        if not wanted:
            raise self._mismatch(" and ".join(found) or "raw")

    def _check_safety(self, name: str, size: int) -> None:
        inspector = self._all[name]
        complete = size >= _SECTOR
        try:
            if complete:
                inspector.safety_check()
                complete = size >= formats.least_bytes(inspector)
        except library.SafetyCheckFailed as error:
            reasons = "; ".join(str(reason) for reason in error.failures.values())
            raise Refused(f"Image content is not safe to use as {name}: {reasons}.") from error
        except (library.ImageFormatError, library.SafetyViolation) as error:
            raise Refused(f"Image content is not a complete {name}: {error}.") from error
        if not complete:
            raise Refused(f"Image content is not a complete {name}: it ends within its header or tables.")

    def _virtual_size(self, size: int) -> int | None:
        if self.disk_format in _UNKNOWN:
            return None
        if self.disk_format in PLAIN or self.disk_format in ("gpt", "iso"):
            return size  # a guest is given exactly these bytes
        virtual = int(self._all[self.disk_format].virtual_size)
        if virtual > self._most:
            raise Refused(
                f"The virtual size of the image, {virtual} bytes, is more than the {self._most} bytes that this cloud allows."
            )
        return virtual

    def _mismatch(self, found: str) -> Refused:
        return Refused(f"Image content does not match its disk format: declared {self.disk_format}, found {found}.")


def inspect_file(path: Path, disk_format: str, most: int = MAX_VIRTUAL_BYTES) -> int | None:
    """Return the virtual size of a file that is what it was declared to be; raises Refused."""
    inspection = Inspection(disk_format, most)
    with path.open("rb") as source:
        while inspection.waiting and (chunk := source.read(1 << 20)):
            inspection.feed(chunk)
    return inspection.conclude(path.stat().st_size)


def _matches(inspector: library.FileInspector) -> bool:
    try:
        return bool(inspector.format_match)
    except Exception:  # an inspector that has not seen enough may stumble instead of saying no
        return False
