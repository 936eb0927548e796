"""Disk images: the ext4 file system of the tiny machine, and the bootable disk with boot loader, kernel and ramdisk."""

import os
import shutil
import struct
from pathlib import Path

from images.builder import rootfs, tools

MIB = 1024 * 1024
DATA_LABEL = "tiny-data"
DATA_BYTES = 32 * MIB
_SECTOR = 512
_BOOT_START = 1 * MIB
_TYPE_FAT16_LBA, _TYPE_LINUX = 0x0E, 0x83


def data_image(path: Path, *, work: Path) -> None:
    """A sparse ext4 file system with the label the guest looks for."""
    source = work / "data"
    (source / "home").mkdir(parents=True, exist_ok=True)
    (source / "README").write_text("Files here and in /home are kept on this server's disk.\n")
    _make_sparse(path, DATA_BYTES)
    mke2fs = tools.find("mke2fs", package="e2fsprogs")
    options = ["-q", "-F", "-t", "ext4", "-b", "1024", "-J", "size=2", "-m", "0", "-L", DATA_LABEL]
    tools.run([mke2fs, *options, "-E", "root_owner=0:0", "-d", source, path])
    shutil.rmtree(source)


def bootable_image(path: Path, *, kernel: Path, ramdisk: Path, data: Path, cmdline: str, unpacked: Path, work: Path) -> int:
    """A compressed qcow2 with two partitions: FAT with syslinux, kernel and ramdisk; the data file system. Its virtual size."""
    boot_bytes = boot_partition_bytes(kernel.stat().st_size + ramdisk.stat().st_size)
    fat = work / "boot.fat"
    _boot_partition(fat, boot_bytes, kernel=kernel, ramdisk=ramdisk, cmdline=cmdline, unpacked=unpacked, work=work)
    raw = work / "tiny.raw"
    data_start = _BOOT_START + boot_bytes
    total = data_start + DATA_BYTES
    _make_sparse(raw, total)
    loader = (unpacked / "usr/lib/syslinux/mbr/mbr.bin").read_bytes()
    with raw.open("r+b") as stream:
        stream.write(partition_table(loader, boot=(_BOOT_START, boot_bytes), data=(data_start, DATA_BYTES)))
        stream.flush()
        _copy_to(stream.fileno(), fat, _BOOT_START)
        _copy_to(stream.fileno(), data, data_start)
    qemu_img = tools.find("qemu-img", package="qemu-utils")
    tools.run([qemu_img, "convert", "-c", "-f", "raw", "-O", "qcow2", raw, path])
    fat.unlink()
    raw.unlink()
    return total


def boot_partition_bytes(content: int) -> int:
    """Whole MiB with room for the loader; never below 16 MiB, where FAT16 with small clusters begins."""
    return max(16, -(-content // MIB) + 2) * MIB


def partition_table(loader: bytes, *, boot: tuple[int, int], data: tuple[int, int]) -> bytes:
    """The first sector: boot code, then an active FAT partition and a Linux one, each as start and size in bytes."""
    entries = _table_entry(0x80, _TYPE_FAT16_LBA, *boot) + _table_entry(0, _TYPE_LINUX, *data)
    return loader[:440].ljust(446, b"\0") + entries.ljust(64, b"\0") + b"\x55\xaa"


def _table_entry(flag: int, kind: int, start: int, size: int) -> bytes:
    # The old cylinder fields hold their highest value: the loader then goes by sector numbers.
    beyond = b"\xfe\xff\xff"
    return struct.pack("<B3sB3sII", flag, beyond, kind, beyond, start // _SECTOR, size // _SECTOR)


def _boot_partition(fat: Path, size: int, *, kernel: Path, ramdisk: Path, cmdline: str, unpacked: Path, work: Path) -> None:
    programs = unpacked / "usr/bin"
    mtools = rootfs.find(unpacked, "mtools", ("usr/bin",))
    _make_sparse(fat, size)
    sectors = size // _SECTOR
    geometry = ["-h", "64", "-s", "32", "-T", str(sectors), "-H", str(_BOOT_START // _SECTOR)]
    tools.run([mtools, "-c", "mformat", "-i", fat, "-v", "TINYBOOT", "-N", "54494e59", *geometry, "::"])
    settings = work / "syslinux.cfg"
    settings.write_text(syslinux_settings(cmdline))
    for source, name in ((kernel, "VMLINUZ"), (ramdisk, "RAMDISK"), (settings, "SYSLINUX.CFG")):
        tools.run([mtools, "-c", "mcopy", "-i", fat, source, f"::{name}"])
    tools.run([programs / "syslinux", "--install", fat], path_first=programs)


def syslinux_settings(cmdline: str) -> str:
    """No menu and no wait. The kernel says all there is to say."""
    return f"DEFAULT tiny\nPROMPT 0\nTIMEOUT 1\nLABEL tiny\n  LINUX VMLINUZ\n  INITRD RAMDISK\n  APPEND {cmdline}\n"


def _make_sparse(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        stream.truncate(size)


def _copy_to(descriptor: int, source: Path, offset: int) -> None:
    """Copies without writing blocks of zeros, so that the target stays sparse."""
    with source.open("rb") as stream:
        while block := stream.read(MIB):
            if block.strip(b"\0"):
                os.pwrite(descriptor, block, offset)
            offset += len(block)
