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
_PAX = re.compile(rb"\d+ (path|size)=([^\n]*)\n")
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
        self._buffer = bytearray()
        self._wanted = _BLOCK
        self._skip = 0
        self._about_next: bytes | None = None
        self._long_name: bytes | None = None
        self._long_size: int | None = None
        self._ended = False
        self._described = container_format != "ova"
        self._members = 0

    def feed(self, data: bytes) -> None:
        """Walk over headers and past their members."""
        place, view = 0, memoryview(data)
        while place < len(data) and not self._ended:
            if self._skip:
                step = min(self._skip, len(data) - place)
                self._skip -= step
            else:
                step = min(self._wanted - len(self._buffer), len(data) - place)
                self._buffer += view[place : place + step]
                if len(self._buffer) == self._wanted:
                    self._block(bytes(self._buffer))
            place += step

    def conclude(self, size: int) -> None:
        """Return nothing: the disk within is not looked at."""
        if self._buffer or self._skip or self._about_next or not self._members:
            raise Refused(f"Image content is not a complete {self._format}: it ends within a member.")
        if not self._described:
            raise Refused("Image content does not match its container format: an ova holds a description (.ovf).")

    def _block(self, block: bytes) -> None:
        """Take a header, or what stands before one because it does not fit in."""
        self._buffer, self._wanted = bytearray(), _BLOCK
        if self._about_next is None:
            self._header(block)
        else:
            self._extend(self._about_next, block)
            self._about_next = None

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
        if member.type in _LONG_NAMES:
            padded = -(-member.size // _BLOCK) * _BLOCK
            if not 0 < padded <= _MAX_NAME_BYTES:
                raise Refused("The archive holds a name that is too long.")
            self._about_next, self._wanted = member.type, padded
            return
        self._member(member)

    def _extend(self, kind: bytes, block: bytes) -> None:
        """Remember what the next member is really called and how long it is."""
        if kind == tarfile.GNUTYPE_LONGNAME:
            self._long_name = block.rstrip(b"\0")
        elif kind in (tarfile.XHDTYPE, tarfile.XGLTYPE):
            for key, value in _PAX.findall(block):
                if key == b"path":
                    self._long_name = value
                elif value.isdigit() and len(value) < 19:
                    self._long_size = int(value)

    def _member(self, member: tarfile.TarInfo) -> None:
        name = member.name if self._long_name is None else self._long_name.decode("utf-8", "surrogateescape")
        size = member.size if self._long_size is None else self._long_size
        self._long_name = self._long_size = None
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise Refused("The archive holds too many members.")
        if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
            raise Refused("The archive holds a name that leads outside of it.")
        link = member.type in _LINKS and self._format == "docker"
        if size < 0 or not (member.type in _FILES or link):
            raise Refused("The archive holds something that is no file.")
        if member.type in _FILES - {tarfile.DIRTYPE}:
            self._skip = -(-size // _BLOCK) * _BLOCK
        if name.lower().endswith(".ovf"):
            self._described = True
