"""What the guest's memory file system holds: busybox, dropbear, their libraries, modules and the files in `guest/`."""

import gzip
import stat
from collections.abc import Iterable
from pathlib import Path

from images.builder import archive, elf, tools
from images.builder.archive import Entry
from images.builder.errors import BuildError
from images.builder.modules import ModuleSet

GUEST_FILES = Path(__file__).parent / "guest"
TINY_ID = 1000
# guest/bin/sudo calls it; busybox has nothing that becomes root for good without a password.
_BECOME_ROOT = "lib/sudo/chroot"
_PROGRAMS = ("bin/dropbear", "bin/dropbearkey", _BECOME_ROOT)
_PROGRAM_FOLDERS = ("usr/sbin", "usr/bin")
_EXECUTABLE_FOLDERS = ("bin/", "etc/init.d/", "etc/acpi/")
_LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib")
_SECRET_FILES = ("etc/shadow",)


def ramdisk(unpacked: Path, modules: ModuleSet) -> bytes:
    """The gzipped initramfs. The same packages give the same bytes."""
    entries = {
        **_skeleton(),
        **_busybox(unpacked),
        **_programs(unpacked),
        **_modules(modules),
        **_guest_files(),
    }
    return gzip.compress(archive.cpio(entries), compresslevel=9, mtime=0)


def _skeleton() -> dict[str, Entry]:
    folders = ("dev", "etc", "mnt", "proc", "run", "sys", "usr", "var")
    return {
        **{name: archive.folder() for name in folders},
        "tmp": archive.folder(mode=0o1777),
        "root": archive.folder(mode=0o700),
        "home/tiny": archive.folder(mode=0o755, owner=TINY_ID),
        # One folder of programs: the usual paths all lead to it.
        "sbin": archive.link("bin"),
        "usr/bin": archive.link("../bin"),
        "usr/sbin": archive.link("../bin"),
        "etc/mtab": archive.link("/proc/mounts"),
        "dev/console": archive.character_device(5, 1),
        "init": archive.link("bin/busybox"),
    }


def _busybox(unpacked: Path) -> dict[str, Entry]:
    path = find(unpacked, "busybox", ("bin", "usr/bin"))
    names = tools.run([path, "--list"]).split()
    entries = {f"bin/{name}": archive.link("busybox") for name in names if name != "busybox"}
    entries["bin/busybox"] = archive.file(path.read_bytes(), mode=0o4755)
    return entries


def _programs(unpacked: Path) -> dict[str, Entry]:
    """The programs that are linked dynamically, with their loader and libraries."""
    programs = {path: find(unpacked, Path(path).name, _PROGRAM_FOLDERS).read_bytes() for path in _PROGRAMS}
    loaders = {loader for loader in map(elf.interpreter, programs.values()) if loader is not None}
    files = dict(programs)
    files |= {f"lib/{name}": path.read_bytes() for name, path in libraries(unpacked, programs.values()).items()}
    for loader in loaders:
        # The C library needs its loader by name too: it stands where programs look for it, once.
        files.pop(f"lib/{Path(loader).name}", None)
        files[loader.lstrip("/")] = find(unpacked, Path(loader).name, _LIBRARY_FOLDERS).read_bytes()
    entries = {path: archive.file(data, mode=0o755) for path, data in files.items()}
    entries[_BECOME_ROOT] = archive.file(programs[_BECOME_ROOT], mode=0o4750, group=TINY_ID)
    return entries


def libraries(unpacked: Path, programs: Iterable[bytes]) -> dict[str, Path]:
    """The shared libraries these programs need, with those that the libraries need."""
    found: dict[str, Path] = {}
    queue = [name for program in programs for name in elf.needed(program)]
    for name in queue:
        if name not in found:
            found[name] = find(unpacked, name, _LIBRARY_FOLDERS)
            queue.extend(elf.needed(found[name].read_bytes()))
    return found


def _modules(modules: ModuleSet) -> dict[str, Entry]:
    entries = {f"lib/modules/{name}.ko": archive.file(data) for name, data in modules.contents.items()}
    for list_name, names in (("boot", modules.boot), ("cdrom", modules.cdrom)):
        text = "".join(f"{name}.ko\n" for name in names)
        entries[f"lib/modules/{list_name}.list"] = archive.file(text.encode())
    return entries


def _guest_files() -> dict[str, Entry]:
    """The files in `guest/`, with modes by place: what git or an archive made of their modes does not matter."""
    entries: dict[str, Entry] = {}
    for path in sorted(GUEST_FILES.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(GUEST_FILES).as_posix()
        executable = name.startswith(_EXECUTABLE_FOLDERS) or name == "etc/udhcpc.sh"
        mode = 0o755 if executable else 0o600 if name in _SECRET_FILES else 0o644
        entries[name] = archive.file(path.read_bytes(), mode=mode)
    return entries


def find(unpacked: Path, name: str, folders: Iterable[str]) -> Path:
    """The file of that name in the first of these folders that has it; links are followed inside the unpacked tree."""
    for folder in folders:
        path = unpacked / folder / name
        for _ in range(8):
            if not path.is_symlink():
                break
            target = path.readlink()
            path = unpacked / target.relative_to("/") if target.is_absolute() else path.parent / target
        if path.is_file() and stat.S_ISREG(path.stat().st_mode):
            return path
    raise BuildError(f"The packages hold no file {name}: this release of the distribution is not supported.")
