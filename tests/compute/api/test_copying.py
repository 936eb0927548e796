"""The actions that copy or exchange disks: who may, in which state, with which body, and what is answered."""

import pytest

from compute.models import Server
from compute.states import TaskState, VmState
from compute.virt.admin_password import opened
from images.models import Image
from portal.core import bus
from tests.kit.api import Row, check, matrix
from tests.kit.compute import make_image

SERVERS = "/compute/v2.1/servers"
MADE_UP = "00000000-0000-4000-8000-000000000000"
LONG = "x" * 256


@pytest.fixture
def path(cloud):
    Server.objects.filter(pk=cloud.server.pk).update(image_id=cloud.image.pk)
    return f"{SERVERS}/{cloud.server.pk}/action"


def put_in(server, state, **more):
    Server.objects.filter(pk=server.pk).update(vm_state=state, task_state=None, **more)


@pytest.mark.parametrize(
    ("name", "arguments", "right", "ok", "actor", "weak", "who"),
    [
        ("createImage", {"name": "copy"}, VmState.ACTIVE, 202, "compute.copy_disk", "reader", "member"),
        ("createBackup", {"name": "b", "backup_type": "daily", "rotation": 1}, VmState.STOPPED, 202, "compute.copy_disk", "reader", "member"),
        ("rescue", None, VmState.ACTIVE, 200, "compute.rescue", "reader", "member"),
        ("unrescue", None, VmState.RESCUED, 202, "compute.unrescue", "reader", "member"),
        ("shelve", None, VmState.ACTIVE, 202, "compute.copy_disk", "reader", "member"),
        ("shelveOffload", None, VmState.SHELVED, 202, "compute.offload", "member", "admin"),
        ("unshelve", None, VmState.SHELVED, 202, "compute.unshelve", "reader", "member"),
    ],
)  # fmt: skip
def test_each_has_its_rule_its_states_and_its_command(
    personas, cloud, sent, path, name, arguments, right, ok, actor, weak, who
):
    body = {name: arguments}
    put_in(cloud.server, VmState.BUILDING)
    says = f"Cannot '{name}' instance {cloud.server.pk} while it is in vm_state building"
    check(personas, Row(who, "post", path, 409, body, says=says))
    put_in(cloud.server, right)
    check(personas, *matrix("post", path, body=body, ok=ok, weak=weak, who=who))
    assert sent()[-1] == actor
    check(personas, Row(who, "post", path, 409, body, says="while it is in task_state"))
    check(personas, Row(who, "post", f"{SERVERS}/{MADE_UP}/action", 404, body))


def test_an_image_is_named_in_the_body_from_2_45_and_in_a_header_before(personas, cloud, path):
    old = check(personas, Row("member", "post", path, 202, {"createImage": {"name": "a"}}, "2.44"))[0]
    assert old.content == b""
    assert Image.objects.filter(pk=old["Location"].rpartition("/")[2], name="a").exists()
    put_in(cloud.server, VmState.ACTIVE)
    new = check(personas, Row("member", "post", path, 202, {"createImage": {"name": "b"}}, "2.45"))[0]
    assert set(new.json()) == {"image_id"}
    assert "Location" not in new
    put_in(cloud.server, VmState.ACTIVE)
    none = {"createBackup": {"name": "c", "backup_type": "daily", "rotation": 0}}
    assert "Location" not in check(personas, Row("member", "post", path, 202, none, "2.44"))[0]


def test_malformed_bodies(personas, path):
    backup = {"name": "b", "backup_type": "daily", "rotation": 1}
    bad = [{"createImage": one} for one in (None, {}, {"name": ""}, {"name": LONG}, {"name": "a", "more": 1})]
    bad += [{"createImage": {"name": "a", "metadata": one}} for one in ({"": "v"}, {LONG: "v"}, {"k": 1}, {"status": "x"})]
    bad += [
        {"createBackup": backup | one} for one in ({"rotation": -1}, {"rotation": "many"}, {"name": ""}, {"backup_type": 1})
    ]
    bad += [{"createBackup": {"name": "b", "rotation": 1}}]
    bad += [{"rebuild": one} for one in (None, {}, {"imageRef": ""}, {"imageRef": "x"}, {"imageRef": MADE_UP})]
    bad += [{"rebuild": {"imageRef": MADE_UP, "key_name": "k"}}]
    bad += [{"rescue": one} for one in ({"rescue_image_ref": "x"}, {"rescue_image_ref": MADE_UP}, {"more": 1}, "x")]
    check(personas, *(Row("member", "post", path, 400, body) for body in bad))


def test_a_rebuild_answers_with_the_server(personas, cloud, path):
    image = make_image(owner=personas.member.ctx.project_id)
    wish = {
        "imageRef": image.pk,
        "name": "renewed",
        "metadata": {"a": "b"},
        "adminPass": "secret",
        "preserve_ephemeral": "true",
    }
    answer = check(personas, *matrix("post", path, body={"rebuild": wish}, ok=202, weak="reader"))[-1]
    server = answer.json()["server"]
    assert answer["Location"].endswith(f"/servers/{cloud.server.pk}")
    assert (server["name"], server["metadata"], server["adminPass"], server["status"]) == (
        "renewed",
        {"a": "b"},
        "secret",
        "REBUILD",
    )
    assert server["image"]["id"] == image.pk
    assert not {"key_name", "user_data", "OS-EXT-STS:vm_state"} & set(server)
    details = Server.objects.get(pk=cloud.server.pk).operation_details
    assert opened(bus.queue_key(), details.pop("admin_pass")) == "secret"
    assert details == {"start": True, "preserve_ephemeral": True}


def test_newer_versions_change_more_by_a_rebuild(personas, cloud, path):
    image = make_image(owner=personas.member.ctx.project_id)

    def rebuild(version, status=202, **more):
        put_in(cloud.server, VmState.ACTIVE)
        body = {"rebuild": {"imageRef": image.pk, **more}}
        return check(personas, Row("member", "post", path, status, body, version))[0].json().get("server")

    assert rebuild("2.19", description="d")["description"] == "d"
    assert rebuild("2.54", key_name=None)["key_name"] is None
    file = {"path": "/new", "contents": "eA=="}
    rebuild("2.56", personality=[file])
    assert Server.objects.get(pk=cloud.server.pk).injected_files == [file]
    assert rebuild("2.57", user_data="YQ==")["user_data"] == "YQ=="
    assert rebuild("2.57", user_data=None)["user_data"] is None
    assert rebuild("2.90", hostname="other-name")["OS-EXT-SRV-ATTR:hostname"] == "other-name"
    assert rebuild("2.75")["OS-EXT-STS:task_state"] == TaskState.REBUILDING
    rebuild("2.18", 400, description="d")
    rebuild("2.53", 400, key_name="k")
    rebuild("2.54", 400, key_name="no-such")
    rebuild("2.56", 400, user_data="YQ==")
    rebuild("2.56", 400, personality=[{"path": "/new"}])
    rebuild("2.57", 400, personality=[file])
    rebuild("2.57", 400, user_data="not base 64!")
    rebuild("2.63", 400, trusted_image_certificates=[MADE_UP])
    rebuild("2.89", 400, hostname="other")


def test_a_password_for_the_rescue_is_the_one_that_was_asked_for(personas, cloud, path):
    answer = check(personas, Row("member", "post", path, 200, {"rescue": {"adminPass": "mine"}}))[0]
    assert answer.json() == {"adminPass": "mine"}
    details = Server.objects.get(pk=cloud.server.pk).operation_details
    assert opened(bus.queue_key(), details["admin_pass"]) == "mine"


def test_where_a_server_comes_back_can_be_said_from_2_77(personas, cloud, path):
    def unshelve(who, status, wish, version):
        put_in(cloud.server, VmState.SHELVED_OFFLOADED, host=None, shelved_image_id=cloud.image.pk)
        check(personas, Row(who, "post", path, status, {"unshelve": wish}, version))

    unshelve("member", 202, {"availability_zone": "anything"}, "2.76")  # it says nothing there yet
    unshelve("member", 202, {"availability_zone": "nova"}, "2.77")
    unshelve("member", 400, {"availability_zone": "mars"}, "2.77")
    unshelve("member", 400, {"availability_zone": None}, "2.77")
    unshelve("member", 400, {}, "2.77")
    unshelve("member", 400, {"host": "host1"}, "2.90")
    unshelve("member", 202, {"availability_zone": None}, "2.91")
    unshelve("member", 403, {"host": "host1"}, "2.91")
    unshelve("admin", 202, {"availability_zone": "nova", "host": "host1"}, "2.91")
    unshelve("admin", 400, {"host": "no-such"}, "2.91")
    put_in(cloud.server, VmState.SHELVED, host="host1")
    check(personas, Row("member", "post", path, 409, {"unshelve": {"availability_zone": "nova"}}, "2.77"))
