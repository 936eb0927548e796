"""What the bytes of an upload really are, judged while they flow past; nothing is ever opened by a program that follows names.

The inspectors are oslo.utils'. They read headers only, so a header that claims 8 EiB costs nothing.
"""

import logging

from oslo_utils.imageutils import format_inspector as inspectors

from images.states import PLAIN_DISK_FORMATS
from portal.core.errors import BadRequest

LOG = logging.getLogger(__name__)

HEAD_BYTES = 4 << 20
MAX_VIRTUAL_BYTES = 1 << 50
_SECTOR = 512
_PLAIN_CONTENT = frozenset({"raw", "gpt"})
_UNKNOWN = frozenset({"ploop"})


class Inspection:
    """Watches one upload of a declared disk format."""

    def __init__(self, disk_format: str) -> None:
        self.disk_format = disk_format
        self._all = {name: kind() for name, kind in inspectors.ALL_FORMATS.items() if name != "raw"}
        self._live = dict(self._all)
        self._seen = 0

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; raises BadRequest as soon as they cannot be what was declared."""
        if not self._live:
            return
        self._eat(data)
        if self._seen >= HEAD_BYTES:
            self._settle()

    def conclude(self, size: int) -> int | None:
        """Return the virtual size of content of ``size`` bytes, or None where the format has none; raises BadRequest."""
        if 0 < self._seen < _SECTOR:
            self._eat(b"\0" * (_SECTOR - self._seen))  # so that a header of its own is still recognised
        for inspector in self._all.values():
            inspector.finish()
        found = self._matches()
        self._check_match(found)
        self._check_safety(found)
        if size < _SECTOR and not set(found) <= _PLAIN_CONTENT:
            raise BadRequest(f"Image content is not a complete {self.disk_format}: it ends within its header.")
        return self._virtual_size(size)

    def _eat(self, chunk: bytes) -> None:
        self._seen += len(chunk)
        for name, inspector in list(self._live.items()):
            try:
                inspector.eat_chunk(chunk)
            except Exception as error:  # a parser's complaint means "not this format"
                LOG.debug("Not %s: %s", name, error)
                del self._live[name]
                if name == self.disk_format:
                    raise self._mismatch("something else") from error
                del self._all[name]

    def _settle(self) -> None:
        """After the head, go on only with a format that matched and still waits for its footer."""
        matches = set(self._matches())
        self._check_match(sorted(matches))
        self._live = {name: one for name, one in self._live.items() if name in matches and not one.complete}

    def _matches(self) -> list[str]:
        return sorted(name for name, one in self._all.items() if _matches(one))

    def _check_match(self, found: list[str]) -> None:
        if self.disk_format in _UNKNOWN:
            return
        if self.disk_format in PLAIN_DISK_FORMATS:
            if not set(found) <= _PLAIN_CONTENT:
                raise self._mismatch(" and ".join(found))
            return
        also = {"gpt"} if self.disk_format == "iso" else set()  # bootable ISOs carry a partition table too
        if self.disk_format not in found or set(found) - also != {self.disk_format}:
            raise self._mismatch(" and ".join(found) or "raw")

    def _check_safety(self, found: list[str]) -> None:
        for name in found:
            if name in _PLAIN_CONTENT:
                continue
            try:
                self._all[name].safety_check()
            except inspectors.SafetyCheckFailed as error:
                reasons = "; ".join(str(reason) for reason in error.failures.values())
                raise BadRequest(f"Image content is not safe to use as {name}: {reasons}.") from error
            except inspectors.ImageFormatError as error:
                raise BadRequest(f"Image content is not a complete {name}: {error}.") from error

    def _virtual_size(self, size: int) -> int | None:
        if self.disk_format in _UNKNOWN:
            return None
        if self.disk_format in PLAIN_DISK_FORMATS or self.disk_format in _PLAIN_CONTENT:
            return size
        virtual = int(self._all[self.disk_format].virtual_size)
        if virtual > MAX_VIRTUAL_BYTES:
            raise BadRequest(f"The virtual size of the image, {virtual} bytes, is more than this cloud allows.")
        return virtual or None

    def _mismatch(self, found: str) -> BadRequest:
        return BadRequest(f"Image content does not match its disk format: declared {self.disk_format}, found {found}.")


def _matches(inspector: inspectors.FileInspector) -> bool:
    try:
        return bool(inspector.format_match)
    except Exception:  # an inspector that has not seen enough may stumble instead of saying no
        return False
