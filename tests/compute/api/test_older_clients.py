"""Addresses that live on for older clients, and those where something was once."""

import pytest

from compute.models import Service
from compute.network.models import Network
from compute.network.services import seed
from tests.kit.api import Row, check, matrix

V2 = "/compute/v2.1"
HOSTS = f"{V2}/os-hosts"
MADE_UP = "00000000-0000-4000-8000-000000000000"


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


@pytest.mark.parametrize("name", ["os-networks", "os-tenant-networks"])
def test_networks_are_told_up_to_2_35(personas, name):
    seed.seed()
    network = Network.objects.get()
    path = f"{V2}/{name}"
    (shown,) = check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json()["networks"]
    assert (shown["id"], shown["label"]) == (network.pk, network.name)
    one = check(personas, *matrix("get", f"{path}/{network.pk}", ok=200, stranger=200))[-1].json()["network"]
    assert one == shown
    check(
        personas,
        Row("member", "get", f"{path}/{MADE_UP}", 404),
        Row("member", "get", path, 404, version="2.36"),
        Row("admin", "post", path, 410, {}),
        Row("admin", "delete", f"{path}/{network.pk}", 410),
    )


def test_operators_see_more_names_of_a_network(personas):
    seed.seed()
    path = f"{V2}/os-networks"
    few, many = (set(getattr(personas, who).api.get(path).json()["networks"][0]) for who in ("member", "admin"))
    assert "project_id" in many - few


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
        "os-fixed-ips/192.0.2.1",
        "os-fixed-ips/192.0.2.1/action",
        "os-floating-ip-dns",
        "os-floating-ip-dns/example.org/entries/www",
        "os-floating-ips-bulk",
        "os-fping",
        "os-fping/1",
        "os-security-group-default-rules",
        "os-networks/add",
        "servers/1/consoles",
        "servers/1/os-virtual-interfaces",
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


def test_migrations_are_listed_for_those_who_may(personas):
    path = f"{V2}/os-migrations"
    check(
        personas,
        *matrix("get", path, ok=200, who="manager", stranger=403, weak="member"),
        Row("admin", "get", path, 200),
        Row("manager", "get", f"{path}?host=host1", 403),
        Row("admin", "get", f"{path}?host=host1", 200),
        Row("manager", "get", f"{path}?project_id={personas.other.pk}", 403, version="2.80"),
        Row("admin", "get", f"{path}?project_id={personas.other.pk}", 200, version="2.80"),
        Row("admin", "get", f"{path}?more=1", 200),
        Row("admin", "get", f"{path}?more=1", 400, version="2.59"),
        Row("admin", "get", f"{path}?changes-before=2026-01-01T00:00:00Z", 400, version="2.65"),
        Row("admin", "get", f"{path}?changes-before=2026-01-01T00:00:00Z", 200, version="2.66"),
        Row("admin", "get", f"{path}?changes-since=soon", 400, version="2.59"),
        Row("admin", "get", f"{path}?limit=x", 400, version="2.59"),
        Row("admin", "get", f"{path}?marker={MADE_UP}", 400, version="2.59"),
    )
    late, early = "changes-since=2026-02-01T00:00:00Z", "changes-before=2026-01-01T00:00:00Z"
    check(personas, Row("admin", "get", f"{path}?{late}&{early}", 400, version="2.66"))
