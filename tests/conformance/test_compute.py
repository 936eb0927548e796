"""Compute and its networks as OpenStack's own test suite sees them, on a pretended hypervisor."""

import pytest

from tests.conformance import tempest
from tests.e2e.cloud import Api, Cloud

FEATURES = {
    "resize": "true",
    "shelve_migrate": "false",
    "stable_rescue": "true",
    "vnc_console": "true",
    "personality": "true",
    "change_password": "false",
    "cold_migration": "false",
    "live_migration": "false",
    "swap_volume": "false",
}
SMALL, LARGER = "84", "c1"


@pytest.fixture(scope="module")
def cloud():
    with Cloud(driver="fake", extra={"NEBULET_FAKE_STEP_S": "0.3"}).running() as made:
        yield made


@pytest.mark.real
@pytest.mark.parametrize(("name", "at_once"), [("compute", 3), ("network", 1)])  # its networks want the same addresses
def test_every_test_of_the_list_passes(tmp_path, cloud, name, at_once):
    tests, api = tempest.listed(name), Api(cloud)
    refs = {
        "image_ref": api.image_id("tiny"),
        "image_ref_alt": api.image_id("tiny-uec"),
        "flavor_ref": SMALL,
        "flavor_ref_alt": LARGER,
        "build_interval": "1",
    }
    sections = {
        "compute-feature-enabled": FEATURES,
        "network-feature-enabled": {"ipv6": "false"},
        "volume-feature-enabled": {"enable_volume_image_dep_tests": "true"},  # the list has the one without volumes
        "validation": {"run_validation": "false"},
    }
    outcome = tempest.run(tmp_path, cloud.url, cloud.password(), tests, sections, at_once, **refs)
    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + cloud.logs()
