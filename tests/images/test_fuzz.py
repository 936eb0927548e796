"""Uploads of mutated images: refused with a reason or accepted honestly, in whatever pieces they come, and never an accident."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from images.models.image import new_uuid
from images.services.ingest import Ingest
from images.stores.memory import MemoryStore
from portal.core.disks import qemu_img
from portal.core.errors import CloudError
from tests.images.corpus import SAMPLES

pytestmark = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img makes the samples")

LARGEST = 512 << 10
SEEDS = [one for one in SAMPLES if one.name not in ("nothing", "one byte")] if shutil.which("qemu-img") else []
BOUNDED = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
edges = st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])
places = st.one_of(st.integers(0, 127), st.integers(0, 1535), st.integers(0, LARGEST))


@st.composite
def mutants(draw):
    """Return an image of the corpus after some bytes were changed, perhaps cut, perhaps continued as another one."""
    sample = draw(st.sampled_from(SEEDS))
    content = bytearray(sample.make()[:LARGEST])
    for place, data in draw(
        st.lists(st.tuples(places, st.one_of(edges.map(lambda byte: bytes([byte]) * 8), st.binary(max_size=8))), max_size=6)
    ):
        if place < len(content):
            content[place : place + len(data)] = data
    if draw(st.booleans()):
        other = draw(st.sampled_from(SEEDS)).make()[:LARGEST]
        content[draw(places) :] = other[draw(places) :]
    if draw(st.booleans()):
        del content[draw(places) :]
    return sample.disk_format, sample.container_format, bytes(content)


def ingest(disk_format, container_format, content, step):
    """Upload in pieces; return what was stored and what was measured, or why not."""
    store, image_id = MemoryStore(), new_uuid()
    arriving = Ingest(
        writer=store.writer(image_id, new_uuid()),
        disk_format=disk_format,
        container_format=container_format,
        limit=LARGEST * 4,
        expected=len(content),
    )
    try:
        for start in range(0, len(content), step):
            piece = content[start : start + step]
            arriving.count(len(piece))
            for job in arriving.jobs(piece):
                job()
        return store.data, arriving.conclude()
    except CloudError as error:
        arriving.abort()
        assert (store.data, store.parts) == ({}, {})
        assert error.status == 400
        assert len(error.message) < 1000
        return store.data, None


@BOUNDED
@given(mutants(), st.sampled_from([511, 4096, 65_537]))
def test_a_mutant_is_refused_or_stored_whole_and_pieces_do_not_matter(mutant, step):
    disk_format, container_format, content = mutant
    stored, measured = ingest(disk_format, container_format, content, step)
    _stored, at_once = ingest(disk_format, container_format, content, LARGEST * 4)
    assert measured == at_once
    if measured is not None:
        assert list(stored.values()) == [content]
        assert measured.os_hash_value == hashlib.sha512(content).hexdigest()
        assert measured.virtual_size is None or 0 <= measured.virtual_size <= 1 << 44
        if container_format == "bare" and disk_format in qemu_img.FORMATS:
            check_with_qemu(disk_format, content)


def check_with_qemu(disk_format, content):
    """QEMU, too, may refuse it; if it opens it, then alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        path.write_bytes(content)
        command = ["qemu-img", "info", "--output=json", "-f", qemu_img.FORMATS[disk_format], str(path)]
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == 0:
        said = json.loads(done.stdout)
        assert "backing-filename" not in said
        assert "data-file" not in said.get("format-specific", {}).get("data", {})
