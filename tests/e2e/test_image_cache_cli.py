"""The unmodified ``openstack`` command, tempest and ours on the image caches of hosts."""

import hashlib
import json
from typing import Any

import pytest

from tests.conformance import tempest
from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

CONTENT = b"x" * 300_000


def test_an_image_is_fetched_ahead_listed_and_removed(cloud: Cloud):
    openstack = Shell(cloud)
    try:
        file = cloud.state / "raw.img"
        file.write_bytes(CONTENT)
        made = openstack(f"image create raw --disk-format raw --container-format bare --file {file}")
        image_id = made["id"]
        base = cloud.state / "instances" / "_base" / hashlib.sha1(image_id.encode()).hexdigest()

        openstack("cached image queue raw")

        listed = wait_for("the image on the host", lambda: states(openstack, "cached"), 30)
        assert [(row["ID"], row["Hits"]) for row in listed] == [(image_id, 0)]
        assert listed[0]["Size"] >= len(CONTENT)
        assert base.read_bytes() == CONTENT
        (entry,) = json.loads(cloud.nebulet("manage", "image_cache", "list", "--json").stdout)
        assert (entry["image_id"], entry["state"], entry["fault"]) == (image_id, "cached", "")
        nodes = cloud.client("admin").get(f"/image/v2/cache/nodes/{image_id}").json()
        assert nodes == [entry["host"]]

        openstack("cached image delete raw")
        wait_for("an empty cache", lambda: not openstack("cached image list"), 30)
        assert not base.exists()

        cloud.nebulet("manage", "image_cache", "warm", "raw", "--host", entry["host"])
        wait_for("the image on the host", lambda: states(openstack, "cached"), 30)
        openstack("cached image clear")
        wait_for("an empty cache", lambda: not openstack("cached image list"), 30)
    finally:
        openstack.close()


def test_rotten_bytes_are_refused_and_said(cloud: Cloud):
    openstack = Shell(cloud)
    try:
        file = cloud.state / "rotten.img"
        file.write_bytes(CONTENT)
        image_id = openstack(f"image create rotten --disk-format raw --container-format bare --file {file}")["id"]
        stored = cloud.state / "images" / image_id
        stored.write_bytes(b"y" + CONTENT[1:])

        cloud.nebulet("manage", "image_cache", "warm", image_id)

        wait_for("the reason", lambda: "checksum" in cloud.nebulet("manage", "image_cache", "list", image_id).stdout, 30)
        assert not openstack("cached image list")
    finally:
        openstack.close()


def test_openstacks_own_test_of_caching_passes(cloud: Cloud, tmp_path):
    outcome = tempest.run(tmp_path, cloud.url, cloud.password(), tempest.listed("image_cache"))

    assert (outcome.passed, outcome.skipped, outcome.failed) == (1, 0, 0), outcome.output + cloud.logs()


def states(openstack: Shell, wanted: str) -> list[dict[str, Any]]:
    return [row for row in openstack("cached image list") if row["State"] == wanted]
