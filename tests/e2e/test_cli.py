"""The unmodified ``openstack`` command."""

import re
import subprocess

import pytest

from tests.e2e.cloud import ROOT, Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

J = ("-f", "json")


def test_identity_commands(cloud: Cloud):
    token = cloud.openstack("token", "issue", *J)
    assert token["project_id"]
    catalog = {row["Type"] for row in cloud.openstack("catalog", "list", *J)}
    assert {"identity", "image", "compute", "network"} <= catalog
    roles = {row["Name"] for row in cloud.openstack("role", "list", *J, user="admin")}
    assert {"admin", "manager", "member", "reader", "service"} <= roles
    assert {"admin", "demo"} <= {row["Name"] for row in cloud.openstack("user", "list", *J, user="admin")}
    assert {"admin", "demo"} <= {row["Name"] for row in cloud.openstack("project", "list", *J, user="admin")}
    assert cloud.openstack("endpoint", "list", *J, user="admin")
    refused = cloud.openstack("user", "list", check=False)
    assert refused.returncode != 0
    assert "identity:list_users" in refused.stderr


def test_flavors_images_and_networks_are_there(cloud: Cloud):
    flavors = {row["Name"]: row["ID"] for row in cloud.openstack("flavor", "list", *J)}
    assert flavors == {
        "m1.tiny": "1",
        "m1.small": "2",
        "m1.medium": "3",
        "m1.large": "4",
        "m1.nano": "42",
        "m1.xlarge": "5",
        "m1.micro": "84",
        "cirros256": "c1",
        "ds512M": "d1",
        "ds1G": "d2",
        "ds2G": "d3",
        "ds4G": "d4",
    }
    images = {row["Name"]: row["Status"] for row in cloud.openstack("image", "list", *J)}
    assert {"tiny", "tiny-uec", "tiny-uec-kernel", "tiny-uec-ramdisk"} <= set(images)
    assert set(images.values()) == {"active"}
    assert [row["Name"] for row in cloud.openstack("network", "list", *J)] == ["private"]
    assert cloud.openstack("subnet", "list", *J)
    assert cloud.openstack("security", "group", "list", *J)


def test_a_server_from_create_to_delete(cloud: Cloud, api: Api):
    cloud.openstack("keypair", "create", "from-cli")
    made = cloud.openstack(
        *("server", "create", "--flavor", "m1.micro", "--image", "tiny", "--network", "private"),
        *("--key-name", "from-cli", "--wait", "cli-1", *J),
    )
    assert made["status"] == "ACTIVE"
    server = made["id"]
    assert [row["Name"] for row in cloud.openstack("server", "list", *J)] == ["cli-1"]
    shown = cloud.openstack("server", "show", "cli-1", *J)
    assert re.match(r"\d+\.\d+\.\d+\.\d+", shown["addresses"]["private"][0])
    cloud.openstack("server", "stop", "cli-1")
    api.wait(server, "SHUTOFF")
    cloud.openstack("server", "start", "cli-1")
    api.wait(server)
    cloud.openstack("server", "reboot", "--hard", "cli-1")
    api.wait(server)
    wait_for("the boot log", lambda: "Linux version" in cloud.openstack("console", "log", "show", "cli-1"), 60, every=1)
    assert cloud.openstack("console", "url", "show", "--novnc", "cli-1", *J)["url"].startswith(cloud.url)
    events = {row["Action"] for row in cloud.openstack("server", "event", "list", "cli-1", *J)}
    assert {"create", "stop", "start", "reboot"} <= events
    cloud.openstack("server", "delete", "--wait", "cli-1")
    assert cloud.openstack("server", "list", *J) == []
    cloud.openstack("keypair", "delete", "from-cli")


def test_an_image_from_create_to_delete(cloud: Cloud, tmp_path):
    source = tmp_path / "disk.raw"
    source.write_bytes(bytes(range(256)) * 40_000)
    made = cloud.openstack(
        "image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", str(source), "mine", *J
    )
    shown = cloud.openstack("image", "show", made["id"], *J)
    assert (shown["status"], shown["size"]) == ("active", source.stat().st_size)
    cloud.openstack("image", "set", "--property", "os_distro=debian", "--min-ram", "64", "mine")
    assert cloud.openstack("image", "show", "mine", *J)["min_ram"] == 64
    copy = tmp_path / "copy.raw"
    cloud.openstack("image", "save", "--file", str(copy), "mine")
    assert copy.read_bytes() == source.read_bytes()
    cloud.openstack("image", "delete", "mine")
    assert cloud.openstack("image", "show", "mine", check=False).returncode != 0


def test_what_operators_ask(cloud: Cloud):
    services = {row["Binary"]: row["State"] for row in cloud.openstack("compute", "service", "list", *J, user="admin")}
    assert services == {"nova-compute": "up", "nova-conductor": "up", "nova-scheduler": "up"}
    hypervisors = cloud.openstack("hypervisor", "list", *J, user="admin")
    assert hypervisors[0]["State"] == "up"
    assert cloud.openstack("hypervisor", "show", hypervisors[0]["Hypervisor Hostname"], *J, user="admin")
    limits = {row["Name"]: row["Value"] for row in cloud.openstack("limits", "show", "--absolute", *J)}
    assert limits["instances"] == 10
    assert cloud.openstack("availability", "zone", "list", "--compute", *J)[0]["Zone Name"] == "nova"
    assert cloud.openstack("quota", "show", *J)


def test_openrc_sets_up_a_shell(cloud: Cloud):
    script = f"source {ROOT}/openrc demo demo && env | grep ^OS_ | sort"
    shown = subprocess.run(["bash", "-c", script], env=cloud.environment, capture_output=True, text=True, check=True).stdout
    assert f"OS_AUTH_URL={cloud.url}/identity/v3" in shown
    assert "OS_USERNAME=demo" in shown
    assert f"OS_PASSWORD={cloud.password('demo')}" in shown
