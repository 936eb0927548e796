"""Every image of the corpus gets its verdict, however it is cut into pieces, and QEMU agrees with what is accepted."""

import json
import shutil
import subprocess

import pytest

from images.services.inspection import Inspection
from portal.core.disks import qemu_img
from portal.core.errors import BadRequest
from tests.images.corpus import SAMPLES

pytestmark = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img makes the samples")


def inspect(sample, content, step):
    inspection = Inspection(sample.disk_format, sample.container_format)
    for start in range(0, len(content), step):
        inspection.feed(content[start : start + step])
    return inspection.conclude(len(content))


def test_the_corpus_is_large_and_every_name_is_used_once():
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) > 100
    assert sum(sample.refused is not None for sample in SAMPLES) > 60


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_an_image_gets_its_verdict(sample):
    content = sample.make()
    for step in (1021, 65536, 8 << 20):
        if sample.refused is None:
            assert inspect(sample, content, step) == sample.virtual_size
        else:
            with pytest.raises(BadRequest, match=sample.refused):
                inspect(sample, content, step)


HONEST = [
    one for one in SAMPLES if one.refused is None and one.container_format == "bare" and one.disk_format in qemu_img.FORMATS
]


@pytest.mark.parametrize("sample", HONEST, ids=str)
def test_qemu_sees_a_disk_of_the_same_size_and_no_other_file(sample, tmp_path):
    (tmp_path / "disk").write_bytes(sample.make())
    command = ["qemu-img", "info", "--output=json", "-f", qemu_img.FORMATS[sample.disk_format], str(tmp_path / "disk")]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    whole_sectors = -(-sample.virtual_size // 512) * 512
    assert said["virtual-size"] == whole_sectors
    assert "backing-filename" not in said
    assert all(extent["filename"] == str(tmp_path / "disk") for extent in extents(said))


def extents(said):
    return said.get("format-specific", {}).get("data", {}).get("extents", [])
