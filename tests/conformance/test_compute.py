"""Compute as OpenStack's own test suite sees it, on real guests; its networks, which need none, on a pretended host."""

from pathlib import Path

import pytest

from tests.conformance import tempest
from tests.conformance.tempest import Outcome
from tests.e2e.cloud import Api, Cloud, free_port

FEATURES = {
    "resize": "true",
    "shelve_migrate": "false",
    "stable_rescue": "true",
    "vnc_console": "true",
    "personality": "true",
    "change_password": "true",
    "cold_migration": "false",
    "live_migration": "false",
    "swap_volume": "false",
    "hostname_fqdn_sanitization": "true",
    "dhcp_domain": "",
}
OUTSIDE = {"run_validation": "false"}
INSIDE = {
    "run_validation": "true",
    "connect_method": "fixed",
    "network_for_ssh": "private",
    "image_ssh_user": "tiny",
    "image_alt_ssh_user": "tiny",
    "ssh_timeout": "120",
}
SMALL, LARGER = "84", "c1"


@pytest.fixture(scope="module")
def pretended_cloud():
    with Cloud(driver="fake").running() as made:
        yield made


@pytest.mark.real
def test_every_test_of_networks_passes(tmp_path, pretended_cloud):
    tests = tempest.listed("network")
    outcome = outcome_of(tests, tmp_path, pretended_cloud, 1, OUTSIDE)  # they want the same addresses
    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + pretended_cloud.logs()


@pytest.fixture(scope="module")
def cloud():
    with Cloud(extra={"NEBULET_VIEWER_PORT": str(free_port())}).running() as made:
        yield made


# Those that pause a guest while it boots and want to log in afterwards wait in vain now and then, where it is emulated.
@pytest.mark.real
@pytest.mark.hypervisor(first=True)
@pytest.mark.parametrize(("name", "look"), [("compute", OUTSIDE), ("compute_guests", OUTSIDE), ("compute_inside", INSIDE)])
def test_every_test_passes_and_finds_inside_guests_what_it_looks_for(tmp_path, cloud, name, look):
    tests = tempest.listed(name)
    outcome = outcome_of(tests, tmp_path, cloud, 3, look)
    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + cloud.logs()


def outcome_of(tests: list[str], folder: Path, cloud: Cloud, at_once: int, validation: dict[str, str]) -> Outcome:
    """Run these tests, so many at once, and let them look into guests as ``validation`` says."""
    api = Api(cloud)
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
        "validation": validation,
    }
    return tempest.run(folder, cloud.url, cloud.password(), tests, sections, at_once, **refs)
