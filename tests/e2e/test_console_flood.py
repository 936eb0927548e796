"""A real guest that writes to its console without end harms neither its host's disk nor whoever reads along."""

import base64
import time

import pytest

from tests.e2e.cloud import Api
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

MIB = 1024 * 1024
# What libvirt's virtlogd allows by itself (virtlogd.conf: max_size, max_backups): the file of now and three before it.
FILE_BYTES, FILES = 2 * MIB, 4
PART = 1000
FLOOD = "#!/bin/sh\nexec yes 'a flood of words that never ends' >/dev/ttyS0\n"


def test_a_flood_is_cut_and_can_be_read(cloud):
    api = Api(cloud)
    server_id = api.create("flood", user_data=base64.b64encode(FLOOD.encode()).decode())
    folder = cloud.state / "instances" / server_id
    older = [folder / f"console.log.{number}" for number in range(FILES - 1)]
    try:
        api.wait(server_id)
        for part in older:  # as if the flood had been going on for a while: what is there counts
            part.write_bytes(b"older" * (FILE_BYTES // 5))
        wait_for("a full file to be put aside", lambda: b"flood of words" in older[0].read_bytes()[-PART:], 120, every=0.5)

        slowest, said = 0.0, ""
        for _ in range(10):
            began = time.monotonic()
            said = api.log(server_id)
            slowest = max(slowest, time.monotonic() - began)
        sizes = {path.name: path.stat().st_size for path in folder.glob("console*")}
        print(f"the slowest of ten questions for the log: {slowest:.2f} s; files: {sizes}")
        assert set(sizes) == {"console.log", *(part.name for part in older)}
        assert sum(sizes.values()) <= FILES * FILE_BYTES
        assert slowest < 2
        assert said.count("\n") <= 1000 and "flood of words" in said.splitlines()[-2]
    finally:
        api.delete(server_id)
