"""Networks, subnets and ports that people declare: what is made, what is refused, and what their hosts are told."""

import pytest

from compute.messages import COMMAND_ACTORS, unpack
from compute.network.models import Network, Port, Subnet
from compute.network.services import ports, seed
from compute.port_messages import AttachInterface, DetachInterface, SetFilters
from portal.core.models import OutboxMessage
from tests.kit.api import Row, check, matrix

V2 = "/network/v2.0"


@pytest.fixture
def world(personas):
    return seed.seed()


def make(personas, plural, who="member", **fields):
    singular = plural.removesuffix("s").replace("-", "_")
    answer = getattr(personas, who).api.post(f"{V2}/{plural}", {singular: fields})
    assert answer.status_code == 201, answer.content
    return answer.json()[singular]


def net(personas, cidr="10.9.0.0/24", **fields):
    network = make(personas, "networks", name="lab", **fields)
    return network, make(personas, "subnets", network_id=network["id"], cidr=cidr, ip_version=4)


def told(kind):
    """Return the commands of one kind that wait for their hosts, oldest first."""
    rows = OutboxMessage.objects.filter(actor=COMMAND_ACTORS[kind]).order_by("pk")
    return [(row.queue, unpack(kind, row.payload)) for row in rows]


class TestNetworks:
    def test_members_make_networks_without_a_way_out(self, personas, world):
        body = {"network": {"name": "lab", "mtu": 1400}}
        made = check(personas, *matrix("post", f"{V2}/networks", body=body, ok=201, stranger=201, weak="reader"))
        shown = made[-1].json()["network"]
        assert (shown["name"], shown["mtu"], shown["shared"], shown["subnets"]) == ("lab", 1400, False, [])
        assert Network.objects.get(pk=shown["id"]).network_type == "local"

    def test_operators_choose_how_hosts_make_it_and_open_it(self, personas, world):
        body = {"network": {"name": "wide", "shared": True, "provider:network_type": "nat"}}
        check(personas, Row("member", "post", f"{V2}/networks", 403, body))
        shown = make(personas, "networks", "admin", **body["network"])
        assert shown["provider:network_type"] == "nat"
        assert personas.member.api.get(f"{V2}/networks/{shown['id']}").json()["network"]["shared"]

    def test_what_is_refused(self, personas, world):
        for fields in (
            {"name": 7},
            {"name": "x", "no_such": 1},
            {"name": "x", "status": "DOWN"},
            {"mtu": 1},
            {"mtu": True},
            {"admin_state_up": "perhaps"},
            {"project_id": personas.stranger.ctx.project_id},
            {"name": "x" * 256},
        ):
            check(personas, Row("member", "post", f"{V2}/networks", 400, {"network": fields}))
        check(
            personas,
            Row("admin", "post", f"{V2}/networks", 400, {"network": {"provider:network_type": "vxlan"}}, kind="InvalidInput"),
            Row("admin", "post", f"{V2}/networks", 400, {"network": {"router:external": True}}),
            Row("member", "post", f"{V2}/networks", 400, {"networks": []}),
            Row("member", "post", f"{V2}/networks", 400, {"network": []}),
        )

    def test_a_network_that_others_use_stays_shared(self, personas, world):
        network = make(personas, "networks", "admin", shared=True)
        make(personas, "ports", "stranger", network_id=network["id"])
        body = {"network": {"shared": False}}
        check(personas, Row("admin", "put", f"{V2}/networks/{network['id']}", 409, body, kind="InvalidSharedSetting"))

    def test_several_are_made_together_or_not_at_all(self, personas, world):
        api = personas.member.api
        assert len(api.post(f"{V2}/networks", {"networks": [{"name": "a"}, {"name": "b"}]}).json()["networks"]) == 2
        assert api.post(f"{V2}/networks", {"networks": [{"name": "c"}, {"mtu": 1}]}).status_code == 400
        assert not Network.objects.filter(name="c").exists()

    def test_it_is_changed_and_deleted_by_its_project_alone(self, personas, world):
        network, subnet = net(personas)
        path = f"{V2}/networks/{network['id']}"
        body = {"network": {"name": "new", "admin_state_up": False}}
        changed = check(personas, *matrix("put", path, body=body, ok=200, weak="reader"))[-1].json()["network"]
        assert (changed["name"], changed["admin_state_up"], changed["subnets"]) == ("new", False, [subnet["id"]])
        check(
            personas,
            Row("member", "put", path, 403, {"network": {"shared": True}}),
            Row("member", "put", f"{V2}/networks/{world.pk}", 403, body),
            Row("member", "delete", f"{V2}/networks/{world.pk}", 403),
        )
        port = make(personas, "ports", network_id=network["id"])
        check(personas, Row("member", "delete", path, 409, says="ports still in use", kind="NetworkInUse"))
        check(personas, Row("member", "delete", f"{V2}/ports/{port['id']}", 204))
        check(personas, *matrix("delete", path, ok=204, weak="reader"), Row("member", "get", path, 404))
        assert not Subnet.objects.filter(pk=subnet["id"]).exists()


class TestSubnets:
    def test_the_gateway_comes_first_and_ports_get_the_rest(self, personas, world):
        _network, subnet = net(personas)
        assert subnet["gateway_ip"] == "10.9.0.1"
        assert subnet["allocation_pools"] == [{"start": "10.9.0.2", "end": "10.9.0.254"}]

    def test_pools_gateway_and_name_servers_are_taken_as_given(self, personas, world):
        network = make(personas, "networks")
        subnet = make(
            personas,
            "subnets",
            network_id=network["id"],
            cidr="10.9.0.5/24",
            ip_version=4,
            gateway_ip=None,
            allocation_pools=[{"start": "10.9.0.100", "end": "10.9.0.110"}],
            dns_nameservers=["192.0.2.53"],
            host_routes=[{"destination": "192.0.2.0/24", "nexthop": "10.9.0.100"}],
        )
        assert (subnet["cidr"], subnet["gateway_ip"], subnet["dns_nameservers"]) == ("10.9.0.0/24", None, ["192.0.2.53"])
        port = make(personas, "ports", network_id=network["id"])
        assert "10.9.0.100" <= port["fixed_ips"][0]["ip_address"] <= "10.9.0.110"

    def test_what_is_refused(self, personas, world):
        network, _subnet = net(personas)
        common = {"network_id": network["id"], "ip_version": 4}
        free = "10.8.0.0/24"
        for fields, kind in (
            ({"cidr": free, "dns_nameservers": ["192.0.2.53"] * 2}, "HTTPBadRequest"),
            ({"cidr": free, "ip_version": None}, "HTTPBadRequest"),
            ({"cidr": free, "network_id": "lab"}, "HTTPBadRequest"),
            ({"cidr": "10.9.0.128/25"}, "InvalidInput"),
            ({"cidr": str(world.subnets.get().cidr)}, "InvalidInput"),
            ({"cidr": "banana"}, "HTTPBadRequest"),
            ({"cidr": "10.8.0.1"}, "HTTPBadRequest"),
            ({"cidr": "10.8.0.0/31"}, "InvalidInput"),
            ({"cidr": "224.0.0.0/24"}, "InvalidInput"),
            ({"cidr": "2001:db8::/64", "ip_version": 6}, "HTTPBadRequest"),
            ({"cidr": free, "gateway_ip": "10.7.0.1"}, "InvalidInput"),
            ({"cidr": free, "allocation_pools": [{"start": "10.8.0.9", "end": "10.8.0.2"}]}, "InvalidAllocationPool"),
            ({"cidr": free, "allocation_pools": [{"start": "10.8.0.2", "end": "10.8.1.9"}]}, "OutOfBoundsAllocationPool"),
            ({"cidr": free, "dns_nameservers": ["me"]}, "HTTPBadRequest"),
            ({"cidr": free, "host_routes": [{"destination": "x", "nexthop": "10.8.0.1"}]}, "HTTPBadRequest"),
            ({}, "HTTPBadRequest"),
        ):
            check(personas, Row("member", "post", f"{V2}/subnets", 400, {"subnet": {**common, **fields}}, kind=kind))
        overlapping = [{"start": "10.8.0.2", "end": "10.8.0.9"}, {"start": "10.8.0.9", "end": "10.8.0.12"}]
        with_gateway = [{"start": "10.8.0.1", "end": "10.8.0.9"}]
        for pools, kind in ((overlapping, "OverlappingAllocationPools"), (with_gateway, "GatewayConflictWithAllocationPools")):
            body = {"subnet": {**common, "cidr": free, "allocation_pools": pools}}
            check(personas, Row("member", "post", f"{V2}/subnets", 409, body, kind=kind))
        elsewhere = {"subnet": {"network_id": world.pk, "cidr": "10.8.0.0/24", "ip_version": 4}}
        check(personas, Row("member", "post", f"{V2}/subnets", 403, elsewhere))
        hidden = {"subnet": {**common, "cidr": "10.8.0.0/24"}}
        check(personas, Row("stranger", "post", f"{V2}/subnets", 404, hidden))

    def test_it_is_changed_and_deleted_unless_a_port_has_an_address(self, personas, world):
        network, subnet = net(personas)
        path = f"{V2}/subnets/{subnet['id']}"
        body = {"subnet": {"name": "n", "enable_dhcp": False, "dns_nameservers": ["192.0.2.1"], "gateway_ip": "10.9.0.1"}}
        changed = check(personas, *matrix("put", path, body=body, ok=200, weak="reader"))[-1].json()["subnet"]
        assert (changed["name"], changed["enable_dhcp"]) == ("n", False)
        port = make(personas, "ports", network_id=network["id"])
        taken = {"subnet": {"gateway_ip": port["fixed_ips"][0]["ip_address"]}}
        check(
            personas,
            Row("member", "put", path, 400, {"subnet": {"cidr": "10.8.0.0/24"}}),
            Row("member", "put", path, 409, taken, kind="GatewayIpInUse"),
            Row("member", "delete", path, 409, says="IP allocation", kind="SubnetInUse"),
            Row("member", "delete", f"{V2}/ports/{port['id']}", 204),
        )
        check(personas, *matrix("delete", path, ok=204, weak="reader"))


class TestPorts:
    def test_a_port_has_an_address_and_the_default_group(self, personas, world):
        body = {"port": {"network_id": world.pk, "name": "p"}}
        port = check(personas, *matrix("post", f"{V2}/ports", body=body, ok=201, stranger=201, weak="reader"))[-1].json()[
            "port"
        ]
        assert port["fixed_ips"][0]["subnet_id"] == world.subnets.get().pk
        assert (port["device_id"], port["status"], port["port_security_enabled"]) == ("", "DOWN", True)
        (group,) = port["security_groups"]
        assert personas.member.api.get(f"{V2}/security-groups/{group}").json()["security_group"]["name"] == "default"

    def test_on_ones_own_network_everything_can_be_chosen(self, personas, world):
        network, subnet = net(personas)
        port = make(
            personas,
            "ports",
            network_id=network["id"],
            mac_address="FA:16:3E:00:00:01",
            fixed_ips=[{"ip_address": "10.9.0.77"}, {"subnet_id": subnet["id"]}],
            security_groups=[],
            allowed_address_pairs=[{"ip_address": "10.9.0.200"}],
            device_id="thing",
            device_owner="test:thing",
        )
        assert port["mac_address"] == "fa:16:3e:00:00:01"
        assert next(item["ip_address"] for item in port["fixed_ips"]) == "10.9.0.77"
        assert len(port["fixed_ips"]) == 2
        assert port["security_groups"] == []
        assert port["allowed_address_pairs"] == [{"ip_address": "10.9.0.200", "mac_address": "fa:16:3e:00:00:01"}]

    def test_only_compute_plugs_a_port_into_a_server(self, personas, world):
        network, _subnet = net(personas)
        server_id = "8b9f4f6c-3f5e-4d0e-9f77-0f6d2f6a1b2c"
        wish = {"port": {"network_id": network["id"], "device_id": server_id}}
        made = make(personas, "ports", network_id=network["id"])
        (plugged,) = ports.allocate(
            ctx=personas.member.ctx,
            project_id=personas.lab.pk,
            device_id="d1",
            networks=[{"uuid": network["id"]}],
            host="host-1",
        )
        check(
            personas,
            Row("member", "post", f"{V2}/ports", 403, wish),
            Row("member", "put", f"{V2}/ports/{made['id']}", 403, {"port": {"device_id": server_id}}),
            Row("member", "put", f"{V2}/ports/{plugged.pk}", 409, {"port": {"device_id": ""}}, kind="PortInUse"),
            Row("member", "put", f"{V2}/ports/{plugged.pk}", 409, {"port": {"device_owner": ""}}),
            Row("member", "put", f"{V2}/ports/{plugged.pk}", 200, {"port": {"name": "renamed"}}),
            Row(
                "admin",
                "put",
                f"{V2}/ports/{plugged.pk}",
                409,
                {"port": {"mac_address": "fa:16:3e:00:00:09"}},
                kind="PortBound",
            ),
        )

    def test_on_a_shared_network_members_take_what_they_get(self, personas, world):
        address = str(world.subnets.get().range[77])
        for fields in (
            {"mac_address": "fa:16:3e:00:00:01"},
            {"fixed_ips": [{"ip_address": address}]},
            {"port_security_enabled": False},
            {"allowed_address_pairs": [{"ip_address": "10.9.0.200"}]},
            {"binding:host_id": "host-1"},
            {"device_owner": "network:dhcp"},
        ):
            body = {"port": {"network_id": world.pk, **fields}}
            check(personas, Row("member", "post", f"{V2}/ports", 403, body))
            assert personas.admin.api.post(f"{V2}/ports", body).status_code == 201, fields

    def test_what_is_refused(self, personas, world):
        network, subnet = net(personas)
        made = make(personas, "ports", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
        taken = made["fixed_ips"][0]["ip_address"]
        other = world.subnets.get().pk
        pair, unfiltered = {"ip_address": "10.9.0.9"}, {"port_security_enabled": False}
        many = [{"ip_address": f"10.9.0.{number}"} for number in range(20, 31)]
        rows = (
            (400, {"mac_address": "01:00:00:00:00:01"}, "HTTPBadRequest"),
            (400, {"mac_address": "x"}, "HTTPBadRequest"),
            (400, {"network_id": "lab"}, "HTTPBadRequest"),
            (400, {"fixed_ips": [{"subnet_id": "lab"}]}, "HTTPBadRequest"),
            (400, {"security_groups": ["default"]}, "HTTPBadRequest"),
            (409, {"mac_address": "fa:16:3e:00:00:01"}, "MacAddressInUse"),
            (409, {"fixed_ips": [{"ip_address": taken}]}, "IpAddressAlreadyAllocated"),
            (400, {"fixed_ips": [{"ip_address": "10.9.0.1"}]}, "InvalidIpForSubnet"),
            (400, {"fixed_ips": [{"ip_address": "10.10.0.9"}]}, "InvalidIpForNetwork"),
            (400, {"fixed_ips": [{"ip_address": "10.10.0.9", "subnet_id": subnet["id"]}]}, "InvalidIpForSubnet"),
            (400, {"fixed_ips": [{"ip_address": "fe80::1"}]}, "HTTPBadRequest"),
            (400, {"fixed_ips": [{"subnet_id": other}]}, "InvalidInput"),
            (400, {"fixed_ips": [{}]}, "InvalidInput"),
            (400, {"fixed_ips": [{"subnet_id": subnet["id"]}] * 6}, "InvalidInput"),
            (404, {"security_groups": ["00000000-0000-4000-8000-000000000000"]}, "SecurityGroupNotFound"),
            (400, {"allowed_address_pairs": [{"ip_address": "all"}]}, "HTTPBadRequest"),
            (400, {"allowed_address_pairs": [pair] * 2}, "DuplicateAddressPairInRequest"),
            (400, {"allowed_address_pairs": many}, "AllowedAddressPairExhausted"),
            (409, {**unfiltered, "allowed_address_pairs": [pair]}, "AddressPairAndPortSecurityRequired"),
            (400, {**unfiltered, "security_groups": made["security_groups"]}, "PortSecurityAndIPRequiredForSecurityGroups"),
            (400, {"binding:vnic_type": "direct"}, "HTTPBadRequest"),
        )
        for status, fields, kind in rows:
            body = {"port": {"network_id": network["id"], **fields}}
            check(personas, Row("member", "post", f"{V2}/ports", status, body, kind=kind))
        check(personas, Row("stranger", "post", f"{V2}/ports", 404, {"port": {"network_id": network["id"]}}))

    def test_a_port_is_not_unfiltered_while_it_has_groups(self, personas, world):
        network, _subnet = net(personas)
        port = make(personas, "ports", network_id=network["id"])
        assert port["security_groups"]
        path, off = f"{V2}/ports/{port['id']}", {"port_security_enabled": False}
        check(
            personas,
            Row("member", "put", path, 409, {"port": off}, kind="PortSecurityPortHasSecurityGroup"),
            Row("member", "put", path, 200, {"port": {**off, "security_groups": []}}),
            Row("member", "put", path, 200, {"port": {"port_security_enabled": True}}),
        )
        port = personas.member.api.get(path).json()["port"]
        assert (port["port_security_enabled"], port["security_groups"]) == (True, [])

    def test_a_range_that_is_full_gives_no_more(self, personas, world):
        network, _subnet = net(personas, cidr="10.9.0.0/30")
        body = {"port": {"network_id": network["id"]}}
        check(
            personas,
            Row("member", "post", f"{V2}/ports", 201, body),
            Row("member", "post", f"{V2}/ports", 409, body, kind="IpAddressGenerationFailure"),
        )

    def test_what_serves_a_network_goes_with_it_or_before(self, personas, world):
        network, _subnet = net(personas)
        serving, other = (
            make(personas, "ports", network_id=network["id"], device_owner=f"network:{word}") for word in ("dhcp", "foo")
        )
        path = f"{V2}/networks/{network['id']}"
        check(
            personas,
            Row("member", "delete", path, 409, kind="NetworkInUse"),
            Row("member", "delete", f"{V2}/ports/{other['id']}", 204),
            Row("member", "delete", path, 204),
            Row("member", "get", f"{V2}/ports/{serving['id']}", 404),
        )

    def test_addresses_are_kept_replaced_and_given(self, personas, world):
        network, subnet = net(personas)
        port = make(personas, "ports", network_id=network["id"], fixed_ips=[{"ip_address": "10.9.0.50"}])
        path = f"{V2}/ports/{port['id']}"

        def change(*items):
            answer = personas.member.api.put(path, {"port": {"fixed_ips": list(items)}})
            assert answer.status_code == 200, answer.content
            return [item["ip_address"] for item in answer.json()["port"]["fixed_ips"]]

        assert change({"subnet_id": subnet["id"]}, {"ip_address": "10.9.0.60"}) == ["10.9.0.50", "10.9.0.60"]
        assert change({"ip_address": "10.9.0.60"}) == ["10.9.0.60"]
        assert change() == []

    def test_it_is_changed_and_deleted_by_its_project_alone(self, personas, world):
        port = make(personas, "ports", network_id=world.pk)
        path = f"{V2}/ports/{port['id']}"
        body = {"port": {"name": "n", "admin_state_up": False, "security_groups": []}}
        changed = check(personas, *matrix("put", path, body=body, ok=200, weak="reader"))[-1].json()["port"]
        assert (changed["name"], changed["security_groups"]) == ("n", [])
        check(personas, *matrix("delete", path, ok=204, weak="reader"))


class TestWhatHostsAreTold:
    @pytest.fixture
    def port(self, personas, world):
        """A port of a device that runs on host-1."""
        ctx = personas.member.ctx
        (port,) = ports.allocate(ctx=ctx, project_id=ctx.project_id, device_id="d1", networks=None)
        ports.bind("d1", "host-1", up=True)
        return Port.objects.get(pk=port.pk)

    def test_other_groups_are_told_at_once_and_with_a_higher_revision(self, personas, port):
        group = make(personas, "security-groups", name="web")
        path = f"{V2}/ports/{port.pk}"
        check(personas, Row("member", "put", path, 200, {"port": {"security_groups": [group["id"]]}}))
        check(personas, Row("member", "put", path, 200, {"port": {"security_groups": []}}))

        first, second = (command for queue, command in told(SetFilters) if queue == "compute.host-1")
        assert first.ports[0].groups == [group["id"]]
        assert second.ports[0].groups == []
        assert second.ports[0].revision > first.ports[0].revision
        (members,) = (one.members for one in first.groups if one.id == group["id"])
        assert members == [port.fixed_addresses.get().address]

    def test_a_new_address_reaches_the_guest_and_the_members_of_its_group(self, personas, port):
        address = str(port.network.subnets.get().range[200])
        fixed = [{"ip_address": port.fixed_addresses.get().address}, {"ip_address": address}]
        check(personas, Row("admin", "put", f"{V2}/ports/{port.pk}", 200, {"port": {"fixed_ips": fixed}}))

        ((queue, plug),) = told(AttachInterface)
        assert queue == "compute.host-1"
        assert address in plug.interface.addresses
        assert any(address in group.members for _queue, command in told(SetFilters) for group in command.groups)

    def test_deleting_the_port_takes_the_card_out(self, personas, port):
        check(personas, Row("member", "delete", f"{V2}/ports/{port.pk}", 204))

        ((queue, unplug),) = told(DetachInterface)
        assert (queue, unplug.server_id, unplug.port_id) == ("compute.host-1", "d1", port.pk)

    def test_a_port_without_a_host_concerns_nobody(self, personas, world):
        group = make(personas, "security-groups", name="web")
        make(personas, "ports", network_id=world.pk, security_groups=[group["id"]])
        assert told(SetFilters) == []
