"""The kernel's own word: whatever an image says, no file is opened, no program started and nobody called because of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.conf import settings as live

from images.models import Image
from images.stores import registry
from tests.images import opened
from tests.images.asgi import file_of
from tests.images.corpus import SAMPLES
from tests.images.factories import MIB, ImageFactory
from tests.images.test_killed import nursery

CODE = Path(__file__).parents[2]
MACHINE = ("/usr", "/lib", "/lib64", "/proc", "/dev", "/sys", sys.prefix, sys.base_prefix, str(CODE))
HARMLESS = next(one for one in SAMPLES if one.name == "qcow2")

pytestmark = [
    pytest.mark.real,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not shutil.which("strace") or not shutil.which("qemu-img"), reason="strace watches, and qemu-img makes the samples"
    ),
]


def strangers(log, *ours):
    """Return what was opened and is neither the machine's, the code's, nor one of our folders."""
    places = tuple(str(place) for place in (*MACHINE, *ours))
    return {path for path in opened.opened(log) if not path.startswith(places)}


def traced(folder, samples):
    """Give samples to all that reads images; return how often each was refused, and the kernel's log."""
    images, log = folder / "images", folder / "log"
    images.mkdir(parents=True)
    for number, sample in enumerate(samples):
        (images / f"{number:03}.{sample.disk_format}.{sample.container_format}").write_bytes(sample.make())
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.images.killable", "KILLABLE_STORE": str(folder / "store")}
    environ["NEBULET_IMAGE_CONVERSION"] = "raw"
    command = ["strace", *opened.OPTIONS, "-o", str(log), sys.executable, "-m", "tests.images.traced", str(images)]
    said = subprocess.run(command, cwd=CODE, env=environ, capture_output=True, text=True, check=True).stdout
    return [int(line.split()[1]) for line in said.splitlines()], log


def test_what_reads_images_opens_them_and_nothing_else(tmp_path):
    refusals, log = traced(tmp_path / "all", SAMPLES)
    _refusals, harmless = traced(tmp_path / "one", [HARMLESS])

    assert all(count >= 1 for count, sample in zip(refusals, SAMPLES, strict=True) if sample.refused)
    assert strangers(log, tmp_path, live.STATE_DIR) == strangers(harmless, tmp_path, live.STATE_DIR)
    assert opened.called(log) <= {"127.0.0.1"}
    runs = [words for words in opened.started(log) if words[0] == "qemu-img"]
    assert len(runs) >= 10
    assert all("-f" in words and words[-1].startswith("/proc/self/fd/") for words in runs)


def test_a_server_opens_what_it_is_sent_and_nothing_else(personas, settings, tmp_path):
    settings.IMAGE_STORES = {"file": {"driver": "images.stores.filesystem.FilesystemStore", "path": tmp_path / "store"}}
    settings.IMAGE_DEFAULT_STORE = "file"
    registry.reset()
    log = tmp_path / "log"
    some = [one for one in SAMPLES if len(one.make()) < MIB // 2]
    headers = {"X-Auth-Token": personas.member.token, "Content-Type": "application/octet-stream"}
    with nursery(registry.get(), before=["strace", *opened.OPTIONS, "-o", str(log)]) as (address, pids):
        pids.readline()
        for number, sample in enumerate([HARMLESS, *some]):
            formats = {"disk_format": sample.disk_format, "container_format": sample.container_format}
            image = ImageFactory(owner=personas.lab.pk, **formats)
            where = f"http://{address[0]}:{address[1]}{file_of(image)}"
            answer = httpx.put(where, content=sample.make(), headers=headers, timeout=30)
            assert answer.status_code == (400 if sample.refused else 204), sample
            assert Image.objects.get(pk=image.pk).status == ("queued" if sample.refused else "active")
            if not number:
                at_first, programs = strangers(log, tmp_path, live.STATE_DIR), list(opened.started(log))
    assert len(some) > 60
    assert strangers(log, tmp_path, live.STATE_DIR) == at_first
    assert list(opened.started(log)) == programs
    assert opened.called(log) <= {"127.0.0.1"}
