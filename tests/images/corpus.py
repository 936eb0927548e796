"""Images that are hostile, odd or honest, each with the verdict it must get.

Most are made by ``qemu-img`` and then edited; what it does not make is written by hand from the formats' descriptions. A verdict is
the virtual size, None where there is none, or the words with which the content is refused.
"""

import functools
import gzip
import io
import struct
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.images.factories import MIB, iso, noise, vmdk

SIZE = 8 * MIB
SECRET = "/etc/shadow"


@dataclass(frozen=True)
class Sample:
    """One image: what it is declared to be, how it is made, and what must be said of it."""

    name: str
    disk_format: str
    make: Callable[[], bytes]
    refused: str | None = None
    virtual_size: int | None = None
    container_format: str = "bare"

    def __str__(self) -> str:
        return self.name


@functools.cache
def made(form: str, *options: str, size: int | None = SIZE) -> bytes:
    """Return what qemu-img makes of an empty disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        command = ["qemu-img", "create", "-q", "-f", form, *options, str(path)]
        subprocess.run([*command, *([str(size)] if size is not None else [])], check=True, cwd=folder)
        return path.read_bytes()


@functools.cache
def filled(form: str, *options: str) -> bytes:
    """Return a disk of eight MiB with something on it, converted by qemu-img."""
    with tempfile.TemporaryDirectory() as folder:
        raw, path = Path(folder, "raw"), Path(folder, "disk")
        raw.write_bytes(noise(3 * MIB).ljust(SIZE, b"\0"))
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, *options, str(raw), str(path)], check=True)
        return path.read_bytes()


@functools.cache
def snapshotted() -> bytes:
    """Return a qcow2 with a snapshot inside."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        path.write_bytes(made("qcow2"))
        subprocess.run(["qemu-img", "snapshot", "-c", "one", str(path)], check=True)
        return path.read_bytes()


def patched(content: bytes, *changes: tuple[int, str, int]) -> bytes:
    """Return content with numbers written over it, each at an offset and in a form of ``struct``."""
    edited = bytearray(content)
    for offset, form, number in changes:
        struct.pack_into(form, edited, offset, number)
    return bytes(edited)


def qcow2(*changes: tuple[int, str, int], options: tuple[str, ...] = ()) -> Callable[[], bytes]:
    return lambda: patched(made("qcow2", *options), *changes)


def backed(name: str) -> Callable[[], bytes]:
    """A qcow2 whose backing file is called ``name``."""
    return lambda: (
        patched(made("qcow2"), (8, ">Q", 0x200), (16, ">I", len(name)))[:0x200]
        + name.encode()
        + made("qcow2")[0x200 + len(name) :]
    )


def with_data_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=raw.img,data_file_raw=on", str(path), str(SIZE)]
        subprocess.run(command, check=True, cwd=folder)
        return path.read_bytes()


def described(text: str, *, capacity: int = 20480) -> Callable[[], bytes]:
    """A sparse VMDK with a descriptor of our own."""

    def make() -> bytes:
        header = struct.pack("<4sIIQQQQIQQ", b"KDMV", 1, 3, capacity, 128, 1, 20, 512, 0, 0).ljust(512, b"\0")
        return header + text.encode().ljust(20 * 512, b"\0") + b"\0" * 8192

    return make


def descriptor(*lines: str, kind: str = 'createType="monolithicSparse"', extent: str = 'RW 20480 SPARSE "disk.vmdk"') -> str:
    return "\n".join(["# Disk DescriptorFile", "version=1", "CID=fffffffe", "parentCID=ffffffff", kind, *lines, extent, ""])


def streamed(*changes: tuple[int, str, int]) -> Callable[[], bytes]:
    """A stream-optimised VMDK that says how it is laid out at its end, as writers of streams do; offsets count from there."""

    def make() -> bytes:
        whole = filled("vmdk", "-o", "subformat=streamOptimized")
        marker = struct.pack("<QII", 1, 0, 3).ljust(512, b"\0")
        content = patched(whole, (56, "<Q", (1 << 64) - 1)) + marker + whole[:512] + bytes(512)
        return patched(content, *((len(content) + offset, form, number) for offset, form, number in changes))

    return make


def mbr(content: bytes, kind: int = 0x83) -> bytes:
    """Put a partition table over the first sector."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\0\2\0", kind, b"\xff\xff\xff", 1 if kind == 0xEE else 2048, 8192)
    return content[:446] + entry.ljust(64, b"\0") + b"\x55\xaa" + content[512:]


def gpt() -> bytes:
    disk = mbr(b"\0" * MIB, 0xEE)
    return patched(disk[:512] + b"EFI PART" + disk[520:], (446, "<B", 0))


def vhdx_metadata(*, flags: int | None = None, locator: bool = False, size: int | None = None) -> Callable[[], bytes]:
    """A VHDX whose metadata was edited."""
    parameters, disk_size = (
        bytes.fromhex(one) for one in ("3767a1ca36fa434db3b633f0aa44e76b", "2442a52f1bcd7648b2115dbed83bf4b8")
    )
    parent = bytes.fromhex("2d5fd3a80bb34d45abf7d3d84834ab0c")

    def make() -> bytes:
        content = made("vhdx")
        start = content.index(b"metadata")
        item = content.index(parameters, start)
        if flags is not None:
            content = patched(content, (start + struct.unpack_from("<I", content, item + 16)[0] + 4, "<I", flags))
        if size is not None:
            entry = content.index(disk_size, start)
            content = patched(content, (start + struct.unpack_from("<I", content, entry + 16)[0], "<Q", size))
        if locator:
            last = content.index(disk_size, start)
            content = content[:last] + disk_size + content[last + 16 :]
            (count,) = struct.unpack_from("<H", content, start + 10)
            end = start + 32 + 32 * count
            content = patched(content[:end] + parent + content[end + 16 :], (start + 10, "<H", count + 1))
        return content

    return make


def tar(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, form: int = tarfile.GNU_FORMAT) -> Callable[[], bytes]:
    """An archive; ``kind`` is what its last member is."""

    def make() -> bytes:
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w", format=form) as archive:
            for number, (name, content) in enumerate(members, 1):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                if number == len(members) and kind != tarfile.REGTYPE:
                    member.type, member.linkname, member.size = kind, SECRET, 0
                archive.addfile(member, io.BytesIO(content))
        return target.getvalue()

    return make


def pax_sized(size: int) -> Callable[[], bytes]:
    """An archive whose last member says 1,024 bytes; PAX says that it is shorter, and what follows is a header then."""

    def make() -> bytes:
        hidden = tar(("../../x", b""))()[:512]
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(tarfile.TarInfo("machine.ovf"))
            member = tarfile.TarInfo("disk")
            member.size, member.pax_headers = 1024, {"size": str(size)} if size else {"comment": "x"}
            archive.addfile(member, io.BytesIO(bytes(512) + hidden))
        return target.getvalue()

    return make


@functools.cache
def bomb() -> bytes:
    """Return a few KiB that would become many MiB."""
    return gzip.compress(bytes(16 * MIB), 9, mtime=0)


OVF = ("machine.ovf", b"<Envelope/>")
DISK = ("machine-disk1.vmdk", vmdk())

PLAIN = [
    Sample("nothing", "raw", lambda: b"", virtual_size=0),
    Sample("one byte", "raw", lambda: b"x", virtual_size=1),
    Sample("zeros", "raw", lambda: bytes(5 * MIB), virtual_size=5 * MIB),
    Sample("noise", "raw", lambda: noise(70_001), virtual_size=70_001),
    Sample("text", "raw", lambda: b"createtype is not set here\n" * 100, virtual_size=2700),
    Sample("partition table", "raw", lambda: mbr(bytes(MIB)), virtual_size=MIB),
    Sample("GPT as raw", "raw", gpt, virtual_size=MIB),
    Sample("GPT", "gpt", gpt, virtual_size=MIB),
    Sample("gzip bomb that nobody unpacks", "raw", bomb, virtual_size=len(bomb())),
    Sample("tar that nobody unpacks", "raw", tar(("../x", b"x")), virtual_size=10240),
    Sample("VHD footer at the end of raw", "raw", lambda: bytes(MIB) + made("vpc")[:512], virtual_size=MIB + 512),
    Sample("kernel", "aki", lambda: b"MZ" + noise(9000), virtual_size=9002, container_format="aki"),
    Sample("qcow2 as raw", "raw", qcow2(), "declared raw, found qcow2"),
    Sample("qcow2 as raw, cut", "raw", lambda: made("qcow2")[:100], "found qcow2"),
    Sample("qcow 1 as raw", "raw", lambda: made("qcow"), "found qcow2"),
    Sample("vmdk as raw", "raw", lambda: made("vmdk"), "found vmdk"),
    Sample(
        "vmdk text as raw", "raw", lambda: descriptor(kind='createType="monolithicFlat"').encode().ljust(600), "found vmdk"
    ),
    Sample("vhd as raw", "raw", lambda: made("vpc"), "found vhd"),
    Sample("vhdx as raw", "raw", lambda: made("vhdx"), "found vhdx"),
    Sample("vdi as raw", "raw", lambda: made("vdi"), "found vdi"),
    Sample("qed as raw", "raw", lambda: made("qed"), "found qed"),
    Sample("iso as raw", "raw", iso, "found iso"),
    Sample("luks as raw", "raw", lambda: b"LUKS\xba\xbe\0\1".ljust(4096, b"\0"), "found luks"),
    Sample("qcow2 as kernel", "aki", qcow2(), "found qcow2", container_format="aki"),
    Sample("vmdk as machine", "ami", lambda: made("vmdk"), "found vmdk", container_format="ami"),
    Sample("qcow2 with a partition table", "raw", lambda: mbr(made("qcow2")), "found gpt and qcow2"),
    Sample("qcow2 as ploop", "ploop", qcow2(), "found qcow2"),
    Sample("noise as GPT", "gpt", lambda: noise(4096), "declared gpt, found raw"),
]

QCOW2 = [
    Sample("qcow2", "qcow2", qcow2(), virtual_size=SIZE),
    Sample("qcow2 filled", "qcow2", lambda: filled("qcow2"), virtual_size=SIZE),
    Sample("qcow2 compressed", "qcow2", lambda: filled("qcow2", "-c"), virtual_size=SIZE),
    Sample(
        "qcow2 compressed by zstd", "qcow2", lambda: filled("qcow2", "-c", "-o", "compression_type=zstd"), virtual_size=SIZE
    ),
    Sample("qcow2 version 2", "qcow2", qcow2(options=("-o", "compat=0.10")), virtual_size=SIZE),
    Sample("qcow2 of small clusters", "qcow2", qcow2(options=("-o", "cluster_size=512")), virtual_size=SIZE),
    Sample("qcow2 of large clusters", "qcow2", qcow2(options=("-o", "cluster_size=2M")), virtual_size=SIZE),
    Sample("qcow2 preallocated", "qcow2", qcow2(options=("-o", "preallocation=metadata")), virtual_size=SIZE),
    Sample("qcow2 left dirty", "qcow2", qcow2((72, ">Q", 1), options=("-o", "lazy_refcounts=on")), virtual_size=SIZE),
    Sample("qcow2 of a TiB", "qcow2", lambda: made("qcow2", size=1 << 40), virtual_size=1 << 40),
    Sample("backing file", "qcow2", backed(SECRET), "backing file"),
    Sample("backing JSON", "qcow2", backed('json:{"driver":"file","filename":"/etc/shadow"}'), "backing file"),
    Sample("backing NBD", "qcow2", backed("nbd:169.254.169.254:80"), "backing file"),
    Sample("backing URL", "qcow2", backed("file:///etc/shadow"), "backing file"),
    Sample("backing file of no name", "qcow2", qcow2((8, ">Q", 1)), "backing file"),
    Sample("data file", "qcow2", with_data_file, "data_file"),
    Sample("unknown feature", "qcow2", qcow2((72, ">Q", 1 << 40)), "Unknown QCOW2 features"),
    Sample("extended L2", "qcow2", qcow2(options=("-o", "extended_l2=on,cluster_size=128k")), "Unknown QCOW2 features"),
    Sample("marked corrupt", "qcow2", qcow2((72, ">Q", 2)), "corrupt"),
    Sample("qcow 1", "qcow2", lambda: made("qcow"), "Unsupported qcow2 version"),
    Sample("qcow2 version 9", "qcow2", qcow2((4, ">I", 9)), "Unsupported qcow2 version"),
    Sample("encrypted with LUKS", "qcow2", qcow2((32, ">I", 2)), "encrypted"),
    Sample("encrypted the old way", "qcow2", qcow2((32, ">I", 1)), "encrypted"),
    Sample("snapshot inside", "qcow2", snapshotted, "snapshots"),
    Sample("L1 of gigabytes", "qcow2", qcow2((36, ">I", 0xFFFFFFFF)), "L1 table is too large"),
    Sample("L1 too small", "qcow2", qcow2((24, ">Q", 1 << 40)), "L1 table is too small"),
    Sample("L1 beyond the end", "qcow2", qcow2((40, ">Q", 1 << 50)), "ends within its header or tables"),
    Sample("refcounts of gigabytes", "qcow2", qcow2((56, ">I", 0xFFFFFF)), "refcount table is too large"),
    Sample("refcounts beyond the end", "qcow2", qcow2((48, ">Q", 1 << 40)), "ends within its header or tables"),
    Sample("clusters of 1 GiB", "qcow2", qcow2((20, ">I", 30)), "clusters is not possible"),
    Sample("clusters of 2^4e9 bytes", "qcow2", qcow2((20, ">I", 0xFFFFFFFF)), "clusters is not possible"),
    Sample("header of no length", "qcow2", qcow2((100, ">I", 0)), "header is not possible"),
    Sample("header of gigabytes", "qcow2", qcow2((100, ">I", 1 << 31)), "header is not possible"),
    Sample("refcounts of 128 bits", "qcow2", qcow2((96, ">I", 7)), "header is not possible"),
    Sample("8 EiB", "qcow2", qcow2((24, ">Q", 1 << 63), (36, ">I", 1 << 22)), "L1 table is too small"),
    Sample(
        "32 TiB",
        "qcow2",
        lambda: made("qcow2", "-o", "cluster_size=2M", size=1 << 45),
        "virtual size of the image, 35184372088832",
    ),
    Sample("cut within the header", "qcow2", lambda: made("qcow2")[:50], "ends within its header"),
    Sample("cut before its tables", "qcow2", lambda: made("qcow2")[:4096], "ends within its header or tables"),
    Sample("cut within its L1", "qcow2", lambda: made("qcow2")[:0x30004], "ends within its header or tables"),
    Sample("magic alone", "qcow2", lambda: b"QFI\xfb", "not a complete qcow2"),
    Sample("nothing as qcow2", "qcow2", lambda: b"", "found raw"),
    Sample("noise as qcow2", "qcow2", lambda: noise(9000), "found raw"),
    Sample("vmdk as qcow2", "qcow2", lambda: made("vmdk"), "declared qcow2, found vmdk"),
]

VMDK = [
    Sample("vmdk", "vmdk", lambda: made("vmdk"), virtual_size=SIZE),
    Sample("vmdk filled", "vmdk", lambda: filled("vmdk"), virtual_size=SIZE),
    Sample("vmdk of streams", "vmdk", lambda: filled("vmdk", "-o", "subformat=streamOptimized"), virtual_size=SIZE),
    Sample("vmdk of streams with a footer", "vmdk", streamed(), virtual_size=SIZE),
    Sample("vmdk by hand", "vmdk", described(descriptor()), virtual_size=20480 * 512),
    Sample("flat vmdk", "vmdk", described(descriptor(kind='createType="monolithicFlat"')), "Unsupported subformat"),
    Sample("vmdk in parts", "vmdk", described(descriptor(kind='createType="twoGbMaxExtentSparse"')), "Unsupported subformat"),
    Sample("foreign extent", "vmdk", described(descriptor(extent=f'RW 20480 SPARSE "{SECRET}"')), "Invalid extent"),
    Sample("flat extent", "vmdk", described(descriptor(extent=f'RW 20480 FLAT "{SECRET}" 0')), "Invalid extent"),
    Sample(
        "JSON extent", "vmdk", described(descriptor(extent='RW 9 FLAT "json:{\\"driver\\":\\"nbd\\"}" 0')), "names other files"
    ),
    Sample("NBD extent", "vmdk", described(descriptor(extent='RW 9 FLAT "nbd:169.254.169.254:80" 0')), "names other files"),
    Sample("second extent", "vmdk", described(descriptor('RW 9 SPARSE "b.vmdk"')), "names other files"),
    Sample("no extent", "vmdk", described(descriptor(extent="")), "No extents"),
    Sample(
        "two kinds, spelt differently",
        "vmdk",
        described(descriptor('createType="monolithicFlat"', kind='CREATETYPE="monolithicSparse"')),
        "more than once",
    ),
    Sample("parent by name", "vmdk", described(descriptor(f'parentFileNameHint="{SECRET}"')), "names a parent"),
    Sample("parent by id", "vmdk", described(descriptor("parentCID=12345678")), "has a parent"),
    Sample("no capacity", "vmdk", described(descriptor(), capacity=0), "capacity is missing"),
    Sample("32 TiB of vmdk", "vmdk", described(descriptor(), capacity=1 << 36), "virtual size of the image"),
    Sample("strange line", "vmdk", described(descriptor("open the door")), "Invalid VMDK descriptor"),
    Sample("descriptor elsewhere", "vmdk", lambda: patched(made("vmdk"), (28, "<Q", 20)), "found"),
    Sample("vmdk version 9", "vmdk", lambda: patched(made("vmdk"), (4, "<I", 9)), "found"),
    Sample("descriptor alone", "vmdk", lambda: descriptor(kind='createType="monolithicFlat"').encode().ljust(700), "not safe"),
    Sample("old vmdk", "vmdk", lambda: b"COWD" + noise(9000), "found"),
    Sample("footer of another capacity", "vmdk", streamed((-1024 + 12, "<Q", 1 << 30)), "another capacity"),
    Sample("footer of another descriptor", "vmdk", streamed((-1024 + 28, "<Q", 9)), "different descriptor"),
    Sample("footer that is none", "vmdk", streamed((-1536 + 12, "<I", 77)), "marker is invalid"),
    Sample("vmdk cut", "vmdk", lambda: made("vmdk")[:700], "vmdk"),
]

OTHERS = [
    Sample("vhd", "vhd", lambda: made("vpc", "-o", "force_size=on"), virtual_size=SIZE),
    Sample("vhd by its geometry", "vhd", lambda: made("vpc"), virtual_size=8_390_656),
    Sample(
        "vhd of two sizes",
        "vhd",
        lambda: patched(made("vpc"), (40, ">Q", MIB), (56, ">I", 60_000 << 16 | 16 << 8 | 255)),
        "not cover",
    ),
    Sample("vhd that needs a parent", "vhd", lambda: patched(made("vpc"), (60, ">I", 4)), "not a dynamic disk"),
    Sample("fixed vhd with a header", "vhd", lambda: patched(made("vpc"), (60, ">I", 2)), "not a dynamic disk"),
    Sample("vhd with the id of a parent", "vhd", lambda: patched(made("vpc"), (512 + 40, ">I", 7)), "names a parent"),
    Sample("vhd with a header elsewhere", "vhd", lambda: patched(made("vpc"), (16, ">Q", 4096)), "dynamic header"),
    Sample("vhd of 8 EiB", "vhd", lambda: patched(made("vpc", "-o", "force_size=on"), (40, ">Q", 1 << 63)), "does not cover"),
    Sample(
        "vhd with a table of gigabytes", "vhd", lambda: patched(made("vpc"), (512 + 28, ">I", 1 << 31)), "header or tables"
    ),
    Sample("vhd cut", "vhd", lambda: made("vpc")[:900], "not a complete vhd"),
    Sample("fixed vhd", "vhd", lambda: made("vpc", "-o", "subformat=fixed"), "found raw"),
    Sample("vhdx", "vhdx", lambda: made("vhdx"), virtual_size=SIZE),
    Sample("differencing vhdx", "vhdx", vhdx_metadata(flags=2), "differencing"),
    Sample("vhdx with a parent's locator", "vhdx", vhdx_metadata(locator=True), "names a parent"),
    Sample("vhdx of 8 EiB", "vhdx", vhdx_metadata(size=1 << 63), "virtual size of the image"),
    Sample("vhdx of nothing", "vhdx", vhdx_metadata(size=0), "virtual size is missing"),
    Sample("vhdx without regions", "vhdx", lambda: patched(made("vhdx"), (192 << 10, "<I", 0)), "found"),
    Sample("vhdx cut", "vhdx", lambda: made("vhdx")[: MIB + 9], "not a complete vhdx"),
    Sample("vdi", "vdi", lambda: made("vdi"), virtual_size=SIZE),
    Sample("vdi that is a difference", "vdi", lambda: patched(made("vdi"), (0x4C, "<I", 4)), "differencing"),
    Sample("vdi with a parent", "vdi", lambda: patched(made("vdi"), (0x1A8, "<I", 7)), "names a parent"),
    Sample("vdi of odd blocks", "vdi", lambda: patched(made("vdi"), (0x178, "<I", 512)), "blocks is not possible"),
    Sample("vdi of 8 EiB", "vdi", lambda: patched(made("vdi"), (0x170, "<Q", 1 << 63)), "does not cover"),
    Sample("vdi with a table of gigabytes", "vdi", lambda: patched(made("vdi"), (0x180, "<I", 1 << 31)), "header or tables"),
    Sample("vdi cut", "vdi", lambda: made("vdi")[:512], "header or tables"),
    Sample("iso", "iso", iso, virtual_size=len(iso())),
    Sample("iso for disks too", "iso", lambda: mbr(iso()), virtual_size=len(iso())),
    Sample("iso that is a qcow2", "iso", lambda: made("qcow2")[:1024] + iso()[1024:], "found iso and qcow2"),
    Sample(
        "iso that is a vmdk",
        "iso",
        lambda: vmdk()[: 30 << 10].ljust(32 << 10, b"\0") + iso()[32 << 10 :],
        "found iso and vmdk",
    ),
    Sample(
        "qcow2 that is an iso", "qcow2", lambda: made("qcow2")[:32768] + iso()[32768:] + made("qcow2")[38912:], "iso and qcow2"
    ),
    Sample("noise as iso", "iso", lambda: noise(40_000), "found raw"),
]

CONTAINERS = [
    Sample("ova", "vmdk", tar(OVF, DISK), container_format="ova"),
    Sample("ova with long names", "vmdk", tar(OVF, ("d" * 150 + "/" + "n" * 150, b"x")), container_format="ova"),
    Sample("ova that climbs", "vmdk", tar(OVF, ("../../etc/cron.d/x", b"x")), "outside", container_format="ova"),
    Sample("ova that is absolute", "vmdk", tar(OVF, (SECRET, b"x")), "outside", container_format="ova"),
    Sample("ova that climbs by a long name", "vmdk", tar(OVF, ("a/" * 90 + "../" * 99 + "x", b"x")), "outside", container_format="ova"),
    Sample(
        "ova that climbs by a PAX name", "vmdk", tar(OVF, ("é/" * 90 + "../x", b"x"), form=tarfile.PAX_FORMAT), "outside",
        container_format="ova",
    ),
    Sample("ova with backslashes", "vmdk", tar(OVF, ("..\\x", b"x")), "outside", container_format="ova"),
    Sample("ova with a link", "vmdk", tar(OVF, ("x", b""), kind=tarfile.SYMTYPE), "no file", container_format="ova"),
    Sample("ova with a hard link", "vmdk", tar(OVF, ("x", b""), kind=tarfile.LNKTYPE), "no file", container_format="ova"),
    Sample("ova with a device", "vmdk", tar(OVF, ("x", b""), kind=tarfile.BLKTYPE), "no file", container_format="ova"),
    Sample("ova without description", "vmdk", tar(DISK), "description", container_format="ova"),
    Sample("ova of another size by PAX", "vmdk", pax_sized(0), container_format="ova"),
    Sample("ova that hides a name behind a size", "vmdk", pax_sized(512), "outside", container_format="ova"),
    Sample("ova cut", "vmdk", lambda: tar(OVF, DISK)()[:9000], "not a complete ova", container_format="ova"),
    Sample("empty ova", "vmdk", lambda: bytes(10240), "not a complete ova", container_format="ova"),
    Sample("disk as ova", "qcow2", qcow2(), "declared ova", container_format="ova"),
    Sample("docker", "raw", tar(("manifest.json", b"[]"), ("a/layer.tar", b"")), container_format="docker"),
    Sample("docker that climbs", "raw", tar(("../manifest.json", b"[]")), "outside", container_format="docker"),
    Sample("compressed", "raw", lambda: gzip.compress(b"disk"), container_format="compressed"),
    Sample("compressed bomb that nobody unpacks", "raw", bomb, container_format="compressed"),
    Sample("disk as compressed", "qcow2", qcow2(), "declared compressed", container_format="compressed"),
]  # fmt: skip

SAMPLES = [*PLAIN, *QCOW2, *VMDK, *OTHERS, *CONTAINERS]
