"""Actions, the actions log and the parts of a server."""

import pytest

from compute.models import Server
from compute.states import VmState
from tests.compute.api.world import make_action, make_server
from tests.kit.api import Row, check, matrix

SERVERS = "/compute/v2.1/servers"
BACKWARDS = "changes-since=2020-01-01T00:00:00Z&changes-before=2019-01-01T00:00:00Z"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def action(server):
    return f"{SERVERS}/{server.pk}/action"


def put_in(server, state):
    Server.objects.filter(pk=server.pk).update(vm_state=state, task_state=None)


@pytest.mark.parametrize(
    ("name", "body", "right", "wrong", "command"),
    [
        ("start", {"os-start": None}, VmState.STOPPED, VmState.ACTIVE, "compute.power_on"),
        ("stop", {"os-stop": {}}, VmState.ACTIVE, VmState.STOPPED, "compute.power_off"),
        ("reboot", {"reboot": {"type": "SOFT"}}, VmState.ACTIVE, VmState.STOPPED, "compute.reboot"),
        ("reboot", {"reboot": {"type": "hard"}}, VmState.STOPPED, VmState.BUILDING, "compute.reboot"),
    ],
)
def test_power(personas, cloud, sent, name, body, right, wrong, command):
    path = action(cloud.server)
    put_in(cloud.server, wrong)
    says = f"Cannot '{name}' instance {cloud.server.pk} while it is in vm_state {wrong}"
    check(personas, Row("member", "post", path, 409, body, says=says))
    put_in(cloud.server, right)
    assert check(personas, *matrix("post", path, body=body, ok=202, weak="reader"))[-1].content == b""
    assert sent() == [command]
    if body == {"reboot": {"type": "hard"}}:  # which goes before one that is under way
        check(personas, Row("member", "post", path, 202, body))
        assert sent() == [command, command]
    else:
        check(personas, Row("member", "post", path, 409, body, says="while it is in task_state"))


def test_bodies_that_name_no_action(personas, cloud):
    bad = [{}, [], {"os-start": None, "os-stop": None}, {"no-such": {}}, {"reboot": {}}, {"reboot": {"type": "SOFTLY"}}]
    bad += [
        {"reboot": {"type": "SOFT", "more": 1}},
        {"reboot": None},
        {"reboot": "SOFT"},
        {"os-getConsoleOutput": {"length": "x"}},
    ]
    check(personas, *(Row("member", "post", action(cloud.server), 400, body) for body in bad))
    check(personas, Row("member", "post", f"{SERVERS}/{MADE_UP}/action", 404, {"os-start": None}))


def test_the_actions_log(personas, cloud):
    for number in range(3):
        make_action(cloud.server, request_id=f"req-{number}", minutes_ago=number)
    path = f"{SERVERS}/{cloud.server.pk}/os-instance-actions"
    answer = check(personas, *matrix("get", path, ok=200))[-1]
    listed = answer.json()["instanceActions"]
    assert [row["request_id"] for row in listed] == ["req-0", "req-1", "req-2"]
    assert "updated_at" not in listed[0]
    first = check(personas, Row("member", "get", f"{path}?limit=2", 200, version="2.58"))[0].json()
    assert [row["request_id"] for row in first["instanceActions"]] == ["req-0", "req-1"]
    assert first["instanceActions"][0]["updated_at"]
    rest = personas.member.api.get(
        first["links"][0]["href"].removeprefix("http://testserver"), OpenStack_API_Version="compute 2.58"
    )
    assert [row["request_id"] for row in rest.json()["instanceActions"]] == ["req-2"]
    check(
        personas,
        Row("member", "get", f"{path}?marker=req-9", 400, version="2.58"),
        Row("member", "get", f"{path}?changes-since=soon", 400, version="2.58"),
        Row("member", "get", f"{path}?{BACKWARDS}", 400, version="2.66", says="less than or equal to changes-before"),
        Row("member", "get", f"{path}?{BACKWARDS}", 200, version="2.65"),
        Row("member", "get", f"{path}/req-9", 404),
    )


def test_the_steps_of_an_action(personas, cloud):
    make_action(cloud.server, request_id="req-0")
    path = f"{SERVERS}/{cloud.server.pk}/os-instance-actions/req-0"

    def steps(who, version):
        answer = check(personas, Row(who, "get", path, 200, version=version))[0]
        return answer.json()["instanceAction"].get("events")

    assert steps("member", "2.50") is None
    assert set(steps("admin", "2.50")[0]) == {"event", "start_time", "finish_time", "result", "traceback"}
    assert set(steps("member", "2.51")[0]) == {"event", "start_time", "finish_time", "result"}
    assert "host" not in steps("member", "2.62")[0]
    assert steps("admin", "2.62")[0]["host"] == "host1"
    assert "details" not in steps("member", "2.84")[0]
    assert steps("admin", "2.84")[0]["details"] == "went down"


def test_the_log_outlives_the_server_from_2_21(personas, cloud):
    make_action(cloud.server, request_id="req-0")
    Server.objects.filter(pk=cloud.server.pk).update(deleted_at=cloud.server.created_at, vm_state=VmState.DELETED)
    path = f"{SERVERS}/{cloud.server.pk}/os-instance-actions"
    check(personas, Row("member", "get", path, 404, version="2.20"), Row("member", "get", path, 200, version="2.21"))


def test_metadata(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}/metadata"
    assert check(personas, *matrix("get", path, ok=200))[-1].json() == {"metadata": {"role": "web"}}
    bad = [
        {},
        {"metadata": None},
        {"metadata": {"k": 1}},
        {"metadata": {"": "v"}},
        {"metadata": {"k" * 256: "v"}},
        {"meta": {}},
    ]
    more = {"metadata": {"tier": "1"}}
    answer = check(personas, *matrix("post", path, body=more, ok=200, weak="reader", malformed=bad))[-1]
    assert answer.json() == {"metadata": {"role": "web", "tier": "1"}}
    answer = check(personas, *matrix("put", path, body=more, ok=200, weak="reader", malformed=bad))[-1]
    assert answer.json() == {"metadata": {"tier": "1"}}
    item = {"meta": {"tier": "2"}}
    mismatch = [{"meta": {"other": "2"}}, {"meta": {}}, {"meta": {"tier": "1", "x": "y"}}]
    check(personas, *matrix("put", f"{path}/tier", body=item, ok=200, weak="reader", malformed=mismatch))
    assert personas.member.api.get(f"{path}/tier").json() == {"meta": {"tier": "2"}}
    check(personas, *matrix("delete", f"{path}/tier", ok=204, weak="reader"))
    check(personas, Row("member", "delete", f"{path}/tier", 404), Row("member", "get", f"{path}/tier", 404))
    many = {"metadata": {f"k{number}": "v" for number in range(129)}}
    check(personas, Row("member", "post", path, 403, many, says="Maximum number of metadata items exceeds 128"))
    for vm_state, status in ((VmState.PAUSED, 200), (VmState.SUSPENDED, 200), (VmState.BUILDING, 409), (VmState.ERROR, 409)):
        put_in(cloud.server, vm_state)
        check(personas, Row("member", "post", path, status, more))


def test_addresses_ports_groups_and_volumes(personas, cloud):
    base = f"{SERVERS}/{cloud.server.pk}"
    found = check(personas, *matrix("get", f"{base}/ips", ok=200))[-1].json()["addresses"]["private"]
    assert found[0]["version"] == 4
    assert check(personas, *matrix("get", f"{base}/ips/private", ok=200))[-1].json() == {"private": found}
    check(personas, Row("member", "get", f"{base}/ips/no-such", 404))
    ports = check(personas, *matrix("get", f"{base}/os-interface", ok=200))[-1].json()["interfaceAttachments"]
    assert ports[0]["fixed_ips"][0]["ip_address"] == found[0]["addr"]
    assert "tag" not in ports[0]
    one = f"{base}/os-interface/{ports[0]['port_id']}"
    assert check(personas, Row("member", "get", one, 200, version="2.70"))[0].json()["interfaceAttachment"]["tag"] is None
    check(personas, Row("member", "get", f"{base}/os-interface/{MADE_UP}", 404))
    groups = check(personas, *matrix("get", f"{base}/os-security-groups", ok=200))[-1].json()["security_groups"]
    assert [group["name"] for group in groups] == ["default"]
    assert check(personas, *matrix("get", f"{base}/os-volume_attachments", ok=200))[-1].json() == {"volumeAttachments": []}
    attach = {"volumeAttachment": {"volumeId": MADE_UP, "device": "/dev/vdb"}}
    check(
        personas,
        Row("member", "post", f"{base}/os-volume_attachments", 404, attach),
        Row("member", "post", f"{base}/os-volume_attachments", 400, {"volumeAttachment": {}}),
        *(Row("member", verb, f"{base}/os-volume_attachments/{MADE_UP}", 404) for verb in ("get", "put", "delete")),
    )
    shares, newest = f"{base}/shares", "2.97"
    assert check(personas, *matrix("get", shares, ok=200, version=newest))[-1].json() == {"shares": []}
    check(
        personas,
        Row("member", "get", shares, 404),
        Row("member", "post", shares, 404, {"share": {"share_id": MADE_UP}}, version=newest, says="Share"),
        Row("member", "post", shares, 400, {"share": {}}, version=newest),
        *(Row("member", verb, f"{shares}/{MADE_UP}", 404, version=newest) for verb in ("get", "delete")),
    )


def test_a_locked_server_is_left_alone(personas, cloud):
    server = make_server(personas.member.ctx, name="locked", locked=True)
    check(personas, Row("member", "post", action(server), 409, {"os-stop": None}, says="is locked"))
    check(personas, Row("admin", "post", action(server), 202, {"os-stop": None}))
