"""Servers: create, show, change, delete."""

import json

import pytest
from django.utils import timezone

from compute.models import Server, Service
from compute.network.models import Network
from compute.states import VmState
from compute.virt import admin_password
from portal.core import bus
from portal.core.policy import engine
from tests.compute.api.world import make_fault, make_server
from tests.kit.api import Row, check, matrix

SERVERS = "/compute/v2.1/servers"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def wish(cloud, **changes):
    server = {"name": "new", "flavorRef": "1", "imageRef": cloud.image.pk, "networks": "auto", **changes}
    return {"server": {key: value for key, value in server.items() if value is not ...}}


def names(answer):
    return [server["name"] for server in answer.json()["servers"]]


def test_a_server_is_created(personas, cloud, sent):
    bad = [
        {},
        {"server": []},
        {"server": {}},
        *(
            wish(cloud, **changes)
            for changes in (
                {"name": ...},
                {"name": ""},
                {"name": 7},
                {"name": "x" * 256},
                {"name": " edge"},
                {"name": "nul\x00"},
                {"flavorRef": ...},
                {"flavorRef": {}},
                {"flavorRef": "no-such"},
                {"imageRef": "not-a-uuid"},
                {"imageRef": MADE_UP},
                {"imageRef": ...},
                {"networks": ...},
                {"networks": "some"},
                {"networks": [{"uuid": MADE_UP}]},
                {"networks": [{"uuid": "x"}]},
                {"networks": [{}]},
                {"networks": [{"port": MADE_UP}]},
                {"metadata": {"k": 1}},
                {"metadata": {"k": "v" * 256}},
                {"metadata": []},
                {"user_data": "%%%"},
                {"min_count": 0},
                {"min_count": "x"},
                {"min_count": 3, "max_count": 2},
                {"min_count": True},
                {"min_count": 10**30},
                {"key_name": "no-such"},
                {"security_groups": [{"name": "no-such"}]},
                {"security_groups": "default"},
                {"availability_zone": "no-such"},
                {"config_drive": "maybe"},
                {"unknown": 1},
                {"personality": [{"path": "/x", "contents": "eA=="}]},
                {"tags": ["one,two"]},
                {"tags": ["a/b"]},
                {"tags": [""]},
                {"tags": ["x" * 61]},
                {"tags": [str(n) for n in range(51)]},
                {"accessIPv4": "2001:db8::1"},
                {"accessIPv6": "10.0.0.1"},
                {"OS-DCF:diskConfig": "MAYBE"},
                {"hostname": "-edge"},
                {"hostname": "x" * 256},
                {"hostname": "one", "min_count": 2},
                {"networks": [{"uuid": MADE_UP, "fixed_ip": "10.0.0.9"}], "max_count": 2},
                {"networks": [{"port": MADE_UP}], "max_count": 2},
                {"availability_zone": "a:b:c:d"},
                {"block_device_mapping_v2": [{}]},
                {"block_device_mapping_v2": [{"source_type": "image", "uuid": MADE_UP, "boot_index": 1}]},
                {"block_device_mapping_v2": [{"source_type": "blank", "boot_index": 0}]},
                {"block_device_mapping_v2": [{"source_type": "blank", "destination_type": "volume", "volume_size": 1}]},
                {"block_device_mapping_v2": [{"source_type": "blank", "destination_type": "local", "volume_size": 1}]},
                {"block_device_mapping_v2": [{"source_type": "blank", "guest_format": "swap", "volume_size": 1}]},
                {"block_device_mapping_v2": [{"source_type": "blank", "guest_format": "swap"}] * 2},
                {"block_device_mapping": [{"volume_id": MADE_UP}]},
                {"block_device_mapping_v2": [{"source_type": "volume", "uuid": MADE_UP}]},
            )
        ),
    ]
    rows = matrix("post", SERVERS, body=wish(cloud), ok=202, stranger=None, weak="reader", malformed=bad, version="2.96")
    answer = check(personas, *rows)[-1]
    server = answer.json()["server"]
    assert set(server) == {"id", "links", "adminPass", "OS-DCF:diskConfig", "security_groups"}
    assert answer.headers["Location"] == f"http://testserver{SERVERS}/{server['id']}"
    assert server["links"][0] == {"rel": "self", "href": f"http://testserver{SERVERS}/{server['id']}"}
    sealed = Server.objects.get(pk=server["id"]).operation_details["admin_pass"]
    assert admin_password.opened(bus.queue_key(), sealed) == server["adminPass"]
    assert sent() == ["conductor.build"]
    shown = personas.member.api.get(f"{SERVERS}/{server['id']}", OpenStack_API_Version="compute 2.96").json()["server"]
    assert shown["status"] == "BUILD"
    assert shown["OS-EXT-STS:task_state"] == "scheduling"
    assert len(shown["addresses"]["private"]) == 1


def test_an_address_on_a_shared_network_is_chosen_only_as_the_rule_of_ports_lets(personas, cloud):
    network = Network.objects.get()
    address = str(network.subnets.get().range[77])
    body = wish(cloud, networks=[{"uuid": network.pk, "fixed_ip": address}])
    check(
        personas,
        Row("member", "post", SERVERS, 403, body, says="create_port:fixed_ips:ip_address"),
        Row("admin", "post", SERVERS, 202, body),
    )


def test_the_boot_image_may_be_named_as_a_block_device(personas, cloud):
    device = {"uuid": cloud.image.pk, "boot_index": 0, "source_type": "image", "destination_type": "local"}
    body = wish(cloud, imageRef=..., block_device_mapping_v2=[device])
    check(personas, Row("member", "post", SERVERS, 202, body, version="2.96"))


def test_several_servers_and_the_quota(personas, cloud):
    many = check(personas, Row("member", "post", SERVERS, 202, wish(cloud, min_count=2, return_reservation_id=True), "2.96"))
    assert Server.objects.filter(reservation_id=many[0].json()["reservation_id"]).count() == 2
    check(personas, Row("member", "post", SERVERS, 403, wish(cloud, min_count=50), "2.96", says="Quota exceeded"))


def test_another_projects_image_is_not_found(personas, cloud):
    cloud.image.visibility, cloud.image.owner = "private", personas.other.pk
    cloud.image.save()
    check(personas, Row("member", "post", SERVERS, 400, wish(cloud), "2.96", says="Can not find requested image"))


def test_a_server_is_shown(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}"
    answer = check(personas, *matrix("get", path, ok=200, weak=None))[-1]
    server = answer.json()["server"]
    assert server["flavor"]["id"] == "1"
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["security_groups"] == [{"name": "default"}]
    assert "OS-EXT-SRV-ATTR:host" not in server
    admin = personas.admin.api.get(path).json()["server"]
    assert admin["OS-EXT-SRV-ATTR:host"] == "host1"
    check(personas, Row("member", "get", f"{SERVERS}/{MADE_UP}", 404, says="could not be found"))
    check(personas, Row("nobody", "get", path, 404))


@pytest.mark.parametrize(
    ("version", "there", "missing"),
    [
        ("2.1", ["config_drive"], ["locked", "description", "tags"]),
        ("2.8", [], ["locked"]),
        ("2.9", ["locked"], ["host_status", "description"]),
        ("2.16", ["host_status"], ["description"]),
        ("2.19", ["description"], ["tags"]),
        ("2.26", ["tags"], ["trusted_image_certificates"]),
        ("2.63", ["trusted_image_certificates"], ["server_groups"]),
        ("2.71", ["server_groups"], ["locked_reason"]),
        ("2.73", ["locked_reason"], ["pinned_availability_zone"]),
        ("2.96", ["pinned_availability_zone"], ["scheduler_hints"]),
        ("2.100", ["scheduler_hints"], []),
    ],
)
def test_what_microversions_add(personas, cloud, version, there, missing):
    api = personas.admin.api
    server = api.get(f"{SERVERS}/{cloud.server.pk}", OpenStack_API_Version=f"compute {version}").json()["server"]
    assert [key for key in there if key not in server] == []
    assert [key for key in missing if key in server] == []
    assert ("id" in server["flavor"]) == (version in ("2.1", "2.8", "2.9", "2.16", "2.19", "2.26"))


def test_servers_that_can_be_restored_are_listed_for_who_asks_for_them(personas, cloud):
    make_server(personas.member.ctx, address=False, name="here")
    rests = make_server(personas.member.ctx, address=False, name="rests", vm_state=VmState.SOFT_DELETED)
    gone = {"name": "gone", "vm_state": VmState.DELETED, "deleted_at": timezone.now()}
    make_server(personas.member.ctx, address=False, **gone)

    def listed(person, query):
        return set(names(person.api.get(f"{SERVERS}?{query}"))) - {cloud.server.name, cloud.foreign.name}

    assert listed(personas.member, "") == {"here"}
    assert listed(personas.member, "status=SOFT_DELETED") == {"rests"}
    assert listed(personas.member, "changes-since=2020-01-01T00:00:00Z") == {"here", "rests", "gone"}
    assert listed(personas.admin, "all_tenants=1") == {"here"}
    assert listed(personas.admin, "all_tenants=1&soft_deleted=True") == {"here", "rests"}
    assert listed(personas.admin, "all_tenants=1&deleted=True") == {"rests", "gone"}
    assert listed(personas.admin, "all_tenants=1&deleted=True&soft_deleted=False") == {"gone"}
    assert listed(personas.admin, f"all_tenants=1&vm_state={rests.vm_state}") == {"rests"}


def test_deleted_servers_are_listed_by_their_change(personas, cloud):
    gone = make_server(personas.member.ctx, address=False, name="gone", vm_state=VmState.DELETED, deleted_at=timezone.now())
    api = personas.member.api
    assert names(api.get(SERVERS)) == ["web1"]
    assert sorted(names(api.get(f"{SERVERS}?changes-since=2020-01-01T00:00:00Z"))) == ["gone", "web1"]
    newer = {"OpenStack_API_Version": "compute 2.66"}
    assert sorted(names(api.get(f"{SERVERS}?changes-before=2999-01-01T00:00:00Z", **newer))) == ["gone", "web1"]
    assert names(api.get(f"{SERVERS}?changes-before=2020-01-01T00:00:00Z", **newer)) == []
    assert names(personas.admin.api.get(f"{SERVERS}?all_tenants=1&deleted=True&uuid={gone.pk}")) == ["gone"]


def test_access_addresses_and_disk_layout_are_changed_and_found(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}"
    body = {"server": {"accessIPv4": "192.0.2.7", "accessIPv6": "2001:db8::7", "OS-DCF:diskConfig": "AUTO"}}
    shown = check(personas, Row("member", "put", path, 200, body))[0].json()["server"]
    assert {name: shown[name] for name in body["server"]} == body["server"]
    assert names(personas.admin.api.get(f"{SERVERS}?all_tenants=1&access_ip_v4=192.0.2.7")) == ["web1"]
    assert names(personas.admin.api.get(f"{SERVERS}?all_tenants=1&auto_disk_config=False&project_id={personas.lab.pk}")) == []
    cleared = check(personas, Row("member", "put", path, 200, {"server": {"accessIPv4": ""}}))[0].json()["server"]
    assert (cleared["accessIPv4"], cleared["accessIPv6"]) == ("", "2001:db8::7")


@pytest.mark.parametrize("version", ["2.97", "2.98"])
def test_a_servers_image_shows_how_it_runs_from_2_98_on(personas, cloud, version):
    Server.objects.filter(pk=cloud.server.pk).update(image_properties={"hw_disk_bus": "scsi"})
    for path in (f"{SERVERS}/{cloud.server.pk}", f"{SERVERS}/detail"):
        body = personas.member.api.get(path, OpenStack_API_Version=f"compute {version}").json()
        server = body["server"] if "server" in body else body["servers"][0]
        assert server["image"].get("properties") == ({"hw_disk_bus": "scsi"} if version == "2.98" else None)


def test_hostname_is_for_operators_until_2_90(personas, cloud):
    path, key = f"{SERVERS}/{cloud.server.pk}", "OS-EXT-SRV-ATTR:hostname"
    at = {word: {"OpenStack_API_Version": f"compute {word}"} for word in ("2.2", "2.3", "2.89", "2.90")}
    assert key not in personas.member.api.get(path, **at["2.89"]).json()["server"]
    assert key in personas.member.api.get(path, **at["2.90"]).json()["server"]
    assert key not in personas.admin.api.get(path, **at["2.2"]).json()["server"]
    assert key in personas.admin.api.get(path, **at["2.3"]).json()["server"]


def test_a_fault_is_told_with_details_for_operators_only(personas, cloud):
    make_fault(cloud.server)
    path = f"{SERVERS}/{cloud.server.pk}"
    assert personas.member.api.get(path).json()["server"]["fault"]["message"] == "No valid host was found."
    assert "details" not in personas.member.api.get(path).json()["server"]["fault"]
    assert "details" in personas.admin.api.get(path).json()["server"]["fault"]


def test_versions_are_negotiated(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}"
    api = personas.member.api
    latest = api.get(path, OpenStack_API_Version="compute latest")
    assert latest.headers["OpenStack-API-Version"] == "compute 2.104"
    assert "OpenStack-API-Version" in latest.headers["Vary"]
    old = api.get(path, X_OpenStack_Nova_API_Version="2.19")
    assert old.headers["X-OpenStack-Nova-API-Version"] == "2.19"
    assert "description" in old.json()["server"]
    check(personas, Row("member", "get", path, 406, version="2.105", says="maximum is 2.104"))
    check(personas, Row("member", "get", path, 406, version="2.0"))
    check(personas, Row("member", "get", path, 400, version="two"))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "'; DROP TABLE x; --", '"&]]>', "名前 🙂", "a%s{}", "../../etc"]
)
def test_hostile_names_are_data(personas, cloud, name):
    answer = check(personas, Row("member", "post", SERVERS, 202, wish(cloud, name=name), "2.96"))[0]
    shown = personas.member.api.get(f"{SERVERS}/{answer.json()['server']['id']}")
    assert shown.headers["Content-Type"] == "application/json"
    assert shown.json()["server"]["name"] == name


def test_a_server_is_renamed(personas, cloud):
    path, body = f"{SERVERS}/{cloud.server.pk}", {"server": {"name": "web2"}}
    bad = [{}, {"server": []}, {"server": {"name": 1}}, {"server": {"host": "x"}}, {"server": {"description": "before 2.19"}}]
    answer = check(personas, *matrix("put", path, body=body, ok=200, weak="reader", malformed=bad))[-1]
    assert answer.json()["server"]["name"] == "web2"
    described = check(personas, Row("member", "put", path, 200, {"server": {"description": "d"}}, "2.75"))[0]
    assert described.json()["server"]["description"] == "d"
    assert described.json()["server"]["OS-EXT-STS:vm_state"] == "active"


def test_a_server_is_deleted(personas, cloud, sent):
    answer = check(personas, *matrix("delete", f"{SERVERS}/{cloud.server.pk}", ok=204, weak="reader"))[-1]
    assert answer.content == b""
    assert sent() == ["compute.destroy"]


def test_bodies_that_are_no_json(personas, cloud):
    api = personas.member.api
    for raw in ("{", "[" * 10_000, '{"server": {"name": NaN}}', "null", "[]", '"x"', b"\xff\xfe".decode("latin1")):
        answer = api.client.post(SERVERS, data=raw, content_type="application/json", headers={"X-Auth-Token": api.token})
        assert answer.status_code == 400, raw[:20]
        assert list(answer.json()) == ["badRequest"]
    huge = json.dumps({"server": {"name": "x" * 1_200_000}})
    assert (
        api.client.post(SERVERS, data=huge, content_type="application/json", headers={"X-Auth-Token": api.token}).status_code
        == 413
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/vnd.openstack.compute+json", 200),
        ("text/plain", 200),
        ("", 200),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_bodies_by_their_type(personas, cloud, kind, status):
    api = personas.member.api
    path, headers = f"{SERVERS}/{cloud.server.pk}/metadata", {"X-Auth-Token": api.token}
    answer = api.client.post(path, data=b'{"metadata": {"a": "b"}}', content_type=kind, headers=headers)
    assert answer.status_code == status
    assert list(answer.json()) == (["metadata"] if status == 200 else ["badMediaType"])
    asked = Row("member", "get", SERVERS, status, headers={"Content-Type": kind})
    check(personas, asked, Row("anonymous", "get", SERVERS, 401, headers={"Content-Type": kind}))


def test_addresses_that_are_none(personas, cloud):
    check(
        personas,
        Row("anonymous", "get", "/compute/v2.1/no-such", 401),
        Row("member", "get", "/compute/v2.1/no-such", 404),
        Row("member", "get", "/compute/v3", 404),
        Row("member", "get", f"{SERVERS}/x%00y", 404),
        Row("member", "delete", SERVERS, 405),
        Row("member", "patch", f"{SERVERS}/{cloud.server.pk}", 405),
    )


def test_members_can_be_let_see_that_a_host_is_silent_and_no_more(settings, tmp_path, personas, cloud):
    path = tmp_path / "policy.json"
    path.write_text('{"os_compute_api:servers:show:host_status:unknown-only": "@"}')
    settings.POLICY_FILES = {**settings.POLICY_FILES, "compute": path}
    engine.reset()
    newer = {"OpenStack_API_Version": "compute 2.16"}
    server = f"{SERVERS}/{cloud.server.pk}"
    try:
        assert "host_status" not in personas.member.api.get(server, **newer).json()["server"]
        Service.objects.update(seen_at=None)
        assert personas.member.api.get(server, **newer).json()["server"]["host_status"] == "UNKNOWN"
    finally:
        engine.reset()


def test_each_list_of_all_projects_asks_its_own_rule(settings, tmp_path, personas, cloud):
    path = tmp_path / "policy.json"
    path.write_text('{"os_compute_api:servers:detail:get_all_tenants": "!"}')
    settings.POLICY_FILES = {**settings.POLICY_FILES, "compute": path}
    engine.reset()
    try:
        assert personas.admin.api.get("/compute/v2.1/servers?all_tenants=1").status_code == 200
        assert personas.admin.api.get("/compute/v2.1/servers/detail?all_tenants=1").status_code == 403
    finally:
        engine.reset()
