"""Writes a cpio archive in the form the kernel unpacks (newc), owners and device nodes included, without being root."""

import stat
from dataclasses import dataclass

_DIRECTORY_MODE = stat.S_IFDIR | 0o755


@dataclass(frozen=True)
class Entry:
    """One file, folder, link or device of the archive."""

    mode: int
    content: bytes = b""
    uid: int = 0
    gid: int = 0
    device: tuple[int, int] = (0, 0)


def file(content: bytes, *, mode: int = 0o644, group: int = 0) -> Entry:
    return Entry(mode=stat.S_IFREG | mode, content=content, gid=group)


def folder(*, mode: int = 0o755, owner: int = 0) -> Entry:
    return Entry(mode=stat.S_IFDIR | mode, uid=owner, gid=owner)


def link(target: str) -> Entry:
    return Entry(mode=stat.S_IFLNK | 0o777, content=target.encode())


def character_device(major: int, minor: int, *, mode: int = 0o600) -> Entry:
    return Entry(mode=stat.S_IFCHR | mode, device=(major, minor))


def cpio(entries: dict[str, Entry]) -> bytes:
    """The archive of these paths (no leading slash). Folders above a path are added; the same entries give the same bytes."""
    complete = dict(entries)
    for path in entries:
        parent = path.rpartition("/")[0]
        while parent:
            complete.setdefault(parent, Entry(mode=_DIRECTORY_MODE))
            parent = parent.rpartition("/")[0]
    ordered = sorted(complete.items())
    parts = [_record(number, path, entry) for number, (path, entry) in enumerate(ordered, start=1)]
    return b"".join([*parts, _record(0, "TRAILER!!!", Entry(mode=0))])


def _record(inode: int, path: str, entry: Entry) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    # inode, mode, uid, gid, links, time, size, device of the file, device it stands for, length of the name, checksum.
    numbers = (inode, entry.mode, entry.uid, entry.gid, links, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _padded(header + name) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
