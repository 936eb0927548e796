"""The unmodified ``openstack`` command on networks, subnets, ports, security groups and the cards of a server."""

from collections.abc import Iterator

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.e2e.shell import Shell
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def openstack(cloud: Cloud) -> Iterator[Shell]:
    shell = Shell(cloud, "demo", "demo")
    yield shell
    shell.close()


def test_networks_and_subnets(openstack: Shell):
    network = openstack("network create lab --mtu 1400 --description d")
    assert (network["name"], network["mtu"], network["shared"]) == ("lab", 1400, False)
    subnet = openstack(
        "subnet create lab-v4 --network lab --subnet-range 10.9.0.0/24 --dns-nameserver 192.0.2.53 "
        "--allocation-pool start=10.9.0.10,end=10.9.0.99"
    )
    assert subnet["allocation_pools"] == [{"start": "10.9.0.10", "end": "10.9.0.99"}]
    openstack("network set lab --name lab2 --disable")
    openstack("network set lab2 --enable")
    openstack("subnet set lab-v4 --name v4 --no-dhcp")
    assert openstack("network show lab2")["subnets"] == [subnet["id"]]
    assert openstack("subnet show v4")["enable_dhcp"] is False
    assert {row["Name"] for row in openstack("network list")} == {"private", "lab2"}
    assert [row["Subnet"] for row in openstack("subnet list --network lab2")] == ["10.9.0.0/24"]

    port = openstack("port create p1 --network lab2 --fixed-ip subnet=v4,ip-address=10.9.0.20")
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.9.0.20"}]
    openstack("port set p1 --name p2 --disable --no-security-group")
    assert openstack("port show p2")["security_group_ids"] == []
    assert [row["Name"] for row in openstack("port list --network lab2")] == ["p2"]
    openstack("port delete p2")
    openstack("subnet delete v4")
    openstack("network delete lab2")
    assert {row["Name"] for row in openstack("network list")} == {"private"}


def test_security_groups_and_their_rules(openstack: Shell):
    group = openstack("security group create web --description d")
    assert len(group["rules"]) == 2
    rule = openstack("security group rule create web --protocol tcp --dst-port 80:81 --remote-ip 192.0.2.0/24")
    assert (rule["port_range_min"], rule["port_range_max"], rule["direction"]) == (80, 81, "ingress")
    openstack("security group rule create web --protocol icmp --remote-group web")
    openstack("security group rule create web --egress --ethertype IPv6 --protocol udp")
    assert len(openstack("security group rule list web")) == 5
    assert openstack(f"security group rule show {rule['id']}")["remote_ip_prefix"] == "192.0.2.0/24"
    openstack(f"security group rule delete {rule['id']}")
    openstack("security group set web --name www")
    assert openstack("security group show www")["name"] == "www"
    assert {row["Name"] for row in openstack("security group list")} == {"default", "www"}
    openstack("security group delete www")
    assert {row["Name"] for row in openstack("security group list")} == {"default"}


def test_operators_declare_networks_and_limits(cloud: Cloud):
    admin = Shell(cloud)
    try:
        wide = admin("network create wide --share --provider-network-type nat")
        assert (wide["shared"], wide["provider:network_type"]) == (True, "nat")
        admin("network delete wide")
        admin("quota set --networks 7 --secgroups 8 demo")
        limits = {row["Resource"]: row["Limit"] for row in admin("quota show demo --network")}
        assert (limits["networks"], limits["security_groups"], limits["ports"]) == (7, 8, 500)
    finally:
        admin.close()


def test_cards_and_groups_of_a_server(cloud: Cloud, openstack: Shell):
    api = Api(cloud)
    server_id = api.create("web")
    api.wait(server_id)
    openstack("network create back")
    openstack("subnet create back4 --network back --subnet-range 10.9.1.0/24")
    openstack("security group create web")

    openstack("server add security group web web")
    openstack("server add network web back")
    openstack("port create own --network back")
    openstack("server add port web own")
    addresses = wait_for("three cards", lambda: _addresses(api, server_id, 3), 30)
    assert set(addresses) == {"private", "back"}
    wait_for("all of them up", lambda: _states(api, server_id) == {"ACTIVE"}, 30)
    assert {group["name"] for group in api.server(server_id)["security_groups"]} == {"default", "web"}

    openstack("server remove port web own")
    openstack("server remove network web back")
    wait_for("one card", lambda: _addresses(api, server_id, 1), 30)
    openstack("server remove security group web web")
    assert openstack("port show own")["device_id"] == ""
    events = {row["Action"] for row in openstack("server event list web")}
    assert {"attach_interface", "detach_interface"} <= events
    api.delete(server_id)
    openstack("port delete own")
    openstack("network delete back")
    openstack("security group delete web")


def _addresses(api: Api, server_id: str, number: int) -> dict[str, list[dict[str, str]]] | None:
    found = api.server(server_id)["addresses"]
    return found if sum(len(items) for items in found.values()) == number else None


def _states(api: Api, server_id: str) -> set[str]:
    listed = api.http.get(f"/compute/v2.1/servers/{server_id}/os-interface").json()["interfaceAttachments"]
    return {card["port_state"] for card in listed}
