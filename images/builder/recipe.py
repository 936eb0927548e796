"""The steps of a build: fetch, unpack, ramdisk, disks, manifest."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from images.builder import disk, modules, packages, rootfs
from images.builder.errors import BuildError
from images.builder.manifest import ImageFile, Manifest, SourcePackage
from images.builder.packages import Package

# The small kernel for virtual machines: Debian's name first, then Ubuntu's.
KERNEL_PACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual", "linux-image-kvm")
# The first is most of the guest, the second gives it `sudo` (see guest/bin/sudo), the others make the bootable disk.
OTHER_PACKAGES = ("busybox-static", "coreutils", "syslinux", "syslinux-common", "mtools")
# The last console is the one the guest's scripts write to: the serial port, whose text is the console log.
# A host that is busy keeps an emulated timer from ticking in time, which Linux would take for broken and not boot.
CMDLINE = "console=tty0 console=ttyS0 no_timer_check"
MIN_RAM_MB = 96
_TEMPORARY = "tiny-build-"


def build(
    output: Path,
    cache: Path | None = None,
    *,
    work: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Manifest:
    """Builds `tiny` into `output`. Packages stay in `cache`, if given; `work` is where a folder is made.

    One build has `work` at a time, others wait. What a build that was killed left in it is thrown away.
    """
    output.mkdir(parents=True, exist_ok=True)
    with _alone_in(work), tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=work) as temporary:
        folder = Path(temporary)
        debs = (cache or folder / "debs").resolve()
        tell("looking for packages")
        names = _package_names()
        tell(f"fetching {len(names)} packages, unless cached")
        fetched = packages.fetch(names, debs)
        tell("unpacking")
        unpacked = folder / "unpacked"
        packages.unpack(fetched, debs, unpacked)
        tell("building the images")
        made = _make_images(folder, unpacked, fetched)
        for image in made.images:
            _put(folder / image.file, output / image.file)
    made.write(output)
    return made


@contextmanager
def _alone_in(work: Path | None) -> Iterator[None]:
    """Have a folder that nobody else builds in, and nothing in it of those who did."""
    if work is None:
        yield
        return
    work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in work.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(descriptor)


def _package_names() -> list[str]:
    kernel = packages.first_known(KERNEL_PACKAGES)
    names = packages.closure([kernel, "dropbear-bin"], follow=is_followed)
    # The package asked for is empty: it only names the newest kernel.
    return [*(name for name in names if name != kernel), *OTHER_PACKAGES]


def is_followed(package: str, needed: str) -> bool:
    """Of a kernel only its image and modules, not what installing it takes; of all else everything."""
    return not package.startswith("linux-") or needed.startswith(("linux-image-", "linux-modules-"))


def _make_images(folder: Path, unpacked: Path, fetched: list[Package]) -> Manifest:
    kernel = _only(unpacked / "boot", "vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    tree = modules.read_tree(_module_folder(unpacked, version))
    paths = {name: folder / name for name in ("tiny-kernel", "tiny-ramdisk", "tiny-machine.img", "tiny.qcow2")}
    shutil.copyfile(kernel, paths["tiny-kernel"])
    paths["tiny-ramdisk"].write_bytes(rootfs.ramdisk(unpacked, modules.collect(tree)))
    disk.data_image(paths["tiny-machine.img"], work=folder)
    virtual_size = disk.bootable_image(
        paths["tiny.qcow2"],
        kernel=paths["tiny-kernel"],
        ramdisk=paths["tiny-ramdisk"],
        data=paths["tiny-machine.img"],
        cmdline=CMDLINE,
        unpacked=unpacked,
        work=folder,
    )
    return Manifest(
        name="tiny",
        architecture="x86_64",
        kernel_version=version,
        cmdline=CMDLINE,
        login_user="tiny",
        images=(
            _describe("tiny", paths["tiny.qcow2"], "qcow2", "bare", virtual_size),
            _describe("tiny-kernel", paths["tiny-kernel"], "aki", "aki"),
            _describe("tiny-ramdisk", paths["tiny-ramdisk"], "ari", "ari"),
            _describe("tiny-machine", paths["tiny-machine.img"], "ami", "ami"),
        ),
        packages=tuple(SourcePackage(package.name, package.version, package.sha256) for package in fetched),
    )


def _describe(name: str, path: Path, disk_format: str, container_format: str, virtual_size: int = 0) -> ImageFile:
    size = path.stat().st_size
    # A kernel and a ramdisk need no memory of their own: the machine that uses them does.
    min_ram_mb = MIN_RAM_MB if disk_format in {"qcow2", "ami"} else 0
    digest = packages.sha256(path)
    return ImageFile(name, path.name, disk_format, container_format, size, digest, virtual_size or size, min_ram_mb)


def _module_folder(unpacked: Path, version: str) -> Path:
    for parent in ("lib/modules", "usr/lib/modules"):
        if (unpacked / parent / version).is_dir():
            return unpacked / parent / version
    raise BuildError(f"The kernel package has no modules for {version}.")


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise BuildError(f"The kernel packages hold {len(found)} files {pattern}; one is expected.")
    return found[0]


def _put(source: Path, target: Path) -> None:
    """Moves a file into place in one step, so that a reader never sees half of it."""
    partial = target.with_name(f".{target.name}.partial")
    shutil.move(source, partial)
    partial.replace(target)
