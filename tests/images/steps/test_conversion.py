"""Conversion of staged files: to what the operator prefers, and never of what is not harmless."""

import shutil
from pathlib import Path

import pytest

from images.services.steps.conversion import convert
from portal.core.disks import qemu_img
from portal.core.disks.inspection import inspect_file
from portal.core.errors import BadRequest
from tests.images import corpus
from tests.images.corpus import SAMPLES, SIZE
from tests.images.factories import MIB, ImageFactory, noise

pytestmark = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img makes the samples")


@pytest.fixture
def prefer(settings):
    def choose(wanted):
        settings.IMAGE_CONVERSION_FORMAT = wanted

    return choose


def staged(folder, content):
    path = Path(folder, "staged")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("made", "disk_format"), [("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vdi", "vdi"), ("vhdx", "vhdx")])
def test_a_disk_becomes_raw(prefer, tmp_path, made, disk_format):
    prefer("raw")
    found = convert(
        image=ImageFactory.build(disk_format=disk_format),
        staged=staged(tmp_path, corpus.filled(made)),
        target=tmp_path / "new",
    )
    assert (found.disk_format, found.size, found.virtual_size) == ("raw", SIZE, SIZE)
    assert found.path.read_bytes() == noise(3 * MIB).ljust(SIZE, b"\0")


def test_a_raw_disk_becomes_qcow2(prefer, tmp_path):
    prefer("qcow2")
    found = convert(image=ImageFactory.build(), staged=staged(tmp_path, bytes(SIZE)), target=tmp_path / "new")
    assert found.virtual_size == inspect_file(found.path, "qcow2") == SIZE
    assert found.size < MIB


@pytest.mark.parametrize(
    ("wanted", "formats"),
    [
        ("", {"disk_format": "qcow2"}),
        ("raw", {"disk_format": "raw"}),
        ("raw", {"disk_format": "iso"}),
        ("raw", {"disk_format": "gpt"}),
        ("qcow2", {"disk_format": "qcow2"}),
        ("qcow2", {"disk_format": "aki", "container_format": "aki"}),
        ("raw", {"disk_format": "vmdk", "container_format": "ova"}),
    ],
)
def test_what_needs_no_conversion_is_left_alone(prefer, tmp_path, wanted, formats):
    prefer(wanted)
    assert convert(image=ImageFactory.build(**formats), staged=tmp_path / "not even there", target=tmp_path / "new") is None


HOSTILE = [one for one in SAMPLES if one.refused and one.disk_format in ("qcow2", "vmdk", "vhd", "vhdx", "vdi")]


@pytest.mark.parametrize("sample", [one for one in HOSTILE if one.container_format == "bare"], ids=str)
def test_nothing_hostile_is_converted(prefer, tmp_path, sample):
    prefer("raw")
    with pytest.raises(BadRequest, match=sample.refused):
        convert(
            image=ImageFactory.build(disk_format=sample.disk_format),
            staged=staged(tmp_path, sample.make()),
            target=tmp_path / "new",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["staged"]


def test_a_format_hidden_within_another_does_not_come_out_as_raw(prefer, tmp_path):
    prefer("raw")
    inner = staged(tmp_path, corpus.backed("/etc/shadow")().ljust(MIB, b"\0"))
    outer = tmp_path / "outer"
    qemu_img.convert(inner, "raw", outer, "qcow2", virtual_bytes=MIB)
    with pytest.raises(BadRequest, match="declared raw, found qcow2"):
        convert(image=ImageFactory.build(disk_format="qcow2"), staged=outer, target=tmp_path / "new")
    assert not (tmp_path / "outer.raw").exists()
