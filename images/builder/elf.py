"""The little of 64-bit little-endian ELF files a build reads: needed libraries, and kernel modules' descriptions."""

import struct
from dataclasses import dataclass

from images.builder.errors import BuildError

_SECTION_DYNAMIC = 6
_TAG_END, _TAG_NEEDED = 0, 1


@dataclass(frozen=True)
class Section:
    name: str
    kind: int
    content: bytes
    link: int


def sections(data: bytes) -> list[Section]:
    """All sections of the file, in its order."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise BuildError("A file of the packages is not a 64-bit ELF file: only x86-64 is supported.")
    offset, size, count, names_index = struct.unpack_from("<Q", data, 40) + struct.unpack_from("<HHH", data, 58)
    # name, type, flags, address, offset, size, link: the rest of a header is of no use here.
    headers = [struct.unpack_from("<IIQQQQI", data, offset + i * size) for i in range(count)]
    names = _content(data, headers[names_index])
    return [Section(_text(names, header[0]), header[1], _content(data, header), header[6]) for header in headers]


def needed(data: bytes) -> list[str]:
    """Names of the shared libraries (DT_NEEDED) the file asks its loader for."""
    found = sections(data)
    libraries: list[str] = []
    for section in found:
        if section.kind != _SECTION_DYNAMIC:
            continue
        strings = found[section.link].content
        for tag, value in struct.iter_unpack("<QQ", section.content):
            if tag == _TAG_END:
                break
            if tag == _TAG_NEEDED:
                libraries.append(_text(strings, value))
    return libraries


def interpreter(data: bytes) -> str | None:
    """Path of the dynamic loader, None for a static file."""
    for section in sections(data):
        if section.name == ".interp":
            return _text(section.content, 0)
    return None


def module_info(data: bytes) -> dict[str, str]:
    """A kernel module's description: `depends`, `name`, `vermagic` and others; of a repeated key the last."""
    for section in sections(data):
        if section.name == ".modinfo":
            entries = (entry.partition(b"=") for entry in section.content.split(b"\0") if entry)
            return {key.decode(): value.decode(errors="replace") for key, _, value in entries}
    return {}


def _content(data: bytes, header: tuple[int, ...]) -> bytes:
    return data[header[4] : header[4] + header[5]]


def _text(table: bytes, start: int) -> str:
    return table[start : table.index(b"\0", start)].decode()
