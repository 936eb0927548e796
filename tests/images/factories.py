"""Images of the tests, and small files of every format."""

import struct
import zlib

import factory
from factory.django import DjangoModelFactory

from images.models import Image, ImageLocation, ImageMember, ImageProperty, ImageTag
from images.states import ImageStatus, Visibility

MIB = 1 << 20


class ImageFactory(DjangoModelFactory):
    """A queued raw image of nobody in particular."""

    class Meta:
        model = Image

    name = factory.Sequence(lambda number: f"image-{number}")
    owner = "f" * 32
    disk_format = "raw"
    container_format = "bare"
    visibility = Visibility.PRIVATE


class ActiveImageFactory(ImageFactory):
    """An image whose record says that three bytes lie in the store."""

    class Meta:
        skip_postgeneration_save = True

    status = ImageStatus.ACTIVE
    size = 3
    virtual_size = 3
    checksum = "900150983cd24fb0d6963f7d28e17f72"
    os_hash_algo = "sha512"
    os_hash_value = "0" * 128

    @factory.post_generation
    def store(self, create, extracted, **_more):
        """The store with its one copy."""
        ImageLocation.objects.create(image=self, store=extracted or "memory")


class PropertyFactory(DjangoModelFactory):
    class Meta:
        model = ImageProperty


class TagFactory(DjangoModelFactory):
    class Meta:
        model = ImageTag


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = ImageMember


def qcow2(*, backing: int = 0, features: int = 0, size: int = 10 * MIB, version: int = 3) -> bytes:
    """Return an empty qcow2 of our own making: header, refcount table, one refcount block, L1 table."""
    cluster = 1 << 16
    l1_entries = min(-(-size // (cluster * cluster // 8)), 4096)
    header = struct.pack(">4sIQIIQ", b"QFI\xfb", version, backing, 16 if backing else 0, 16, size)
    header += struct.pack(">IIQQIIQ", 0, l1_entries, 3 * cluster, cluster, 1, 0, 0)
    header += struct.pack(">QQQII", features, 0, 0, 4, 104)
    table = struct.pack(">Q", 2 * cluster)
    counts = struct.pack(">4H", 1, 1, 1, 1)
    return b"".join(part.ljust(cluster, b"\0") for part in (header, table, counts)) + b"\0" * 8 * l1_entries


def vmdk(create_type: str = "monolithicSparse", extent: str = 'RW 20480 SPARSE "disk.vmdk"') -> bytes:
    """Return the head of a sparse VMDK with its descriptor."""
    header = struct.pack("<4sIIQQQQIQQ", b"KDMV", 1, 3, 20480, 128, 1, 20, 512, 0, 0).ljust(512, b"\0")
    text = f'# Disk DescriptorFile\nversion=1\ncreateType="{create_type}"\n{extent}\nddb.adapterType = "ide"\n'
    return header + text.encode().ljust(20 * 512, b"\0") + b"\0" * 4096


def iso() -> bytes:
    """Return the first sectors of an ISO 9660 image."""
    volume = b"\x01CD001\x01".ljust(80, b"\0") + struct.pack("<L", 50) + b"\0" * 44 + struct.pack("<H", 2048)
    return b"\0" * 32768 + volume.ljust(2048, b"\0") + b"\0" * 4096


def noise(size: int) -> bytes:
    """Return bytes that no format begins with."""
    return (zlib.compress(b"noise", 9) * (size // 8 + 1))[:size]
