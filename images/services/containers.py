"""Containers: archives around a disk. Their listing is read while it flows past; nothing here ever unpacks one.

An ``ova`` is a tar with a description, see the DMTF's Open Virtualization Format, DSP0243; ``docker`` is a tar as well, ``compressed``
one compressed file. What they would grow to does not matter to a store that never unpacks them, and no host boots from them.
"""

import re
import tarfile
from typing import Protocol

from portal.core.disks.inspection import Inspection, Refused

MAX_MEMBERS = 100_000
_BLOCK = tarfile.BLOCKSIZE
_MAX_NAME_BYTES = 64 << 10
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.DIRTYPE})
_LINKS = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})
_LONG_NAMES = frozenset({tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK})
_PAX_NAME = re.compile(rb"\d+ path=([^\n]*)\n")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\x04\x22\x4d\x18")
TARS = frozenset({"ova", "docker"})


class Watch(Protocol):
    """Looks at bytes as they flow past."""

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; raises Refused."""

    def conclude(self, size: int) -> int | None:
        """Return the virtual size, None where there is none; raises Refused."""


def watch(container_format: str, disk_format: str, most: int) -> Watch:
    """Return what looks at an image of these formats."""
    if container_format in TARS:
        return Archive(container_format)
    if container_format == "compressed":
        return Compressed()
    return Inspection(disk_format, most)


class Compressed:
    """One compressed file, by its first bytes."""

    def __init__(self) -> None:
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Keep the first bytes."""
        self._head += data[: 8 - len(self._head)]

    def conclude(self, size: int) -> None:
        """Return nothing: how large it becomes is known to nobody who does not unpack it."""
        if not self._head.startswith(_COMPRESSED):
            raise Refused("Image content does not match its container format: declared compressed, found something else.")


class Archive:
    """A tar, whose every member has a name that stays inside."""

    def __init__(self, container_format: str) -> None:
        self._format = container_format
        self._buffer = b""
        self._skip = 0
        self._naming: tuple[bytes, int] | None = None
        self._long_name: bytes | None = None
        self._ended = False
        self._described = container_format != "ova"
        self._members = 0

    def feed(self, data: bytes) -> None:
        """Walk over headers and past their members."""
        while data and not self._ended:
            if self._skip:
                step = min(self._skip, len(data))
                self._skip -= step
                data = data[step:]
                continue
            missing = (self._naming[1] if self._naming else _BLOCK) - len(self._buffer)
            self._buffer, data = self._buffer + data[:missing], data[missing:]
            if len(self._buffer) == (self._naming[1] if self._naming else _BLOCK):
                block, self._buffer = self._buffer, b""
                self._long(block) if self._naming else self._header(block)

    def conclude(self, size: int) -> None:
        """Return nothing: the disk within is not looked at."""
        if self._buffer or self._skip or self._naming or not self._members:
            raise Refused(f"Image content is not a complete {self._format}: it ends within a member.")
        if not self._described:
            raise Refused("Image content does not match its container format: an ova holds a description (.ovf).")

    def _header(self, block: bytes) -> None:
        if not any(block):
            self._ended = True
            return
        try:
            member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Refused(
                f"Image content does not match its container format: declared {self._format}, found something else."
            ) from error
        padded = -(-member.size // _BLOCK) * _BLOCK
        if member.type in _LONG_NAMES:
            if not 0 < padded <= _MAX_NAME_BYTES:
                raise Refused("The archive holds a name that is too long.")
            self._naming = (member.type, padded)
            return
        self._member(member)
        self._skip = max(0, padded) if member.type in _FILES - {tarfile.DIRTYPE} else 0

    def _long(self, block: bytes) -> None:
        assert self._naming is not None
        kind, self._naming = self._naming[0], None
        if kind == tarfile.GNUTYPE_LONGNAME:
            self._long_name = block.rstrip(b"\0")
        elif kind in (tarfile.XHDTYPE, tarfile.XGLTYPE):
            for name in _PAX_NAME.findall(block):
                self._long_name = name

    def _member(self, member: tarfile.TarInfo) -> None:
        name = member.name if self._long_name is None else self._long_name.decode("utf-8", "surrogateescape")
        self._long_name = None
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise Refused("The archive holds too many members.")
        if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
            raise Refused("The archive holds a name that leads outside of it.")
        if member.size < 0 or (member.type not in _FILES and not (member.type in _LINKS and self._format == "docker")):
            raise Refused("The archive holds something that is no file.")
        if name.lower().endswith(".ovf"):
            self._described = True
