"""The unmodified ``openstack`` command on servers and server groups, on a pretended host."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.shell import Shell, names

pytestmark = pytest.mark.real

NEWEST, OLDER = "2.104", "2.56"


@pytest.fixture(scope="module")
def openstack(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, compute=NEWEST)
    try:
        yield shell
    finally:
        shell.close()


@pytest.fixture(scope="module")
def older(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, compute=OLDER)
    try:
        yield shell
    finally:
        shell.close()


@pytest.fixture
def plain(openstack: Shell) -> Iterator[dict[str, Any]]:
    """A server as most are."""
    made = openstack("server create --flavor m1.micro --image tiny --network private --wait plain")
    yield made
    openstack("server delete --wait plain")


def test_a_server_is_created_with_everything_that_can_be_said(openstack: Shell, cloud: Cloud):
    file = cloud.state / "user-data"
    file.write_text("#!/bin/sh\nexit 0\n")
    openstack("flavor create roomy --id roomy --ram 128 --disk 1 --ephemeral 1 --swap 64")
    private_key = cloud.state / "for-all"
    openstack.run(f"keypair create for-all --private-key {private_key}")
    group = openstack("server group create --policy soft-anti-affinity spread")
    host = openstack("hypervisor list")[0]["Hypervisor Hostname"]

    made = openstack(
        f"server create --flavor roomy --image tiny --network private --key-name for-all --user-data {file}"
        " --property role=web --property tier=1 --description 'says much' --hostname web.example.org --tag blue --tag web"
        f" --security-group default --server-group spread --hint query=none --host {host} --swap 64 --ephemeral size=1"
        " --use-config-drive --password pw-of-the-server --wait full"
    )
    try:
        shown = openstack(f"server show {made['id']}")
        assert shown["status"] == "ACTIVE"
        assert shown["properties"] == {"role": "web", "tier": "1"}
        assert (shown["description"], shown["OS-EXT-SRV-ATTR:hostname"]) == ("says much", "web.example.org")
        assert sorted(shown["tags"]) == ["blue", "web"]
        assert shown["server_groups"] == [group["id"]]
        assert shown["scheduler_hints"] == {"group": group["id"], "query": "none"}
        assert (shown["key_name"], shown["config_drive"]) == ("for-all", "True")
        assert shown["OS-EXT-SRV-ATTR:host"] == host
        assert made["adminPass"] == "pw-of-the-server"
        assert openstack("server group show spread")["members"] == [made["id"]]
    finally:
        openstack("server delete --wait full")
        openstack("server group delete spread")
        openstack("flavor delete roomy")
        openstack("keypair delete for-all")


def test_older_clients_name_a_zone_and_a_host(older: Shell):
    host = older("hypervisor list")[0]["Hypervisor Hostname"]
    made = older(f"server create --flavor m1.micro --image tiny --availability-zone nova:{host} --min 2 --max 2 --wait pair")
    assert made["name"] == "pair-1"
    refused = older.run("server create --flavor m1.micro --image tiny --availability-zone nowhere no")
    assert "The requested availability zone is not available" in refused["err"]
    older("server delete --wait pair-1 pair-2")


def test_servers_are_listed_by_every_filter(openstack: Shell, plain: dict[str, Any]):
    address = plain["addresses"]["private"][0].replace(".", "[.]")
    host = plain["OS-EXT-SRV-ATTR:host"]
    finding = (
        "--name ^pla",
        "--status ACTIVE",
        "--flavor m1.micro",
        "--image tiny",
        f"--ip ^{address}$",
        f"--host {host}",
        "--availability-zone nova",
        "--vm-state active",
        "--power-state running",
        "--unlocked",
        "--all-projects",
        "--project admin",
        "--user admin",
        "--changes-since 2020-01-01T00:00:00Z",
        "--changes-before 2099-01-01T00:00:00Z",
        f"--reservation-id {plain['OS-EXT-SRV-ATTR:reservation_id']}",
        "--limit 5",
        "--long",
        "--no-name-lookup",
    )
    for words in finding:
        assert "plain" in names(openstack(f"server list {words}")), words
    missing = ("--name ^other", "--status SHUTOFF", "--flavor m1.large", "--ip ^192.0.2.1$", "--host other", "--locked")
    for words in (*missing, "--vm-state stopped", "--changes-before 2001-01-01T00:00:00Z"):
        assert "plain" not in names(openstack(f"server list {words}")), words


def test_a_server_is_changed_and_changed_back(openstack: Shell, plain: dict[str, Any]):
    openstack("server set --property role=db --tag a --tag b --description new --hostname other plain")
    shown = openstack("server show plain")
    assert (shown["properties"], shown["description"]) == ({"role": "db"}, "new")
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "other"
    assert sorted(shown["tags"]) == ["a", "b"]
    assert "plain" in names(openstack("server list --tags a"))
    assert "plain" not in names(openstack("server list --not-tags a"))

    openstack("server unset --property role --tag a --description plain")
    shown = openstack("server show plain")
    assert (shown["properties"], shown["tags"], shown["description"]) == ({}, ["b"], "")
    openstack("server set --name renamed plain")
    openstack("server set --name plain renamed")
    openstack("server set --pinned-availability-zone nova plain")
    assert openstack("server show plain")["pinned_availability_zone"] == "nova"
    openstack("server unset --pinned-availability-zone plain")
    assert openstack("server show plain")["pinned_availability_zone"] is None


def test_counters_topology_and_what_was_done(openstack: Shell, plain: dict[str, Any]):
    assert openstack("server show --diagnostics plain")["cpu_details"][0]["time"] > 0
    assert openstack("server show --topology plain")["topology"] == {"nodes": [], "pagesize_kb": None}
    (event,) = openstack("server event list plain")
    assert event["Action"] == "create"
    shown = openstack(f"server event show plain {event['Request ID']}")
    assert shown["events"]


def test_server_groups(openstack: Shell, older: Shell):
    together = older("server group create --policy affinity together")
    apart = openstack("server group create --policy anti-affinity --rule max_server_per_host=2 apart")
    assert "affinity" in together["policies"]
    assert (apart["policy"], apart["rules"]) == ("anti-affinity", {"max_server_per_host": 2})
    assert {"together", "apart"} <= names(openstack("server group list"))
    assert {"together", "apart"} <= names(openstack("server group list --long --all-projects"))
    openstack("server group delete together apart")
    assert not {"together", "apart"} & names(openstack("server group list"))
