"""Inspectors of disk formats, stricter than the library's: what they pass points to no other file and claims nothing absurd.

The library (oslo.utils) recognises formats while bytes flow past and reads headers only. What is added here follows the public
descriptions of the formats; where QEMU reads something from a header, we look at the same bytes as QEMU does.
"""

import re
import struct
from typing import cast

from oslo_utils.imageutils import format_inspector as library
from oslo_utils.imageutils.format_inspector import CaptureRegion, SafetyCheck, SafetyViolation

_MIB = 1 << 20


class Qcow2(library.QcowInspector):
    """qcow2 without other files, secrets, snapshots or tables larger than QEMU itself would read."""

    MAX_L1_BYTES = 32 * _MIB
    MAX_REFCOUNT_BYTES = 8 * _MIB
    _CORRUPT = 1 << 1

    def _initialize(self) -> None:
        super()._initialize()
        for name in ("geometry", "encryption", "snapshots", "corrupt", "tables"):
            self.add_safety_check(SafetyCheck(name, getattr(self, f"check_{name}")))

    def check_geometry(self) -> None:
        """The size of clusters and of the header itself."""
        if not 9 <= self._field(">I", 20) <= 21:
            raise SafetyViolation("The size of its clusters is not possible")
        if self._field(">I", 4) == 3:
            length = self._field(">I", 100)
            if length < 104 or length > self._cluster or self._field(">I", 96) > 6:
                raise SafetyViolation("Its header is not possible")

    def check_encryption(self) -> None:
        """No part of the cloud has the secret."""
        if self._field(">I", 32):
            raise SafetyViolation("It is encrypted")

    def check_snapshots(self) -> None:
        """Snapshots inside an image are another disk than the one that was looked at."""
        if self._field(">I", 60):
            raise SafetyViolation("It holds internal snapshots")

    def check_corrupt(self) -> None:
        """Its own writer gave it up."""
        if self._field(">I", 4) == 3 and self._field(">Q", 72) & self._CORRUPT:
            raise SafetyViolation("It is marked as corrupt")

    def check_tables(self) -> None:
        """The tables that a reader takes into memory before it knows anything."""
        entries = self._field(">I", 36)
        if entries * 8 > self.MAX_L1_BYTES:
            raise SafetyViolation("Its L1 table is too large")
        if entries * (self._cluster // 8) * self._cluster < self.virtual_size:
            raise SafetyViolation("Its L1 table is too small for its virtual size")
        if self._field(">I", 56) * self._cluster > self.MAX_REFCOUNT_BYTES:
            raise SafetyViolation("Its refcount table is too large")

    def least_bytes(self) -> int:
        """Return how long the file must be to hold its tables."""
        return max(
            self._field(">Q", 40) + self._field(">I", 36) * 8,
            self._field(">Q", 48) + 1,
        )

    @property
    def _cluster(self) -> int:
        return 1 << min(self._field(">I", 20), 63)

    def _field(self, form: str, offset: int) -> int:
        return _number(self, "header", form, offset)


class Vhd(library.VHDInspector):
    """A dynamic VHD; a differencing one names its parent.

    Two fields tell its size, and its maker decides which of them is meant; QEMU goes by these makers' names.
    """

    DYNAMIC = 3
    MADE_BY_SIZE = (b"win ", b"qem2", b"d2v ", b"CTXS", b"tap\0")
    LARGEST_GEOMETRY = 65535 * 16 * 255

    def _initialize(self) -> None:
        super()._initialize()
        self.new_region("dynamic", CaptureRegion(512, 1024))
        self.add_safety_check(SafetyCheck("kind", self.check_kind))
        self.add_safety_check(SafetyCheck("table", self.check_table))

    @property
    def virtual_size(self) -> int:
        """The size that a guest sees."""
        cylinders, heads, sectors = (_number(self, "header", *where) for where in ((">H", 56), (">B", 58), (">B", 59)))
        geometry = cylinders * heads * sectors
        if self.region("header").data[28:32] in self.MADE_BY_SIZE or geometry == self.LARGEST_GEOMETRY:
            return _number(self, "header", ">Q", 40)
        return geometry * 512

    def check_kind(self) -> None:
        """Only what stands by itself."""
        if _number(self, "header", ">I", 60) != self.DYNAMIC:
            raise SafetyViolation("It is not a dynamic disk: a differencing one needs another file")
        if _number(self, "header", ">Q", 16) != 512 or not self.region("dynamic").data.startswith(b"cxsparse"):
            raise SafetyViolation("Its dynamic header is not where it should be")
        if any(self.region("dynamic").data[40:56]):
            raise SafetyViolation("It names a parent")

    def check_table(self) -> None:
        """The block table covers the disk."""
        entries, block = (_number(self, "dynamic", ">I", offset) for offset in (28, 32))
        if block < 512 or block > 256 * _MIB or entries * block < self.virtual_size:
            raise SafetyViolation("Its block table does not cover its virtual size")

    def least_bytes(self) -> int:
        """Return how long the file must be to hold its table."""
        return _number(self, "dynamic", ">Q", 16) + 4 * _number(self, "dynamic", ">I", 28)


class Vhdx(library.VHDXInspector):
    """A VHDX without parent."""

    PARENT_LOCATOR = "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C"
    FILE_PARAMETERS = "CAA16737-FA36-4D43-B3B6-33F0AA44E76B"
    HAS_PARENT = 1 << 1

    def _initialize(self) -> None:
        super()._initialize()
        self.add_safety_check(SafetyCheck("size", self.check_size))
        self.add_safety_check(SafetyCheck("parent", self.check_parent))

    def post_process(self) -> None:
        super().post_process()
        if self.has_region("vds") and not self.has_region("parameters"):
            region = self._find_meta_entry(self.FILE_PARAMETERS)
            if region is not None:
                self.new_region("parameters", region)

    def check_size(self) -> None:
        """A disk whose size nobody can tell is none."""
        if not self.virtual_size:
            raise SafetyViolation("Its virtual size is missing")

    def check_parent(self) -> None:
        """A differencing disk needs another file."""
        if self._find_meta_entry(self.PARENT_LOCATOR) is not None:
            raise SafetyViolation("It names a parent")
        if not self.has_region("parameters") or _number(self, "parameters", "<I", 4) & self.HAS_PARENT:
            raise SafetyViolation("It is a differencing disk")

    def least_bytes(self) -> int:
        """Return how long the file must be to hold its header and metadata."""
        return self.region("vds").offset + 8


class Vmdk(library.VMDKInspector):
    """A sparse VMDK in one file.

    QEMU reads a descriptor more freely than the library: by the first spelling it knows, and with a parent if one is named. So
    every keyword that decides may stand there once, and the only extent must be the file itself.
    """

    _EXTENT = re.compile(r'rw \d{1,15} sparse "[a-z0-9 ._()+-]{1,255}"')
    _NO_PARENT = ("ffffffff", '"ffffffff"')

    def _initialize(self) -> None:
        super()._initialize()
        self.add_safety_check(SafetyCheck("keywords", self.check_keywords))
        self.add_safety_check(SafetyCheck("extent", self.check_extent))
        self.add_safety_check(SafetyCheck("capacity", self.check_capacity))

    def check_keywords(self) -> None:
        """One kind, no parent."""
        text = self.desc_text or ""
        if text.count("createtype") != 1:
            raise SafetyViolation("Its descriptor says more than once what it is")
        if "parentfilenamehint" in text:
            raise SafetyViolation("It names a parent")
        for line in text.splitlines():
            name, _equals, value = line.partition("=")
            if name.strip() == "parentcid" and value.strip() not in self._NO_PARENT:
                raise SafetyViolation("It has a parent")

    def check_extent(self) -> None:
        """The only extent is the file itself, under a plain name."""
        lines = [line.strip() for line in (self.desc_text or "").splitlines()]
        extents = [line for line in lines if line.partition(" ")[0] in ("rw", "rdonly", "noaccess")]
        if len(extents) != 1 or not self._EXTENT.fullmatch(extents[0]):
            raise SafetyViolation("Its descriptor names other files")

    def check_capacity(self) -> None:
        """A sparse header without capacity makes QEMU follow the descriptor instead; a footer replaces the header."""
        capacity = _number(self, "header", "<Q", 12)
        if not capacity:
            raise SafetyViolation("Its capacity is missing")
        if self.has_region("footer") and _number(self, "footer", "<Q", 512 + 12) != capacity:
            raise SafetyViolation("Its footer gives another capacity than its header")

    def least_bytes(self) -> int:
        """Return how long the file must be to hold its descriptor."""
        return 512 * (_number(self, "header", "<Q", 28) + 1)


class Vdi(library.VDIInspector):
    """A VDI that is no difference to another."""

    _STANDING = (1, 2)
    _BLOCK = _MIB

    def _initialize(self) -> None:
        super()._initialize()
        self.add_safety_check(SafetyCheck("kind", self.check_kind))
        self.add_safety_check(SafetyCheck("table", self.check_table))

    def check_kind(self) -> None:
        """Dynamic or fixed, and without parent."""
        header = self.region("header").data
        if _number(self, "header", "<I", 0x4C) not in self._STANDING:
            raise SafetyViolation("It is a differencing disk")
        if any(header[0x1A8:0x1C8]):
            raise SafetyViolation("It names a parent")

    def check_table(self) -> None:
        """The block table covers the disk."""
        if _number(self, "header", "<I", 0x178) != self._BLOCK:
            raise SafetyViolation("The size of its blocks is not possible")
        if _number(self, "header", "<I", 0x180) * self._BLOCK < self.virtual_size:
            raise SafetyViolation("Its block table does not cover its virtual size")

    def least_bytes(self) -> int:
        """Return how long the file must be to hold its table."""
        return _number(self, "header", "<I", 0x154) + 4 * _number(self, "header", "<I", 0x180)


STRICT: dict[str, type[library.FileInspector]] = {
    **{name: kind for name, kind in library.ALL_FORMATS.items() if name != "raw"},
    "qcow2": Qcow2,
    "vhd": Vhd,
    "vhdx": Vhdx,
    "vmdk": Vmdk,
    "vdi": Vdi,
}


def least_bytes(inspector: library.FileInspector) -> int:
    """Return how long a file of this header must at least be, 0 where its format does not tell."""
    tell = getattr(inspector, "least_bytes", None)
    return cast(int, tell()) if tell is not None else 0


def _number(inspector: library.FileInspector, region: str, form: str, offset: int) -> int:
    try:
        return cast(int, struct.unpack_from(form, inspector.region(region).data, offset)[0])
    except (KeyError, struct.error) as error:
        raise SafetyViolation("It ends within its header") from error
