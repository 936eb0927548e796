"""Addresses that live on for older clients, and those where something was once."""

import pytest

from compute.models import Service
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix

V2 = "/compute/v2.1"
HOSTS = f"{V2}/os-hosts"


@pytest.mark.parametrize("version", ["v2.1", "v2"])
def test_addresses_may_name_the_callers_project(personas, cloud, version):
    base, here = f"/compute/{version}", f"/compute/{version}/{personas.lab.pk}"
    make_server(personas.member.ctx)
    for path in ("servers", f"servers/{cloud.server.pk}", f"os-quota-sets/{personas.lab.pk}", "flavors/detail", "limits"):
        short, long = check(personas, Row("member", "get", f"{base}/{path}", 200), Row("member", "get", f"{here}/{path}", 200))
        assert long.content.replace(f"/{personas.lab.pk}/".encode(), b"/") == short.content, path
    check(
        personas,
        *matrix("get", f"{here}/servers/{cloud.server.pk}", ok=200, stranger=400),
        Row("stranger", "get", f"{here}/servers", 400, says="Malformed request URL"),
        Row("operator", "get", f"{here}/servers", 400),
        Row("member", "post", f"{here}/servers/{cloud.server.pk}/action", 202, {"lock": None}),
        Row("member", "get", f"{here}/no-such", 404),
        Row("member", "get", f"{base}/{'g' * 32}/servers", 404),
    )
    page = personas.member.api.get(f"{here}/servers?limit=1").json()
    following = page["servers_links"][0]["href"].removeprefix("http://testserver")
    assert following.startswith(f"{here}/servers?")
    check(personas, Row("member", "get", following, 200))


def test_hosts_are_listed_up_to_2_42(personas, cloud):
    Service.objects.create(binary="nova-conductor", host="control", zone="internal")
    hosts = check(personas, *matrix("get", HOSTS, ok=200, who="admin", stranger=403, weak="member"))[-1].json()["hosts"]
    assert hosts == [
        {"host_name": "host1", "service": "compute", "zone": "nova"},
        {"host_name": "control", "service": "conductor", "zone": "internal"},
    ]
    assert personas.admin.api.get(f"{HOSTS}?zone=no-such").json() == {"hosts": []}
    assert len(personas.admin.api.get(f"{HOSTS}?zone=").json()["hosts"]) == 2
    check(personas, Row("admin", "get", HOSTS, 404, version="2.43"))


def test_a_host_tells_who_uses_it(personas, cloud):
    answer = check(personas, *matrix("get", f"{HOSTS}/host1", ok=200, who="admin", stranger=403, weak="member"))[-1]
    rows = {row["resource"]["project"]: row["resource"] for row in answer.json()["host"]}
    assert rows["(total)"] == {"host": "host1", "project": "(total)", "cpu": 8, "memory_mb": 16384, "disk_gb": 100}
    assert (rows["(used_max)"]["cpu"], rows["(used_max)"]["memory_mb"]) == (2, 1024)
    assert rows[personas.lab.pk]["cpu"] == 1
    check(personas, Row("admin", "get", f"{HOSTS}/no-such", 404))


def test_a_host_is_disabled_and_enabled(personas, cloud):
    path = f"{HOSTS}/host1"
    bad = [{}, {"status": "off"}, {"maintenance_mode": "maybe"}, {"status": "enable", "more": 1}]
    rows = matrix("put", path, body={"status": "Disable"}, ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    assert check(personas, *rows)[-1].json() == {"host": "host1", "status": "disabled"}
    assert Service.objects.get(host="host1").disabled
    check(personas, Row("admin", "put", path, 200, {"status": "enable"}))
    assert not Service.objects.get(host="host1").disabled
    check(personas, Row("admin", "put", path, 501, {"maintenance_mode": "enable"}))
    check(personas, Row("admin", "put", f"{HOSTS}/no-such", 404, {"status": "enable"}))


@pytest.mark.parametrize("act", ["startup", "shutdown", "reboot"])
def test_the_power_of_a_host_is_out_of_reach(personas, cloud, act):
    check(
        personas,
        Row("anonymous", "get", f"{HOSTS}/host1/{act}", 401),
        Row("member", "get", f"{HOSTS}/host1/{act}", 403),
        Row("admin", "get", f"{HOSTS}/no-such/{act}", 404),
        Row("admin", "get", f"{HOSTS}/host1/{act}", 501),
    )


@pytest.mark.parametrize(
    "path",
    [
        "os-agents",
        "os-agents/1",
        "os-cells",
        "os-cells/capacities",
        "os-cells/a/capacities",
        "os-certificates/root",
        "os-cloudpipe",
        "servers/1/consoles",
    ],
)
def test_what_was_removed_is_gone(personas, path):
    check(personas, *(Row("member", method, f"{V2}/{path}", 410) for method in ("get", "post", "put", "delete")))


def test_there_is_no_bare_metal(personas):
    path = f"{V2}/os-baremetal-nodes"
    check(
        personas,
        Row("member", "get", path, 403),
        Row("admin", "get", path, 501),
        Row("admin", "get", f"{path}/1", 501),
        Row("admin", "get", path, 404, version="2.36"),
        Row("admin", "post", path, 400, {}),
        Row("admin", "delete", f"{path}/1", 400),
    )
