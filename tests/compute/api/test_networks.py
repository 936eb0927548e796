"""What compute answers about networks: cards of a server, its groups, and the proxies of the network service."""

import pytest

from compute.models import Server
from compute.network.models import Port
from compute.network.services import networks, subnets
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix

V21 = "/compute/v2.1"
MADE_UP = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def lab(personas, cloud):
    """A second network of the member's project."""
    ctx = personas.member.ctx
    network = networks.create(ctx=ctx, values={"name": "lab"})
    subnets.create(ctx=ctx, network=network, values={"cidr": "10.9.0.0/24"})
    return network


def server_path(cloud, part):
    return f"{V21}/servers/{cloud.server.pk}/{part}"


def attachment(**fields):
    return {"interfaceAttachment": fields}


class TestInterfaces:
    def test_a_card_is_attached_shown_and_detached(self, personas, cloud, lab, sent):
        path = server_path(cloud, "os-interface")
        body = attachment(net_id=lab.pk, fixed_ips=[{"ip_address": "10.9.0.77"}])
        made = check(personas, *matrix("post", path, body=body, ok=200, weak="reader"))[-1].json()["interfaceAttachment"]
        assert made["fixed_ips"][0]["ip_address"] == "10.9.0.77"
        assert (made["net_id"], made["port_state"]) == (lab.pk, "DOWN")
        assert set(made) == {"port_id", "net_id", "mac_addr", "port_state", "fixed_ips"}
        assert "compute.attach_interface" in sent()
        Port.objects.filter(pk=made["port_id"]).update(plug="", status="ACTIVE")
        listed = personas.member.api.get(path).json()["interfaceAttachments"]
        assert made["port_id"] in [one["port_id"] for one in listed]

        one = f"{path}/{made['port_id']}"
        check(personas, *matrix("get", one, ok=200), *matrix("delete", one, ok=202, weak="reader"))
        check(personas, Row("member", "delete", f"{path}/{MADE_UP}", 404))
        assert "compute.detach_interface" in sent()

    def test_tags_come_with_2_49_and_are_shown_from_2_70(self, personas, cloud, lab):
        path = server_path(cloud, "os-interface")
        tagged = attachment(net_id=lab.pk, tag="back")
        shown = check(
            personas,
            Row("member", "post", path, 400, tagged, "2.48"),
            Row("member", "post", path, 400, attachment(net_id=lab.pk, tag="a/b"), "2.49"),
            Row("member", "post", path, 200, tagged, "2.70"),
        )[-1].json()["interfaceAttachment"]
        assert shown["tag"] == "back"

    def test_what_is_refused(self, personas, cloud, lab):
        path = server_path(cloud, "os-interface")
        port = Port.objects.get(device_id=cloud.server.pk)
        foreign = Port.objects.get(device_id=cloud.foreign.pk)
        for status, fields in (
            (400, {}),
            (400, {"net_id": lab.pk, "port_id": port.pk}),
            (400, {"fixed_ips": [{"ip_address": "10.9.0.7"}]}),
            (400, {"net_id": lab.pk, "fixed_ips": [{"ip_address": "x"}]}),
            (400, {"net_id": lab.pk, "fixed_ips": []}),
            (400, {"net_id": "x"}),
            (400, {"net_id": lab.pk, "more": 1}),
            (404, {"net_id": MADE_UP}),
            (404, {"port_id": MADE_UP}),
            (404, {"port_id": foreign.pk}),
            (409, {"port_id": port.pk}),
        ):
            check(personas, Row("member", "post", path, status, attachment(**fields)))
        Server.objects.filter(pk=cloud.server.pk).update(vm_state="error")
        says = f"Cannot 'attach_interface' instance {cloud.server.pk} while it is in vm_state error"
        check(personas, Row("member", "post", path, 409, attachment(net_id=lab.pk), says=says))

    def test_without_a_body_the_one_network_is_taken(self, personas, cloud):
        check(personas, Row("member", "post", server_path(cloud, "os-interface"), 200, {}))
        assert Port.objects.filter(device_id=cloud.server.pk).count() == 2


class TestActions:
    def test_addresses_until_2_43(self, personas, cloud):
        path = server_path(cloud, "action")
        port = Port.objects.get(device_id=cloud.server.pk)
        add = {"addFixedIp": {"networkId": port.network_id}}
        check(
            personas,
            *matrix("post", path, body=add, ok=202, weak="reader", malformed=[{"addFixedIp": {}}, {"addFixedIp": None}]),
            Row("member", "post", path, 404, add, "2.44"),
            Row("member", "post", path, 404, {"addFixedIp": {"networkId": MADE_UP}}),
        )
        address = port.fixed_addresses.last().address
        remove = {"removeFixedIp": {"address": address}}
        check(
            personas,
            *matrix("post", path, body=remove, ok=202, weak="reader", malformed=[{"removeFixedIp": {"address": "x"}}]),
            Row("member", "post", path, 400, remove),
            Row("member", "post", path, 404, remove, "2.44"),
        )
        assert port.fixed_addresses.count() == 1

    def test_groups(self, personas, cloud):
        path, parts = server_path(cloud, "action"), server_path(cloud, "os-security-groups")
        made = personas.member.api.post("/network/v2.0/security-groups", {"security_group": {"name": "web"}})
        assert made.status_code == 201
        for verb, names in (("addSecurityGroup", ["default", "web"]), ("removeSecurityGroup", ["default"])):
            body = {verb: {"name": "web"}}
            bad = [{verb: {}}, {verb: {"name": ""}}, {verb: {"name": "web", "more": 1}}]
            check(personas, *matrix("post", path, body=body, ok=202, weak="reader", malformed=bad))
            check(personas, Row("member", "post", path, 404, {verb: {"name": "no such"}}))
            shown = personas.member.api.get(parts).json()["security_groups"]
            assert [group["name"] for group in shown] == names
        check(personas, Row("member", "post", path, 404, {"removeSecurityGroup": {"name": "web"}}))

    def test_floating_ips_are_not_found(self, personas, cloud):
        path = server_path(cloud, "action")
        for verb in ("addFloatingIp", "removeFloatingIp"):
            body = {verb: {"address": "192.0.2.7"}}
            check(
                personas,
                *matrix("post", path, body=body, ok=404, weak="reader", malformed=[{verb: {}}, {verb: {"address": "x"}}]),
            )
        elsewhere = {"addFloatingIp": {"address": "192.0.2.7", "fixed_address": "192.0.2.8"}}
        bare = make_server(personas.member.ctx, address=False)
        check(
            personas,
            Row("member", "post", path, 400, elsewhere),
            Row("member", "post", f"{V21}/servers/{bare.pk}/action", 400, {"addFloatingIp": {"address": "192.0.2.7"}}),
        )


class TestSecurityGroups:
    GROUPS, RULES = f"{V21}/os-security-groups", f"{V21}/os-security-group-rules"

    @pytest.fixture
    def group(self, personas):
        body = {"security_group": {"name": "web", "description": "d"}}
        return personas.member.api.post(self.GROUPS, body).json()["security_group"]

    def test_a_group_is_made_listed_changed_and_deleted(self, personas, db):
        body = {"security_group": {"name": "web", "description": "d"}}
        malformed = [{}, {"security_group": {"name": "x"}}, {"security_group": {"name": "x" * 256, "description": ""}}]
        rows = matrix("post", self.GROUPS, body=body, ok=200, stranger=200, weak="reader", malformed=malformed)
        made = check(personas, *rows)[-1].json()["security_group"]
        assert set(made) == {"id", "name", "description", "tenant_id", "rules"}
        path = f"{self.GROUPS}/{made['id']}"
        names = [one["name"] for one in personas.member.api.get(self.GROUPS).json()["security_groups"]]
        assert names == ["default", "web"]
        everything = personas.admin.api.get(f"{self.GROUPS}?all_tenants=1").json()["security_groups"]
        assert {one["name"] for one in everything} >= {"default", "web"}
        assert len(personas.member.api.get(f"{self.GROUPS}?limit=1&offset=1").json()["security_groups"]) == 1
        changed = {"security_group": {"name": "new", "description": ""}}
        check(
            personas,
            *matrix("get", path, ok=200),
            *matrix("put", path, body=changed, ok=200, weak="reader", malformed=[{}]),
            *matrix("delete", path, ok=202, weak="reader"),
            Row("member", "get", path, 404),
            Row("member", "get", f"{self.GROUPS}/not-a-uuid", 400),
            Row("member", "get", self.GROUPS, 404, version="2.36"),
            Row("member", "get", f"{self.GROUPS}?offset=x", 400),
        )

    def test_the_default_group_stays(self, personas, db):
        (default,) = personas.member.api.get(self.GROUPS).json()["security_groups"]
        check(personas, Row("member", "delete", f"{self.GROUPS}/{default['id']}", 400))

    @pytest.mark.parametrize(
        ("status", "fields"),
        [
            (200, {"ip_protocol": "TCP", "from_port": "22", "to_port": 22}),
            (200, {"ip_protocol": "icmp", "from_port": -1, "to_port": -1, "cidr": "192.0.2.0/24"}),
            (200, {"ip_protocol": "udp", "from_port": 1, "to_port": 65535, "cidr": "2001:db8::/64"}),
            (400, {}),
            (400, {"ip_protocol": "gre", "from_port": 1, "to_port": 2}),
            (400, {"ip_protocol": "tcp", "from_port": 2, "to_port": 1}),
            (400, {"ip_protocol": "tcp", "from_port": 0, "to_port": 1}),
            (400, {"ip_protocol": "tcp", "from_port": 1, "to_port": 65536}),
            (400, {"ip_protocol": "tcp", "from_port": "a", "to_port": 2}),
            (400, {"ip_protocol": "tcp"}),
            (400, {"ip_protocol": "icmp", "from_port": 256, "to_port": 0}),
            (400, {"ip_protocol": "tcp", "from_port": 1, "to_port": 2, "cidr": "x"}),
            (404, {"ip_protocol": "tcp", "from_port": 1, "to_port": 2, "parent_group_id": MADE_UP}),
            (400, {"ip_protocol": "tcp", "from_port": 1, "to_port": 2, "parent_group_id": "x"}),
            (404, {"group_id": MADE_UP}),
        ],
    )
    def test_what_a_rule_may_say(self, personas, group, status, fields):
        body = {"security_group_rule": {"parent_group_id": group["id"], **fields}}
        check(personas, Row("member", "post", self.RULES, status, body))

    def test_rules_come_from_ranges_and_groups_and_go(self, personas, group):
        tcp = {"parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
        body = {"security_group_rule": tcp}
        rows = matrix("post", self.RULES, body=body, ok=200, weak="reader", malformed=[{}, {"security_group_rule": {}}])
        rule = check(personas, *rows)[-1].json()["security_group_rule"]
        assert rule["ip_range"] == {"cidr": "0.0.0.0/0"}
        assert (rule["from_port"], rule["to_port"], rule["group"]) == (22, 22, {})
        check(personas, Row("member", "post", self.RULES, 400, body, says="already exists"))
        inside = {"security_group_rule": {"parent_group_id": group["id"], "group_id": group["id"]}}
        shown = check(personas, Row("member", "post", self.RULES, 200, inside))[0].json()["security_group_rule"]
        assert shown["group"] == {"name": "web", "tenant_id": personas.member.ctx.project_id}
        path = f"{self.RULES}/{rule['id']}"
        check(
            personas,
            *matrix("delete", path, ok=202, weak="reader"),
            Row("member", "delete", path, 404),
            Row("member", "delete", f"{self.RULES}/x", 400),
        )


class TestProxies:
    def test_networks(self, personas, cloud, lab):
        for plural, extra in (("os-networks", "cidr"), ("os-tenant-networks", "cidr")):
            path = f"{V21}/{plural}"
            shown = check(personas, *matrix("get", path, ok=200, stranger=200, weak="nobody"))[-1].json()["networks"]
            assert {one["label"] for one in shown} == {"private", "lab"}
            assert extra in shown[0]
            check(
                personas,
                *matrix("get", f"{path}/{lab.pk}", ok=200),
                Row("member", "get", f"{path}/{MADE_UP}", 404),
                Row("member", "get", path, 404, version="2.36"),
                Row("admin", "post", path, 410, {}),
                Row("admin", "delete", f"{path}/{lab.pk}", 410),
            )
        assert "project_id" in personas.admin.api.get(f"{V21}/os-networks").json()["networks"][0]

    def test_floating_ips(self, personas, db):
        path = f"{V21}/os-floating-ips"
        check(
            personas,
            Row("member", "get", f"{V21}/os-floating-ip-pools", 200),
            Row("member", "get", path, 200),
            Row("reader", "post", path, 403, {}),
            Row("member", "post", path, 404, {}),
            Row("member", "post", path, 404, {"pool": "any"}),
            Row("member", "post", path, 400, {"pool": 1}),
            Row("member", "get", f"{path}/{MADE_UP}", 404),
            Row("member", "delete", f"{path}/{MADE_UP}", 404),
            Row("member", "get", path, 404, version="2.36"),
        )

    def test_what_is_gone(self, personas, cloud):
        for name in ("os-fping", "os-fixed-ips/1", "os-floating-ips-bulk", "os-floating-ip-dns", "os-networks/x/action"):
            check(personas, Row("anonymous", "post", f"{V21}/{name}", 401), Row("admin", "post", f"{V21}/{name}", 410, {}))
        check(personas, Row("member", "get", server_path(cloud, "os-virtual-interfaces"), 410))
