"""The unmodified ``openstack`` command of an operator on what is around servers: flavors, keypairs, aggregates, hosts, quotas, use."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.e2e.shell import Shell, names
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

MICROVERSION = "2.87"  # the last one with the sums of all hypervisors


@pytest.fixture(scope="module")
def openstack(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, compute=MICROVERSION)
    yield shell
    shell.close()


@pytest.fixture
def host(openstack: Shell) -> str:
    (hypervisor,) = openstack("hypervisor list")
    return str(hypervisor["Hypervisor Hostname"])


def refused(openstack: Shell, command: str) -> str:
    """Return what the client says of a command that must fail."""
    done = openstack.run(command)
    assert done["code"] != 0, done
    return str(done["err"])


def limits_of(openstack: Shell, words: str) -> dict[str, Any]:
    return {row["Resource"]: row["Limit"] for row in openstack(f"quota show --compute {words}")}


def test_a_flavor_lives(openstack: Shell):
    made = openstack(
        "flavor create f1 --id f1 --ram 512 --disk 5 --ephemeral 1 --swap 64 --vcpus 2 --rxtx-factor 1.5"
        " --property hw:cpu_policy=shared --private --project demo"
    )
    assert (made["ram"], made["disk"], made["swap"], made["vcpus"], made["rxtx_factor"]) == (512, 5, 64, 2, 1.5)
    assert made["properties"] == {"hw:cpu_policy": "shared"}
    assert "f1" not in names(openstack("flavor list"))
    assert names(openstack("flavor list --private")) == {"f1"}

    openstack("flavor set f1 --no-property --property quota:cpu_shares=100 --description small --project admin")
    shown = openstack("flavor show f1")
    assert (shown["properties"], shown["description"]) == ({"quota:cpu_shares": "100"}, "small")
    assert len(shown["access_project_ids"]) == 2

    openstack("flavor unset f1 --property quota:cpu_shares --project admin")
    shown = openstack("flavor show f1")
    assert (shown["properties"], len(shown["access_project_ids"])) == ({}, 1)
    openstack("flavor delete f1")
    assert "No Flavor found" in refused(openstack, "flavor show f1")


def test_flavors_are_narrowed_sorted_and_paged(openstack: Shell):
    assert names(openstack("flavor list --min-ram 4096 --min-disk 20")) == {"m1.medium", "m1.large", "m1.xlarge", "ds4G"}
    first = openstack("flavor list --limit 2")
    rest = openstack(f"flavor list --limit 100 --marker {first[-1]['ID']}")
    assert len(first) == 2
    assert len(rest) == len(openstack("flavor list")) - 2
    assert refused(openstack, "flavor list --marker no-such")


def test_a_keypair_lives(openstack: Shell, cloud: Cloud):
    file = cloud.state / "key"
    made = openstack(f"keypair create k1 --private-key {file}")
    assert (made["name"], made["type"]) == ("k1", "ssh")
    assert "PRIVATE KEY" in file.read_text()
    public = cloud.state / "key.pub"
    public.write_text(openstack.run("keypair show k1 --public-key")["out"])
    again = openstack(f"keypair create k2 --public-key {public}")
    assert again["fingerprint"] == made["fingerprint"]
    openstack(f"keypair create k3 --public-key {public} --user demo")
    assert names(openstack("keypair list")) == {"k1", "k2"}
    assert names(openstack("keypair list --user demo")) == {"k3"}
    assert openstack("keypair show k3 --user demo")["fingerprint"] == made["fingerprint"]
    openstack("keypair delete k3 --user demo")
    openstack("keypair delete k1 k2")
    assert openstack("keypair list") == []


def test_a_server_comes_up_in_the_zone_of_an_aggregate(openstack: Shell, cloud: Cloud, host: str):
    openstack("aggregate create a1 --zone west --property ssd=true")
    openstack(f"aggregate add host a1 {host}")
    api = Api(cloud)
    server_id = api.create("here", availability_zone="west")
    try:
        assert api.wait(server_id)["OS-EXT-AZ:availability_zone"] == "west"
        assert "cannot go along" in refused(openstack, f"aggregate remove host a1 {host}")
        assert "not empty" in refused(openstack, "aggregate delete a1")
        (listed,) = openstack("hypervisor list --long")
        assert listed["State"] == "up"
        assert openstack(f"hypervisor show {host}")["aggregates"] == ["a1"]
        detail = cloud.client("admin").get("/compute/v2.1/os-hypervisors/detail").json()["hypervisors"]
        assert [each["running_vms"] for each in detail] == [1]
    finally:
        api.delete(server_id)
    usage = openstack("usage show --project demo")
    assert usage["CPU Hours"] > 0
    assert len(openstack("usage list")) == 1
    openstack(f"aggregate remove host a1 {host}")
    openstack("aggregate delete a1")


def test_an_aggregate_is_changed(openstack: Shell, host: str):
    openstack("aggregate create a1 --property ssd=true")
    openstack("aggregate set a1 --name a2 --zone east --property gpu=1")
    shown = openstack("aggregate show a2")
    assert (shown["availability_zone"], shown["properties"]) == ("east", {"ssd": "true", "gpu": "1"})
    openstack("aggregate unset a2 --property ssd")
    openstack(f"aggregate add host a2 {host}")
    (listed,) = openstack("aggregate list --long")
    assert (listed["Properties"], listed["Hosts"]) == ({"gpu": "1"}, [host])
    zones = openstack("availability zone list --compute --long")
    assert {zone["Zone Name"] for zone in zones if zone["Service Name"] == "nova-compute"} == {"east"}
    openstack("aggregate cache image a2 tiny")
    wait_for("the image on the host", lambda: [row for row in openstack("cached image list") if row["State"] == "cached"], 30)
    openstack(f"aggregate remove host a2 {host}")
    openstack("aggregate delete a2")
    assert openstack("aggregate list") == []


def test_a_compute_service_is_taken_out_of_use(openstack: Shell, host: str):
    openstack(f"compute service set {host} nova-compute --disable --disable-reason fan")
    (service,) = openstack("compute service list --service nova-compute --long")
    assert (service["Status"], service["Disabled Reason"], service["State"]) == ("disabled", "fan", "up")
    openstack(f"compute service set {host} nova-compute --enable")
    openstack(f"compute service set {host} nova-compute --down")
    (service,) = openstack("compute service list --service nova-compute --long")
    assert (service["Status"], service["Forced Down"], service["State"]) == ("enabled", True, "down")
    openstack(f"compute service set {host} nova-compute --up")
    wait_for("a host that is up", lambda: openstack("compute service list --service nova-compute")[0]["State"] == "up", 30)


def test_hypervisors_tell_what_they_have(openstack: Shell, host: str):
    assert openstack("hypervisor stats show")["count"] == 1
    shown = openstack(f"hypervisor show {host}")
    assert (shown["hypervisor_hostname"], shown["state"], shown["status"]) == (host, "up", "enabled")
    assert shown["uptime"]
    assert openstack(f"hypervisor list --matching {host[:2]}")
    assert "No hypervisor matching" in refused(openstack, "hypervisor list --matching no-such-host")


def test_quotas_are_set_shown_and_put_back(openstack: Shell):
    before = limits_of(openstack, "demo")
    openstack("quota set demo --cores 30 --ram 60000 --instances 15 --key-pairs 50 --properties 64 --server-groups 3")
    after = limits_of(openstack, "demo")
    assert (after["cores"], after["ram"], after["instances"], after["key-pairs"], after["properties"]) == (
        30,
        60000,
        15,
        50,
        64,
    )
    assert after["server-groups"] == 3
    detail = {row["Resource"]: row for row in openstack("quota show demo --compute --usage")}
    assert (detail["cores"]["In Use"], detail["cores"]["Limit"]) == (0, 30)
    openstack("quota delete demo --compute")
    assert limits_of(openstack, "demo") == before

    openstack("quota set --default --cores 21")
    assert limits_of(openstack, "--default")["cores"] == limits_of(openstack, "demo")["cores"] == 21
    openstack("quota set --default --cores 20")


def test_limits_tell_what_is_left(openstack: Shell):
    limits = {row["Name"]: row["Value"] for row in openstack("limits show --absolute --project demo")}
    assert (limits["instances"], limits["instances_used"]) == (10, 0)
