"""The formats of images as OpenStack's own test suite sends them: usable ones are taken, all others are refused.

Its two tests of compute need a cloud that takes hostile images in; ours refuses them on their way, so they are left out.
"""

import json

import pytest

from tests.conformance import tempest
from tests.e2e.cloud import Cloud
from tests.images import corpus
from tests.images.factories import iso

PLACE = "tempest.api.image.v2.test_images_formats.ImagesFormatTest"
USABLE_TAKEN = f"{PLACE}.test_accept_usable_formats[id-a245fcbe-63ce-4dc1-a1d0-c16d76d9e6df]"
IMPORTED = f"{PLACE}.test_accept_reject_formats_import[id-7c7c2f16-2e97-4dce-8cb4-bc10be031c85]"
USABLE = {
    "raw": lambda: corpus.filled("raw"),
    "qcow2": lambda: corpus.filled("qcow2"),
    "vmdk": lambda: corpus.filled("vmdk"),
    "vhdx": lambda: corpus.filled("vhdx"),
    "vdi": lambda: corpus.filled("vdi"),
    "iso": iso,
}
UNUSABLE = {"qcow2-backed": ("qcow2", corpus.backed(corpus.SECRET)), "qcow2-data-file": ("qcow2", corpus.with_data_file)}


@pytest.mark.real
def test_usable_formats_are_taken_and_others_are_not(tmp_path):
    cloud, folder = Cloud(driver="fake", extra={"NEBULET_IMAGE_CONVERSION": "qcow2"}), tmp_path / "images"
    folder.mkdir()
    images = [(name, name, True, make) for name, make in USABLE.items()]
    images += [(name, form, False, make) for name, (form, make) in UNUSABLE.items()]
    for name, _form, _usable, make in images:
        (folder / name).write_bytes(make())
    known = [{"name": name, "filename": name, "format": form, "usable": usable} for name, form, usable, _make in images]
    (folder / "manifest.yaml").write_text(json.dumps({"images": known}))
    tests = [f"{USABLE_TAKEN}({name})" for name in USABLE] + [f"{IMPORTED}({each['name']})" for each in known]
    sections = {
        "image": {
            "images_manifest_file": str(folder / "manifest.yaml"),
            "disk_formats": ",".join(USABLE),
            "build_timeout": "60",
        },
        "image-feature-enabled": {"image_conversion": "true", "image_format_enforcement": "true", "import_image": "true"},
    }
    try:
        cloud.up()
        outcome = tempest.run(tmp_path, cloud.url, cloud.password(), tests, sections)
        assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + cloud.logs()
    finally:
        cloud.down()
