"""Flavors, extra specs, access."""

import pytest

from tests.kit.api import Row, check, matrix
from tests.kit.compute import FlavorFactory

FLAVORS = "/compute/v2.1/flavors"
NEW = {"flavor": {"name": "f9", "ram": 128, "vcpus": 1, "disk": 0, "id": "f9"}}


def changed(**changes):
    flavor = {**NEW["flavor"], **changes}
    return {"flavor": {key: value for key, value in flavor.items() if value is not ...}}


def ids(answer):
    return [flavor["id"] for flavor in answer.json()["flavors"]]


def test_flavors_are_listed_and_shown(personas, cloud):
    FlavorFactory(flavor_id="2", name="m1.small", ram_mb=2048, root_gb=20)
    FlavorFactory(flavor_id="3", name="secret", is_public=False)
    check(personas, *matrix("get", FLAVORS, ok=200, stranger=200), *matrix("get", f"{FLAVORS}/1", ok=200, stranger=200))
    member, admin = personas.member.api, personas.admin.api
    assert ids(member.get(FLAVORS)) == ["1", "2"]
    assert ids(admin.get(FLAVORS)) == ["1", "2"]
    assert ids(admin.get(f"{FLAVORS}?is_public=None")) == ["1", "2", "3"]
    assert ids(admin.get(f"{FLAVORS}?is_public=false")) == ["3"]
    assert ids(member.get(f"{FLAVORS}?is_public=None")) == ["1", "2"]
    assert ids(member.get(f"{FLAVORS}/detail?minRam=1024")) == ["2"]
    assert ids(member.get(f"{FLAVORS}?sort_key=name&sort_dir=desc")) == ["1", "2"]
    page = member.get(f"{FLAVORS}?limit=1").json()
    assert ids(member.get(page["flavors_links"][0]["href"].removeprefix("http://testserver"))) == ["2"]
    check(
        personas,
        Row("member", "get", f"{FLAVORS}/3", 404),
        Row("member", "get", f"{FLAVORS}/no-such", 404),
        Row("member", "get", f"{FLAVORS}?minRam=x", 400),
        Row("member", "get", f"{FLAVORS}?marker=no-such", 400),
        Row("member", "get", f"{FLAVORS}?sort_key=secret", 400),
        Row("admin", "get", f"{FLAVORS}?is_public=maybe", 400),
        Row("member", "get", f"{FLAVORS}?more=1", 400, version="2.75"),
    )


def test_what_microversions_change(personas, cloud):
    def shown(version):
        return check(personas, Row("member", "get", f"{FLAVORS}/1", 200, version=version))[0].json()["flavor"]

    assert "description" not in shown("2.54")
    assert shown("2.55")["description"] is None
    assert "extra_specs" not in shown("2.60")
    assert shown("2.61")["extra_specs"] == {}
    assert (shown("2.74")["swap"], shown("2.75")["swap"]) == ("", 0)


def test_operators_make_and_delete_flavors(personas, cloud):
    bad = [
        {},
        changed(ram=0),
        changed(ram="x"),
        changed(vcpus=-1),
        changed(vcpus=2**40),
        changed(disk=True),
        changed(name=""),
        changed(name=...),
        changed(id="a/b"),
        changed(more=1),
        changed(rxtx_factor=0),
        changed(description="before 2.55"),
    ]
    made = check(
        personas, *matrix("post", FLAVORS, body=NEW, ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    )[-1]
    assert made.json()["flavor"]["id"] == "f9"
    check(personas, Row("admin", "post", FLAVORS, 409, NEW), Row("admin", "post", FLAVORS, 409, changed(id="other")))
    check(personas, *matrix("delete", f"{FLAVORS}/f9", ok=202, who="admin", stranger=403, weak="member"))
    check(personas, Row("admin", "delete", f"{FLAVORS}/f9", 404))


def test_a_description_is_changed_from_2_55(personas, cloud):
    body = {"flavor": {"description": "small"}}
    bad = [{}, {"flavor": {}}, {"flavor": {"description": 1}}, {"flavor": {"name": "x"}}]
    rows = matrix(
        "put", f"{FLAVORS}/1", body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad, version="2.55"
    )
    assert check(personas, *rows)[-1].json()["flavor"]["description"] == "small"
    check(personas, Row("admin", "put", f"{FLAVORS}/1", 404, body, "2.54"))


def test_extra_specs(personas, cloud):
    path, body = f"{FLAVORS}/1/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "shared"}}
    bad = [
        {},
        {"extra_specs": {}},
        {"extra_specs": {"a/b": "x"}},
        {"extra_specs": {"a": None}},
        {"extra_specs": {"a": "x" * 256}},
    ]
    check(personas, *matrix("post", path, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad))
    assert check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json() == body
    one = f"{path}/hw:cpu_policy"
    assert check(personas, *matrix("get", one, ok=200, stranger=200))[-1].json() == body["extra_specs"]
    change = {"hw:cpu_policy": "dedicated"}
    check(
        personas,
        *matrix("put", one, body=change, ok=200, who="admin", stranger=403, weak="member", malformed=[{}, {"a": "b"}]),
    )
    check(personas, *matrix("delete", one, ok=200, who="admin", stranger=403, weak="member"))
    check(personas, Row("admin", "delete", one, 404), Row("member", "get", one, 404))


@pytest.mark.parametrize("name", ["addTenantAccess", "removeTenantAccess"])
def test_access_needs_a_project(personas, cloud, name):
    path = f"{FLAVORS}/1/action"
    bad = [{}, {name: {}}, {name: {"tenant": 1}}, {name: {"tenant": "x", "more": 1}}, {"other": {"tenant": "x"}}]
    check(personas, *(Row("admin", "post", path, 400, body) for body in bad))
    check(
        personas,
        Row("admin", "post", path, 409, {name: {"tenant": "x"}}),
        Row("member", "post", path, 403, {name: {"tenant": "x"}}),
    )


def test_access_is_given_and_taken(personas, cloud):
    FlavorFactory(flavor_id="3", name="secret", is_public=False)
    path, access = f"{FLAVORS}/3/action", f"{FLAVORS}/3/os-flavor-access"
    tenant = {"tenant": personas.lab.pk}
    given = check(personas, Row("admin", "post", path, 200, {"addTenantAccess": tenant}))[0]
    assert given.json() == {"flavor_access": [{"flavor_id": "3", "tenant_id": personas.lab.pk}]}
    check(
        personas,
        Row("member", "get", f"{FLAVORS}/3", 200),
        Row("stranger", "get", f"{FLAVORS}/3", 404),
        Row("admin", "post", path, 409, {"addTenantAccess": tenant}),
        Row("admin", "get", access, 200),
        Row("member", "get", access, 403),
        Row("admin", "get", f"{FLAVORS}/1/os-flavor-access", 404),
        Row("admin", "post", path, 200, {"removeTenantAccess": tenant}),
        Row("admin", "post", path, 404, {"removeTenantAccess": tenant}),
        Row("member", "get", f"{FLAVORS}/3", 404),
    )


def test_newer_clients_are_told_of_extra_specs_that_mean_nothing(personas, cloud):
    specs, one = f"{FLAVORS}/1/os-extra_specs", f"{FLAVORS}/1/os-extra_specs/hw:cpu_policy"
    odd = {"extra_specs": {"hw:nonsense": "1"}}
    check(
        personas,
        Row("admin", "post", specs, 400, odd, version="2.86"),
        Row("admin", "put", one, 400, {"hw:cpu_policy": "x"}, version="2.86"),
        Row("admin", "post", specs, 200, {"extra_specs": {"my:key": "x", "hw:cpu_policy": "shared"}}, version="2.86"),
        Row("admin", "post", specs, 200, odd, version="2.85"),
    )
