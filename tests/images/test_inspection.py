"""Content against what it was declared to be."""

import shutil
import subprocess

import pytest

from images.services.inspection import Inspection
from portal.core.errors import BadRequest
from tests.images.factories import MIB, ImageFactory, iso, noise, qcow2, vmdk


def inspect(disk_format, content, step=512):
    inspection = Inspection(disk_format)
    for start in range(0, len(content), step):
        inspection.feed(content[start : start + step])
    return inspection.conclude(len(content))


@pytest.mark.parametrize(
    ("disk_format", "content", "virtual_size"),
    [
        ("qcow2", qcow2(), 10 * MIB),
        ("raw", noise(4096), 4096),
        ("raw", b"", 0),
        ("raw", b"x", 1),
        ("raw", b"\0" * 5 * MIB, 5 * MIB),
        ("ari", noise(700), 700),
        ("vmdk", vmdk(), 10 * MIB),
        ("iso", iso(), len(iso())),
    ],
)
@pytest.mark.parametrize("step", [100, 4096, 1 << 20])
def test_content_that_is_what_it_claims(disk_format, content, virtual_size, step):
    assert inspect(disk_format, content, step) == virtual_size


@pytest.mark.parametrize(
    ("disk_format", "content", "reason"),
    [
        ("qcow2", qcow2(backing=512), "backing file"),
        ("qcow2", qcow2(features=1 << 2), "data_file"),
        ("qcow2", qcow2(features=1 << 40), "Unknown QCOW2 features"),
        ("qcow2", qcow2(size=1 << 62), "virtual size"),
        ("qcow2", noise(4096), "found raw"),
        ("qcow2", b"", "found raw"),
        ("qcow2", b"QFI\xfb", "not a complete qcow2"),
        ("qcow2", qcow2()[:50], "ends within its header"),
        ("raw", qcow2(), "found qcow2"),
        ("raw", qcow2()[:100], "found qcow2"),
        ("aki", qcow2(), "found qcow2"),
        ("raw", vmdk(), "found vmdk"),
        ("raw", iso(), "found iso"),
        ("vmdk", vmdk("monolithicFlat"), "Unsupported subformat"),
        ("vmdk", vmdk(extent='RW 20480 SPARSE "/etc/shadow"'), "Invalid extent"),
        ("iso", qcow2() + iso()[1024:], "found"),
        ("vhd", noise(4096), "found raw"),
    ],
)
@pytest.mark.parametrize("step", [100, 1 << 20])
def test_content_that_is_refused(disk_format, content, reason, step):
    with pytest.raises(BadRequest, match=reason):
        inspect(disk_format, content, step)


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img makes the samples")
@pytest.mark.parametrize("disk_format", ["qcow2", "vmdk", "vdi", "vhdx", "vpc"])
def test_what_qemu_makes_is_accepted(tmp_path, disk_format):
    path = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", disk_format, path, "32M"], check=True)
    name = "vhd" if disk_format == "vpc" else disk_format
    assert abs(inspect(name, path.read_bytes(), 1 << 20) - 32 * MIB) < MIB


@pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img makes the samples")
def test_a_stream_optimised_vmdk_is_followed_to_its_footer(tmp_path):
    path = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized", path, "32M"], check=True)
    assert inspect("vmdk", path.read_bytes(), 1 << 20) == 32 * MIB


@pytest.mark.parametrize(
    ("fields", "least_gb"),
    [
        ({"virtual_size": None}, 0),
        ({"virtual_size": 1}, 1),
        ({"virtual_size": 1 << 30}, 1),
        ({"virtual_size": (1 << 30) + 1}, 2),
        ({"virtual_size": 1 << 30, "min_disk": 8}, 8),
        ({"virtual_size": 5 << 30, "min_disk": 2}, 5),
        ({"virtual_size": 5 << 30, "container_format": "aki"}, 0),
    ],
)
def test_the_least_disk_follows_from_the_content_and_the_record_stays_as_it_was(fields, least_gb):
    image = ImageFactory.build(**fields)
    assert image.least_disk_gb == least_gb
    assert image.min_disk == fields.get("min_disk", 0)
