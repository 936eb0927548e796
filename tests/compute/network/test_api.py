"""The network API: discovery, lists, filters, one of each."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compute.network.services import ports, seed
from portal.core.errors import QuotaExceeded
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory
from tests.kit.api import Row, check, matrix

V2 = "/network/v2.0"
MADE_UP = "00000000-0000-4000-8000-000000000000"
KINDS = {
    "networks": "NetworkNotFound",
    "subnets": "SubnetNotFound",
    "ports": "PortNotFound",
    "security-groups": "SecurityGroupNotFound",
    "security-group-rules": "SecurityGroupRuleNotFound",
}


@pytest.fixture
def world(personas):
    network = seed.seed()
    for who, device in ((personas.member, "d1"), (personas.stranger, "d2")):
        ports.allocate(ctx=who.ctx, project_id=who.ctx.project_id, device_id=device, networks=None)
    return network


def one(personas, plural, who="member"):
    listed = getattr(personas, who).api.get(f"{V2}/{plural}").json()
    return listed[plural.replace("-", "_")][0]


def test_discovery_is_for_everybody(personas):
    for path in ("/network", "/network/"):
        version = check(personas, Row("anonymous", "get", path, 200))[0].json()["versions"][0]
        assert version == {
            "id": "v2.0",
            "status": "CURRENT",
            "links": [{"rel": "self", "href": "http://testserver/network/v2.0/"}],
        }
    for path in (V2, f"{V2}/"):
        assert "resources" in check(personas, Row("anonymous", "get", path, 200))[0].json()


@pytest.mark.parametrize("plural", ["networks", "subnets", "ports", "security-groups", "security-group-rules"])
def test_each_collection(personas, world, plural):
    check(personas, *matrix("get", f"{V2}/{plural}", ok=200, stranger=200, weak="nobody"))
    shared = plural in ("networks", "subnets")
    path = f"{V2}/{plural}/{one(personas, plural)['id']}"
    check(personas, *matrix("get", path, ok=200, stranger=200 if shared else 404))
    check(
        personas,
        Row("admin", "get", path, 200),
        Row("member", "get", f"{V2}/{plural}/{MADE_UP}", 404, kind=KINDS[plural]),
        Row("member", "get", f"{V2}/{plural}/x%00", 404),
        Row("member", "get", f"{V2}/{plural}?no_such=1", 400),
        Row("member", "get", f"{V2}/{plural}?limit=x", 400),
        Row("member", "get", f"{V2}/{plural}?marker={MADE_UP}", 400),
        Row("member", "get", f"{V2}/{plural}?sort_key=secret", 400),
        Row("member", "get", f"{V2}/{plural}?sort_key=id&sort_dir=up", 400),
        Row("member", "get", f"{V2}/{plural}?id=x%00", 400),
        Row("member", "get", f"{V2}/{plural}?description={'x' * 20_000}", 400),
        Row("member", "post", f"{V2}/{plural}", 400, {}),
        Row("member", "post", f"{V2}/{plural}", 400, []),
        Row("member", "put", f"{V2}/{plural}", 405, {}, kind="HTTPMethodNotAllowed"),
    )


def test_a_network_is_shown(personas, world):
    shown = one(personas, "networks")
    assert (shown["name"], shown["shared"], shown["router:external"]) == ("private", True, False)
    assert shown["subnets"] == [world.subnets.get().pk]


def test_filters_are_or_ed_and_fields_trim(personas, world):
    api = personas.member.api

    def count(query):
        return len(api.get(f"{V2}/networks?{query}").json()["networks"])

    assert count("name=private") == 1
    assert count("name=other&name=private") == 1
    assert count("name=other") == 0
    assert count("shared=true&router:external=False") == 1
    assert count("shared=0") == 0
    assert count("mtu=1500&admin_state_up=True") == 1
    assert api.get(f"{V2}/networks?fields=id&fields=name").json() == {"networks": [{"id": world.pk, "name": "private"}]}
    check(
        personas,
        Row("member", "get", f"{V2}/networks?shared=maybe", 400, kind="InvalidInput"),
        Row("member", "get", f"{V2}/networks?mtu=1e99", 400, kind="InvalidInput"),
    )


def test_ports_are_found_by_device_and_address(personas, world):
    api = personas.member.api
    port = one(personas, "ports")
    assert "binding:host_id" not in port
    assert "binding:host_id" in one(personas, "ports", "admin")
    address = port["fixed_ips"][0]["ip_address"]
    for query, number in (
        ("device_id=d1", 1),
        ("device_id=d2", 0),
        (f"fixed_ips=ip_address={address}", 1),
        (f"fixed_ips=ip_address={address}&fixed_ips=subnet_id={MADE_UP}", 0),
        (f"security_groups={port['security_groups'][0]}", 1),
    ):
        assert len(api.get(f"{V2}/ports?{query}").json()["ports"]) == number, query
    assert len(personas.admin.api.get(f"{V2}/ports").json()["ports"]) == 2
    check(
        personas,
        Row("member", "get", f"{V2}/ports?fixed_ips=x", 400, kind="InvalidInput"),
    )


def test_what_only_operators_see_finds_nothing_for_others(personas, world):
    kind = world.network_type
    for query, seen in (
        (f"provider:network_type={kind}", 1),
        ("provider:network_type=x", 0),
        ("provider:segmentation_id=7", 0),
    ):
        found = {
            who: getattr(personas, who).api.get(f"{V2}/networks?{query}").json()["networks"] for who in ("admin", "member")
        }
        assert (len(found["admin"]), len(found["member"])) == (seen, 0), query
    port = {"port": {"network_id": world.pk, "binding:host_id": "host-1"}}
    check(personas, Row("admin", "post", f"{V2}/ports", 201, port))
    for who, number in (("admin", 1), ("member", 0)):
        assert len(getattr(personas, who).api.get(f"{V2}/ports?binding:host_id=host-1").json()["ports"]) == number


def test_pages_follow_each_other(personas, world):
    api, path, seen = personas.member.api, f"{V2}/security-group-rules?limit=3&sort_key=direction&sort_dir=desc", []
    while path:
        body = api.get(path).json()
        seen += [rule["direction"] for rule in body["security_group_rules"]]
        links = [link["href"] for link in body.get("security_group_rules_links", ()) if link["rel"] == "next"]
        path = links[0].removeprefix("http://testserver") if links else None
    assert seen == ["ingress", "ingress", "egress", "egress"]


def test_a_project_has_its_default_group_from_the_first_look(personas, db):
    groups = personas.member.api.get(f"{V2}/security-groups?name=default").json()["security_groups"]
    assert len(groups[0]["security_group_rules"]) == 4


def test_lists_take_a_fixed_number_of_queries(personas, world):
    def queries(plural):
        with CaptureQueriesContext(connection) as captured:
            assert personas.admin.api.get(f"{V2}/{plural}").status_code == 200
        return len(captured)

    before = {plural: queries(plural) and queries(plural) for plural in ("networks", "ports", "security-groups", "subnets")}
    for number in range(10):
        who = personas.member.ctx
        ports.allocate(ctx=who, project_id=who.project_id, device_id=f"more-{number}", networks=None)
    assert {plural: queries(plural) for plural in before} == before


def test_pages_are_walked_backwards_too(personas, world):
    api, ports = personas.member.api, f"{V2}/ports?name=z0&name=z1&name=z2&name=z3&name=z4&sort_key=name&fields=name&limit=2"
    for name in ("z0", "z1", "z2", "z3", "z4"):
        assert api.post(f"{V2}/ports", {"port": {"network_id": world.pk, "name": name}}).status_code == 201

    def walk(path, rel):
        while path:
            body = api.get(path).json()
            yield [port["name"] for port in body["ports"]]
            path = next(
                (link["href"].partition("testserver")[2] for link in body.get("ports_links", ()) if link["rel"] == rel), None
            )

    assert list(walk(ports, "next")) == [["z0", "z1"], ["z2", "z3"], ["z4"]]
    assert list(walk(f"{ports}&page_reverse=True", "previous")) == [["z3", "z4"], ["z1", "z2"], ["z0"]]
    marker = api.get(f"{V2}/ports?name=z2").json()["ports"][0]["id"]
    (before,) = walk(f"{ports}&marker={marker}&page_reverse=true", "previous")
    assert before == ["z0", "z1"]
    after = list(walk(f"{ports}&marker={marker}&page_reverse=true", "next"))
    assert after == [["z0", "z1"], ["z2", "z3"], ["z4"]]


def test_extensions_and_quotas(personas, db):
    aliases = {
        item["alias"]
        for item in check(personas, *matrix("get", f"{V2}/extensions", ok=200, stranger=200))[-1].json()["extensions"]
    }
    assert "security-group" in aliases
    assert "router" not in aliases
    check(
        personas,
        *matrix("get", f"{V2}/extensions/net-mtu", ok=200, stranger=200),
        Row("member", "get", f"{V2}/extensions/router", 404, kind="HTTPNotFound"),
    )
    path = f"{V2}/quotas/{personas.lab.pk}"
    assert check(personas, *matrix("get", path, ok=200, stranger=403))[-1].json()["quota"]["port"] == 500
    used = check(personas, *matrix("get", f"{path}/details.json", ok=200, stranger=403))[-1].json()["quota"]["port"]
    assert used == {"limit": 500, "used": 0, "reserved": 0}


def test_a_limit_is_changed_holds_and_is_put_back(personas, db):
    CatalogServiceFactory(type="network", name="neutron")
    path = f"{V2}/quotas/{personas.lab.pk}"
    body = {"quota": {"network": 1, "security_group": -1}}
    rows = matrix(
        "put", path, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=[{}, {"quota": {"x": 1}}]
    )
    assert check(personas, *rows)[-1].json()["quota"]["network"] == 1
    one = {"network": {"name": "n"}}
    check(
        personas,
        Row("admin", "put", path, 400, {"quota": {"network": "many"}}, kind="InvalidInput"),
        Row("member", "post", f"{V2}/networks", 201, one),
        Row("member", "post", f"{V2}/networks", 409, one, says="Quota exceeded", kind="OverQuota"),
        Row("admin", "put", path, 400, {"quota": {"network": 0, "check_limit": True}}, says="already used 1"),
        Row("admin", "put", path, 200, {"quota": {"network": 0}}),
        Row("member", "get", f"{path}/default", 200),
        *matrix("delete", path, ok=204, who="admin", stranger=403, weak="member"),
        Row("admin", "delete", path, 404, kind="TenantQuotaNotFound"),
        Row("member", "post", f"{V2}/networks", 201, one),
    )


def test_limits_of_all_projects_are_listed_for_operators(personas, db):
    CatalogServiceFactory(type="network", name="neutron")
    CatalogServiceFactory(type="compute")
    path = f"{V2}/quotas"
    assert check(personas, Row("admin", "get", path, 200))[0].json() == {"quotas": []}
    check(
        personas,
        Row("admin", "put", f"{path}/{personas.lab.pk}", 200, {"quota": {"network": 3, "port": -1}}),
        Row("admin", "put", f"/compute/v2.1/os-quota-sets/{personas.other.pk}", 200, {"quota_set": {"instances": 3}}),
    )
    rows = matrix("get", path, ok=200, who="admin", stranger=403, weak="member")
    (own,) = check(personas, *rows, Row("reader", "get", path, 403, kind="PolicyNotAuthorized"))[-2].json()["quotas"]
    assert own.pop("tenant_id") == own.pop("project_id") == personas.lab.pk
    assert own == check(personas, Row("member", "get", f"{path}/{personas.lab.pk}", 200))[0].json()["quota"]
    assert (own["network"], own["port"], own["subnet"]) == (3, -1, 100)
    assert check(personas, Row("operator", "get", path, 200))[0].json()["quotas"][0]["network"] == 3
    check(personas, Row("admin", "delete", f"{path}/{personas.lab.pk}", 204))
    assert check(personas, Row("admin", "get", path, 200))[0].json() == {"quotas": []}


@pytest.mark.parametrize("word", ["project", "tenant"])
def test_whose_limits_are_ones_own(personas, db, word):
    path = f"{V2}/quotas/{word}"
    shown = check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json()
    assert shown == {word: {f"{word}_id": personas.lab.pk}}
    check(personas, Row("operator", "get", path, 400, kind="QuotaMissingTenant"))


def test_a_server_needs_room_for_its_ports(personas, world):
    CatalogServiceFactory(type="network", name="neutron")
    ctx = personas.member.ctx
    check(personas, Row("admin", "put", f"{V2}/quotas/{ctx.project_id}", 200, {"quota": {"port": 1}}))
    with pytest.raises(QuotaExceeded, match="ports"):
        ports.allocate(ctx=ctx, project_id=ctx.project_id, device_id="d3", networks=None)


def test_there_are_no_agents(personas, db):
    check(
        personas,
        *matrix("get", f"{V2}/agents", ok=200, stranger=200),
        Row("member", "get", f"{V2}/agents/x", 404, kind="AgentNotFound"),
    )


def test_addresses_that_are_none(personas, db):
    check(
        personas,
        Row("anonymous", "get", f"{V2}/routers", 401),
        Row("member", "get", f"{V2}/routers", 404, kind="HTTPNotFound"),
        Row("member", "get", "/network/v3", 404),
    )
