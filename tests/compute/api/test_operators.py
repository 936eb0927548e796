"""Services, hypervisors, zones, limits, quotas, extensions, versions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compute.models import Host, Server, Service
from compute.states import TaskState
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix
from tests.kit.compute import HostFactory

V2 = "/compute/v2.1"
UPTIME = "12:14:41 up 3 days,  2:11,  1 user,  load average: 0.20, 0.12, 0.14"
MADE_UP = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("path", ["/compute", "/compute/"])
def test_versions_are_told_to_everybody(personas, path):
    older, version = check(personas, Row("anonymous", "get", path, 200))[0].json()["versions"]
    assert (older["id"], older["version"], older["status"]) == ("v2.0", "", "SUPPORTED")
    assert (version["id"], version["version"], version["min_version"]) == ("v2.1", "2.104", "2.1")
    assert version["links"][0]["href"] == "http://testserver/compute/v2.1/"


@pytest.mark.parametrize("path", [V2, f"{V2}/"])
def test_one_version_is_told_to_everybody(personas, path):
    answer = check(personas, Row("anonymous", "get", path, 200, headers={"Host": "cloud.example.org"}))[0]
    assert answer.json()["version"]["links"][0]["href"] == "http://cloud.example.org/compute/v2.1/"


def test_the_older_address_knows_no_microversions(personas, cloud):
    document = check(personas, Row("anonymous", "get", "/compute/v2/", 200))[0].json()["version"]
    assert document["links"][0]["href"] == "http://testserver/compute/v2/"
    server = personas.member.api.get(f"/compute/v2/servers/{cloud.server.pk}", OpenStack_API_Version="compute 2.96")
    assert not {"OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Vary"} & set(server.headers)
    assert "locked" not in server.json()["server"]


@pytest.mark.parametrize(
    ("asked", "own", "lasting"),
    [
        ("/compute/v2.1", "/compute/v2.1", "/compute"),
        ("/compute/v2", "/compute/v2", "/compute"),
        ("/compute/v2.1/{project}", "/compute/v2.1/{project}", "/compute/{project}"),
        ("/compute/v2/{project}", "/compute/v2/{project}", "/compute/{project}"),
    ],
)
def test_links_are_spelled_as_the_client_spelled_its_address(personas, cloud, asked, own, lasting):
    asked, own, lasting = (path.format(project=cloud.server.project_id) for path in (asked, own, lasting))
    server = personas.member.api.get(f"{asked}/servers/{cloud.server.pk}").json()["server"]
    assert server["links"] == [
        {"rel": "self", "href": f"http://testserver{own}/servers/{cloud.server.pk}"},
        {"rel": "bookmark", "href": f"http://testserver{lasting}/servers/{cloud.server.pk}"},
    ]
    assert server["image"]["links"][0]["href"] == f"http://testserver{lasting}/images/{cloud.server.image_id}"
    flavor = personas.member.api.get(f"{asked}/flavors").json()["flavors"][0]
    assert flavor["links"][0]["href"] == f"http://testserver{own}/flavors/{flavor['id']}"


def test_services(personas, cloud):
    path = f"{V2}/os-services"
    rows = matrix("get", path, ok=200, who="admin", stranger=403, weak="member")
    service = check(personas, *rows)[-1].json()["services"][0]
    assert (service["host"], service["state"], service["status"]) == ("host1", "up", "enabled")
    assert "forced_down" not in service
    assert personas.admin.api.get(f"{path}?host=other").json() == {"services": []}
    word = {"host": "host1", "binary": "nova-compute"}
    reason = {**word, "disabled_reason": "broken fan"}
    check(
        personas,
        *matrix("put", f"{path}/disable", body=word, ok=200, who="admin", stranger=403, weak="member", malformed=[{}]),
    )
    check(
        personas,
        Row("admin", "put", f"{path}/disable-log-reason", 200, reason, "2.11"),
        Row("admin", "put", f"{path}/disable-log-reason", 400, word, "2.11"),
        Row("admin", "put", f"{path}/enable", 404, {**word, "host": "no-such"}, "2.11"),
        Row("admin", "put", f"{path}/force-down", 404, {**word, "forced_down": True}, "2.10"),
        Row("admin", "put", f"{path}/force-down", 200, {**word, "forced_down": True}, "2.11"),
        Row("admin", "put", f"{path}/no-such", 404, word, "2.11"),
        Row("admin", "put", f"{path}/enable", 400, {"status": "enabled"}, "2.53"),
        Row("admin", "delete", f"{path}/1", 400, version="2.53"),
    )
    shown = personas.admin.api.get(path, OpenStack_API_Version="compute 2.11").json()["services"][0]
    assert (shown["state"], shown["status"], shown["disabled_reason"]) == ("down", "disabled", "broken fan")


@pytest.mark.parametrize("version", ["2.1", "2.11", "2.52"])
def test_only_compute_services_are_changed(personas, cloud, version):
    Service.objects.create(binary="nova-conductor", host="control", zone="internal")
    for binary, host in (("nova-conductor", "control"), ("nova-conductor", "no-such"), ("nova-scheduler", "control")):
        body = {"host": host, "binary": binary}
        for word in ("disable", "enable"):
            says = "Only nova-compute services"
            check(personas, Row("admin", "put", f"{V2}/os-services/{word}", 400, body, version, says=says))
    assert not Service.objects.filter(disabled=True).exists()


def test_services_by_uuid_from_2_53(personas, cloud):
    path = f"{V2}/os-services/{cloud.host.service.uuid}"
    bad = [{}, {"status": "off"}, {"disabled_reason": "x"}, {"forced_down": "maybe"}, {"more": 1}]
    body = {"status": "disabled", "disabled_reason": "fan", "forced_down": True}
    rows = matrix("put", path, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad, version="2.53")
    assert check(personas, *rows)[-1].json()["service"]["disabled_reason"] == "fan"
    check(
        personas,
        Row("admin", "put", f"{V2}/os-services/{MADE_UP}", 404, body, "2.53"),
        Row("admin", "delete", path, 409, version="2.53"),
        Row("member", "delete", path, 403, version="2.53"),
    )
    idle = HostFactory(name="idle")
    check(personas, Row("admin", "delete", f"{V2}/os-services/{idle.service.uuid}", 204, version="2.53"))


def test_hypervisors(personas, cloud):
    path = f"{V2}/os-hypervisors"
    Host.objects.update(uptime=UPTIME)
    for tail in ("", "/detail", "/statistics", f"/{cloud.host.pk}", "/host/search", "/host/servers"):
        check(personas, *matrix("get", f"{path}{tail}", ok=200, who="admin", stranger=403, weak="member"))
    api = personas.admin.api
    detail = api.get(f"{path}/detail").json()["hypervisors"][0]
    assert (detail["memory_mb"], detail["running_vms"], detail["id"]) == (16384, 2, cloud.host.pk)
    Server.objects.filter(pk=cloud.server.pk).update(task_state=TaskState.REBOOTING)
    for tail, found in (
        ("/detail", lambda body: body["hypervisors"][0]),
        ("/statistics", lambda body: body["hypervisor_statistics"]),
    ):
        shown = found(api.get(f"{path}{tail}").json())
        assert (shown["current_workload"], shown["running_vms"]) == (1, 2)
    assert api.get(f"{path}/{cloud.host.pk}").json()["hypervisor"]["current_workload"] == 1
    assert isinstance(detail["cpu_info"], str)
    assert isinstance(
        api.get(f"{path}/detail", OpenStack_API_Version="compute 2.28").json()["hypervisors"][0]["cpu_info"], dict
    )
    lean = api.get(f"{path}/{cloud.host.uuid}", OpenStack_API_Version="compute 2.88").json()["hypervisor"]
    assert "vcpus" not in lean
    assert lean["uptime"] == UPTIME
    told = check(personas, *matrix("get", f"{path}/{cloud.host.pk}/uptime", ok=200, who="admin", stranger=403, weak="member"))
    assert told[-1].json()["hypervisor"]["uptime"] == UPTIME
    named = api.get(f"{path}?with_servers=true", OpenStack_API_Version="compute 2.53").json()["hypervisors"][0]["servers"]
    assert len(named) == 2
    check(
        personas,
        Row("admin", "get", f"{path}/statistics", 404, version="2.88"),
        Row("admin", "get", f"{path}/{MADE_UP}", 404, version="2.53"),
        Row("admin", "get", f"{path}/999", 404),
        Row("admin", "get", f"{path}/{cloud.host.uuid}/uptime", 404, version="2.88"),
        Row("admin", "get", f"{path}/no-such/search", 404),
        Row("admin", "get", f"{path}/host/search", 404, version="2.53"),
        Row("admin", "get", f"{path}?hypervisor_hostname_pattern=zzz", 404, version="2.53"),
        Row("admin", "get", f"{path}?marker={MADE_UP}", 400, version="2.53"),
    )


def test_what_a_host_does_not_tell_is_not_known(personas, cloud):
    path = f"{V2}/os-hypervisors"
    Host.objects.update(uptime="")
    check(personas, Row("admin", "get", f"{path}/{cloud.host.pk}/uptime", 501))
    Service.objects.update(forced_down=True)
    check(personas, Row("admin", "get", f"{path}/{cloud.host.pk}/uptime", 400))
    assert (
        personas.admin.api.get(f"{path}/detail", OpenStack_API_Version="compute 2.88").json()["hypervisors"][0]["uptime"]
        is None
    )


def test_hypervisors_take_a_fixed_number_of_queries(personas, cloud):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert personas.admin.api.get(f"{V2}/os-hypervisors/detail").status_code == 200
        return len(captured)

    queries()
    few = queries()
    for number in range(10):
        HostFactory(name=f"more-{number}")
        make_server(personas.member.ctx, address=False, host=f"more-{number}")
    assert queries() == few


def test_zones(personas, cloud):
    path = f"{V2}/os-availability-zone"
    zones = check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json()["availabilityZoneInfo"]
    assert zones == [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]
    rows = matrix("get", f"{path}/detail", ok=200, who="admin", stranger=403, weak="member")
    hosts = check(personas, *rows)[-1].json()["availabilityZoneInfo"][0]["hosts"]
    assert hosts["host1"]["nova-compute"]["available"] is True


def test_limits(personas, cloud):
    path = f"{V2}/limits"
    absolute = check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json()["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["maxTotalInstances"]) == (1, 10)
    assert "maxPersonality" in absolute
    later = personas.member.api.get(path, OpenStack_API_Version="compute 2.57").json()["limits"]["absolute"]
    assert not {"maxPersonality", "maxImageMeta", "maxSecurityGroups"} & set(later)
    other = f"{path}?tenant_id={personas.other.pk}"
    check(personas, Row("member", "get", other, 403), Row("admin", "get", other, 200))


def test_quota_sets(personas, cloud):
    CatalogServiceFactory(type="compute")
    path = f"{V2}/os-quota-sets/{personas.lab.pk}"
    shown = check(personas, *matrix("get", path, ok=200, stranger=403))[-1].json()["quota_set"]
    assert (shown["id"], shown["instances"]) == (personas.lab.pk, 10)
    detail = check(personas, *matrix("get", f"{path}/detail", ok=200, stranger=403))[-1].json()["quota_set"]
    assert detail["instances"] == {"limit": 10, "in_use": 1, "reserved": 0}
    check(personas, *matrix("get", f"{path}/defaults", ok=200, stranger=200))
    bad = [{}, {"quota_set": {"instances": "x"}}, {"quota_set": {"instances": -2}}, {"quota_set": {"more": 1}}]
    bad += [{"quota_set": {"instances": 2**40}}, {"quota_set": {"server_groups": "many"}}, {"quota_set": {"instances": 0}}]
    body = {"quota_set": {"instances": 5, "cores": -1}}
    rows = matrix("put", path, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    assert check(personas, *rows)[-1].json()["quota_set"]["instances"] == 5
    check(personas, Row("admin", "put", f"{V2}/os-quota-sets/no-such", 400, body))
    check(personas, Row("admin", "put", path, 200, {"quota_set": {"instances": 0, "force": True}}))
    check(personas, *matrix("delete", path, ok=202, who="admin", stranger=403, weak="member"))
    assert personas.member.api.get(path).json()["quota_set"]["instances"] == 10


def test_what_is_only_named(personas, cloud):
    check(
        personas,
        *matrix("get", f"{V2}/extensions", ok=200, stranger=200),
        *matrix("get", f"{V2}/extensions/servers", ok=200, stranger=200),
        Row("member", "get", f"{V2}/extensions/os-no-such", 404),
        *matrix("get", f"{V2}/os-aggregates", ok=200, who="admin", stranger=403, weak="member"),
        *matrix("get", f"{V2}/os-quota-class-sets/default", ok=200, who="admin", stranger=403, weak="member"),
    )
