"""Security groups and their rules: what is made, what is refused, and which hosts hear of it."""

import pytest

from compute.messages import COMMAND_ACTORS, unpack
from compute.network.models import Port, SecurityGroup
from compute.network.services import ports, seed
from compute.port_messages import SetFilters
from compute.virt.filtering import RuleSpec
from portal.core.models import OutboxMessage
from tests.kit.api import Row, check, matrix

V2 = "/network/v2.0"
GROUPS, RULES = f"{V2}/security-groups", f"{V2}/security-group-rules"
MADE_UP = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def group(personas):
    return personas.member.api.post(GROUPS, {"security_group": {"name": "web"}}).json()["security_group"]


@pytest.fixture
def default(personas):
    return personas.member.api.get(f"{GROUPS}?name=default").json()["security_groups"][0]


def rule(group, **fields):
    return {"security_group_rule": {"security_group_id": group["id"], "direction": "ingress", **fields}}


def told():
    rows = OutboxMessage.objects.filter(actor=COMMAND_ACTORS[SetFilters]).order_by("pk")
    return [(row.queue, unpack(SetFilters, row.payload)) for row in rows]


def test_a_new_group_lets_everything_out_and_nothing_in(personas, db):
    body = {"security_group": {"name": "web", "description": "d"}}
    made = check(personas, *matrix("post", GROUPS, body=body, ok=201, stranger=201, weak="reader"))[-1].json()
    rules = made["security_group"]["security_group_rules"]
    assert {(one["direction"], one["ethertype"]) for one in rules} == {("egress", "IPv4"), ("egress", "IPv6")}


def test_names_may_repeat_but_default_is_one(personas, group, default):
    check(
        personas,
        Row("member", "post", GROUPS, 201, {"security_group": {"name": "web"}}),
        Row("member", "post", GROUPS, 409, {"security_group": {"name": "default"}}, kind="SecurityGroupDefaultAlreadyExists"),
        Row(
            "member",
            "put",
            f"{GROUPS}/{group['id']}",
            409,
            {"security_group": {"name": "default"}},
            kind="SecurityGroupDefaultAlreadyExists",
        ),
        Row(
            "member",
            "put",
            f"{GROUPS}/{default['id']}",
            409,
            {"security_group": {"name": "other"}},
            kind="SecurityGroupCannotUpdateDefault",
        ),
        Row("member", "put", f"{GROUPS}/{default['id']}", 200, {"security_group": {"description": "mine"}}),
        Row("member", "delete", f"{GROUPS}/{default['id']}", 409, kind="SecurityGroupCannotRemoveDefault"),
        Row("admin", "delete", f"{GROUPS}/{default['id']}", 204),
    )


def test_a_group_is_changed_and_deleted_by_its_project_alone(personas, group):
    path = f"{GROUPS}/{group['id']}"
    body = {"security_group": {"name": "new"}}
    shown = check(personas, *matrix("put", path, body=body, ok=200, weak="reader"))[-1].json()["security_group"]
    assert shown["name"] == "new"
    check(personas, *matrix("delete", path, ok=204, weak="reader"), Row("member", "get", path, 404))


def test_a_group_in_use_stays(personas, group):
    network = seed.seed()
    port = {"port": {"network_id": network.pk, "security_groups": [group["id"]]}}
    check(personas, Row("member", "post", f"{V2}/ports", 201, port))
    check(personas, Row("member", "delete", f"{GROUPS}/{group['id']}", 409, says="in use", kind="SecurityGroupInUse"))


def test_rules_are_made_shown_and_deleted(personas, group):
    body = rule(group, protocol="tcp", port_range_min=22, port_range_max=22, remote_ip_prefix="192.0.2.9/24")
    rows = matrix("post", RULES, body=body, ok=201, weak="reader", malformed=[{}, {"security_group_rule": {}}])
    made = check(personas, *rows)[-1].json()["security_group_rule"]
    assert (made["ethertype"], made["remote_ip_prefix"]) == ("IPv4", "192.0.2.9/24")
    assert made["normalized_cidr"] == "192.0.2.0/24"
    path = f"{RULES}/{made['id']}"
    check(
        personas,
        Row("member", "post", RULES, 409, body, says="already exists", kind="SecurityGroupRuleExists"),
        Row("member", "put", path, 405, {}),
        *matrix("delete", path, ok=204, weak="reader"),
        Row("member", "get", path, 404),
    )


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        ({}, {"remote_ip_prefix": "0.0.0.0/0", "ethertype": "ipv4"}),
        ({"remote_ip_prefix": "192.0.2.9/24"}, {"remote_ip_prefix": "192.0.2.0/24"}),
        ({"protocol": "udp"}, {"protocol": 17, "port_range_min": 1, "port_range_max": 65535}),
        ({"protocol": "icmp", "port_range_min": 8}, {"protocol": "1", "port_range_min": 8}),
    ],
)
def test_a_rule_is_the_same_however_it_is_written(personas, group, fields, again):
    check(
        personas,
        Row("member", "post", RULES, 201, rule(group, **fields)),
        Row("member", "post", RULES, 409, rule(group, **again), kind="SecurityGroupRuleExists"),
        Row(
            "member",
            "post",
            RULES,
            201,
            rule(group, protocol="gre", remote_ip_prefix=again.get("remote_ip_prefix")),
        ),
    )


@pytest.mark.parametrize(
    ("status", "fields", "kind"),
    [
        (400, {"direction": "sideways"}, "HTTPBadRequest"),
        (400, {"ethertype": "IPX"}, "HTTPBadRequest"),
        (400, {"protocol": "carrier-pigeon"}, "SecurityGroupRuleInvalidProtocol"),
        (400, {"protocol": 256}, "SecurityGroupRuleInvalidProtocol"),
        (400, {"protocol": "icmpv6"}, "SecurityGroupEthertypeConflictWithProtocol"),
        (400, {"port_range_min": 1, "port_range_max": 2}, "SecurityGroupProtocolRequiredWithPorts"),
        (400, {"protocol": "tcp", "port_range_min": 2, "port_range_max": 1}, "SecurityGroupInvalidPortRange"),
        (400, {"protocol": "tcp", "port_range_min": 2}, "SecurityGroupInvalidPortRange"),
        (400, {"protocol": "tcp", "port_range_min": 0, "port_range_max": 1}, "SecurityGroupInvalidPortValue"),
        (400, {"protocol": "udp", "port_range_min": 1, "port_range_max": 65536}, "SecurityGroupInvalidPortValue"),
        (400, {"protocol": "udp", "port_range_min": -1, "port_range_max": 5}, "SecurityGroupInvalidPortValue"),
        (400, {"protocol": "icmp", "port_range_min": 256}, "SecurityGroupInvalidIcmpValue"),
        (400, {"protocol": "icmp", "port_range_max": 3}, "SecurityGroupMissingIcmpType"),
        (400, {"protocol": "gre", "port_range_min": 1, "port_range_max": 2}, "SecurityGroupInvalidProtocolForPort"),
        (400, {"remote_ip_prefix": "everywhere"}, "InvalidCIDR"),
        (400, {"remote_ip_prefix": "2001:db8::/64"}, "SecurityGroupRuleParameterConflict"),
        (400, {"remote_ip_prefix": "192.0.2.0/24", "ethertype": "IPv6"}, "SecurityGroupRuleParameterConflict"),
        (404, {"remote_group_id": MADE_UP}, "SecurityGroupNotFound"),
        (201, {"protocol": "icmp", "port_range_min": 0, "port_range_max": 0}, ""),
        (201, {"protocol": "6", "port_range_min": 1, "port_range_max": 65535}, ""),
        (201, {"protocol": 132}, ""),
        (201, {"protocol": "any"}, ""),
        (201, {"protocol": "ipv6-icmp", "ethertype": "IPv6"}, ""),
        (201, {"remote_ip_prefix": "2001:db8::/64", "ethertype": "IPv6"}, ""),
        (201, {"direction": "egress", "protocol": "vrrp"}, ""),
    ],
)
def test_what_a_rule_may_say(personas, group, status, fields, kind):
    check(personas, Row("member", "post", RULES, status, rule(group, **fields), kind=kind))


def test_a_rule_names_a_group_or_a_range(personas, group, default):
    both = rule(group, remote_group_id=default["id"], remote_ip_prefix="192.0.2.0/24")
    check(personas, Row("member", "post", RULES, 400, both, kind="SecurityGroupRemoteGroupAndRemoteIpPrefix"))
    foreign = personas.stranger.api.post(GROUPS, {"security_group": {"name": "x"}}).json()["security_group"]
    check(personas, Row("member", "post", RULES, 404, rule(group, remote_group_id=foreign["id"])))
    check(personas, Row("member", "post", RULES, 404, rule(foreign)))


class TestWhatHostsAreTold:
    @pytest.fixture
    def port(self, personas):
        """A port in the default group on host-1."""
        seed.seed()
        ctx = personas.member.ctx
        ports.allocate(ctx=ctx, project_id=ctx.project_id, device_id="d1", networks=None)
        ports.bind("d1", "host-1", up=True)
        return Port.objects.get()

    def test_a_rule_reaches_the_hosts_of_its_group(self, personas, port, default):
        check(personas, Row("member", "post", RULES, 201, rule(default, protocol="udp", port_range_min=53, port_range_max=54)))

        ((queue, command),) = told()
        (spec,) = command.groups
        assert queue == "compute.host-1"
        assert RuleSpec("ingress", 17, 53, 54) in spec.rules
        assert RuleSpec("ingress", group_id=default["id"]) in spec.rules
        assert spec.members == [port.fixed_addresses.get().address]

    def test_and_the_group_that_it_names_comes_along(self, personas, port, default, group):
        check(personas, Row("member", "post", RULES, 201, rule(default, remote_group_id=group["id"])))

        ((_queue, command),) = told()
        assert {spec.id for spec in command.groups} == {default["id"], group["id"]}

    def test_who_joins_a_group_is_told_where_rules_name_it(self, personas, port, default, group):
        check(personas, Row("member", "post", RULES, 201, rule(default, remote_group_id=group["id"])))
        network = {"port": {"network_id": port.network_id, "security_groups": [group["id"]]}}
        joined = personas.member.api.post(f"{V2}/ports", network).json()["port"]

        queue, command = told()[-1]
        (spec,) = (one for one in command.groups if one.id == group["id"])
        assert queue == "compute.host-1"
        assert spec.members == [joined["fixed_ips"][0]["ip_address"]]

    def test_deleting_the_named_group_takes_the_rule_away(self, personas, port, default, group):
        check(personas, Row("member", "post", RULES, 201, rule(default, remote_group_id=group["id"])))
        check(personas, Row("member", "delete", f"{GROUPS}/{group['id']}", 204))

        _queue, command = told()[-1]
        (spec,) = command.groups
        assert all(one.group_id != group["id"] for one in spec.rules)
        assert spec.revision == SecurityGroup.objects.get(pk=default["id"]).revision
