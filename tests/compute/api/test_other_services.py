"""What other services tell of servers and ask of hosts."""

from compute.models import Server
from tests.kit.api import Row, check, matrix

V2 = "/compute/v2.1"
EVENTS = f"{V2}/os-server-external-events"
SNAPSHOTS = f"{V2}/os-assisted-volume-snapshots"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def news(server_id, name="network-changed", **more):
    return {"events": [{"server_uuid": server_id, "name": name, **more}]}


def told(personas, status, body, version="2.1"):
    return check(personas, Row("admin", "post", EVENTS, status, body, version))[0].json()["events"]


def test_news_of_the_network_is_taken(personas, cloud):
    body = news(cloud.server.pk, tag="port-1")
    bad = [{}, {"events": []}, news("x"), news(cloud.server.pk, "other"), news(cloud.server.pk, status="odd")]
    bad += [news(cloud.server.pk, "volume-extended"), news(cloud.server.pk, more=1)]
    rows = matrix("post", EVENTS, body=body, ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    (event,) = check(personas, *rows)[-1].json()["events"]
    assert event == {**body["events"][0], "status": "completed", "code": 200}
    check(personas, Row("service", "post", EVENTS, 200, body))


def test_each_event_has_its_own_answer(personas, cloud):
    body = {"events": [*news(cloud.server.pk)["events"], *news(MADE_UP)["events"]]}
    assert [event["code"] for event in told(personas, 207, body)] == [200, 404]


def test_what_nothing_here_can_act_on_is_said(personas, cloud):
    assert told(personas, 207, news(cloud.server.pk, "volume-extended"), "2.51")[0]["code"] == 400
    assert told(personas, 207, news(cloud.server.pk, "volume-extended", tag="v"), "2.51")[0]["code"] == 422
    Server.objects.filter(pk=cloud.server.pk).update(host=None)
    assert told(personas, 207, news(cloud.server.pk))[0]["code"] == 422


def test_no_server_has_a_volume_to_snapshot(personas):
    info = {"snapshot_id": "s", "type": "qcow2", "new_file": "f"}
    body = {"snapshot": {"volume_id": MADE_UP, "create_info": info}}
    check(
        personas,
        Row("anonymous", "post", SNAPSHOTS, 401, body),
        Row("member", "post", SNAPSHOTS, 403, body),
        Row("admin", "post", SNAPSHOTS, 400, body, says=MADE_UP),
        Row("admin", "post", SNAPSHOTS, 400, {"snapshot": {}}),
        Row("member", "delete", f"{SNAPSHOTS}/s", 403),
        Row("admin", "delete", f"{SNAPSHOTS}/s", 400),
        Row("admin", "delete", f'{SNAPSHOTS}/s?delete_info={{"volume_id":"{MADE_UP}"}}', 400, says=MADE_UP),
    )
