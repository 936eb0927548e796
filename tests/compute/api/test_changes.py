"""Pause, suspend, lock, resize and their like; moves; the list of migrations."""

import pytest

from compute.api.v2_1 import versions
from compute.models import Migration, Server
from compute.services import migrations
from compute.states import VmState
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix
from tests.kit.compute import FlavorFactory

SERVERS = "/compute/v2.1/servers"
MIGRATIONS = "/compute/v2.1/os-migrations"


def action(server):
    return f"{SERVERS}/{server.pk}/action"


def put_in(server, state, **fields):
    Server.objects.filter(pk=server.pk).update(vm_state=state, task_state=None, **fields)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "status"),
    [
        ("pause", VmState.ACTIVE, VmState.PAUSED, 202),
        ("unpause", VmState.PAUSED, VmState.ACTIVE, 202),
        ("suspend", VmState.ACTIVE, VmState.STOPPED, 202),
        ("resume", VmState.SUSPENDED, VmState.ACTIVE, 202),
        ("restore", VmState.SOFT_DELETED, VmState.ACTIVE, 202),
        ("confirmResize", VmState.RESIZED, VmState.ACTIVE, 204),
        ("revertResize", VmState.RESIZED, VmState.STOPPED, 202),
    ],
)
@pytest.mark.parametrize("body", [None, {}])
def test_what_needs_nothing_but_the_server(personas, cloud, sent, name, right, wrong, status, body):
    path = action(cloud.server)
    put_in(cloud.server, wrong)
    says = f"Cannot '{name}' instance {cloud.server.pk} while it is in vm_state {wrong}"
    check(personas, Row("member", "post", path, 409, {name: body}, says=says))
    put_in(cloud.server, right)
    assert check(personas, *matrix("post", path, body={name: body}, ok=status, weak="reader"))[-1].content == b""
    assert sent() == ["compute.end_resize" if name in ("confirmResize", "revertResize") else "compute.change"]
    check(personas, Row("member", "post", path, 409, {name: body}, says="while it is in task_state"))
    log = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}/os-instance-actions").json()["instanceActions"]
    assert log[0]["action"] == name


def test_locks(personas, cloud):
    path = action(cloud.server)
    check(personas, *matrix("post", path, body={"lock": None}, ok=202, weak="reader"))
    shown = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}", OpenStack_API_Version="compute 2.73").json()["server"]
    assert (shown["locked"], shown["locked_reason"]) == (True, None)
    check(personas, Row("member", "post", path, 409, {"pause": None}, says="is locked"))
    check(personas, *matrix("post", path, body={"unlock": None}, ok=202, weak="reader"))
    bad = [{"lock": {"locked_reason": ""}}, {"lock": {"locked_reason": "x" * 256}}, {"lock": {"why": "x"}}, {"lock": "x"}]
    check(personas, *(Row("member", "post", path, 400, body, "2.73") for body in bad))
    check(personas, Row("member", "post", path, 202, {"lock": {"locked_reason": "audit"}}, "2.73"))
    for version, reason in (("2.73", "audit"), ("2.72", None)):
        shown = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}", OpenStack_API_Version=f"compute {version}")
        assert shown.json()["server"].get("locked_reason") == reason


def test_what_an_operator_locked(personas, cloud):
    path = action(cloud.server)
    Server.objects.filter(pk=cloud.server.pk).update(locked=True, locked_by="admin")
    check(personas, Row("member", "post", path, 403, {"unlock": None}), Row("admin", "post", path, 202, {"unlock": None}))


def test_delete_for_good(personas, cloud, sent):
    check(personas, *matrix("post", action(cloud.server), body={"forceDelete": None}, ok=202, weak="reader"))
    assert sent() == ["compute.destroy"]


def test_delete_for_a_while(personas, cloud, sent, settings):
    settings.RECLAIM_INSTANCE_INTERVAL_S = 60
    check(personas, Row("member", "delete", f"{SERVERS}/{cloud.server.pk}", 204))
    assert sent() == ["compute.change"]
    put_in(cloud.server, VmState.SOFT_DELETED)
    assert personas.member.api.get(f"{SERVERS}/{cloud.server.pk}").json()["server"]["status"] == "SOFT_DELETED"


def test_reset_state(personas, cloud):
    path = action(cloud.server)
    bad = [{"os-resetState": body} for body in ({"state": "stopped"}, {"state": 1}, {}, None, {"state": "active", "x": 1})]
    check(personas, *(Row("admin", "post", path, 400, body) for body in bad))
    check(personas, Row("member", "post", path, 403, {"os-resetState": {"state": "error"}}))
    for word in ("error", "active"):
        check(personas, Row("admin", "post", path, 202, {"os-resetState": {"state": word}}))
        assert personas.member.api.get(f"{SERVERS}/{cloud.server.pk}").json()["server"]["status"] == word.upper()


def test_network_information(personas, cloud):
    path = action(cloud.server)
    check(personas, Row("member", "post", path, 403, {"injectNetworkInfo": None}))
    check(personas, Row("admin", "post", path, 202, {"injectNetworkInfo": None}))
    assert personas.admin.api("post", path, {"resetNetwork": None}).status_code == 410


def test_crash_dump(personas, cloud, sent):
    path, body = action(cloud.server), {"trigger_crash_dump": None}
    check(personas, Row("member", "post", path, 404, body, "2.16"))
    check(personas, *matrix("post", path, body=body, ok=202, weak="reader", version="2.17"))
    assert sent() == ["compute.crash_dump"]
    check(personas, Row("member", "post", path, 400, {"trigger_crash_dump": {}}, "2.17"))
    put_in(cloud.server, VmState.STOPPED)
    check(personas, Row("member", "post", path, 409, body, "2.17", says="vm_state stopped"))


def test_a_password_for_a_guest_whose_host_does_not_answer(personas, cloud):
    path = action(cloud.server)
    bad = [{"changePassword": body} for body in (None, {}, {"adminPass": 1}, {"adminPass": "x", "more": 1}, "x")]
    check(personas, *(Row("member", "post", path, 400, body) for body in bad))
    body = {"changePassword": {"adminPass": "Secret-1"}}
    check(personas, *matrix("post", path, body=body, ok=503, weak="reader"))
    server = Server.objects.get(pk=cloud.server.pk)
    assert (server.vm_state, server.task_state) == (VmState.ACTIVE, None)
    assert server.actions.get().message == "Error"
    put_in(cloud.server, VmState.STOPPED)
    check(personas, Row("member", "post", path, 409, body, says="vm_state stopped"))


def test_resize(personas, cloud, sent):
    path, big = action(cloud.server), FlavorFactory(flavor_id="7", vcpus=2, ram_mb=1024, root_gb=2)
    bad = [{}, {"flavorRef": None}, {"flavorRef": ""}, {"flavorRef": "none"}, {"flavorRef": "7", "x": 1}]
    bad += [{"flavorRef": "7", "OS-DCF:diskConfig": "MAYBE"}, None]
    body = {"resize": {"flavorRef": "7", "OS-DCF:diskConfig": "AUTO"}}
    put_in(cloud.server, VmState.PAUSED)
    check(personas, Row("member", "post", path, 409, body, says="Cannot 'resize' instance"))
    put_in(cloud.server, VmState.ACTIVE)
    check(personas, *matrix("post", path, body=body, ok=202, weak="reader", malformed=[{"resize": one} for one in bad]))
    assert sent() == ["compute.resize"]
    shown = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}").json()["server"]
    assert (shown["status"], shown["OS-DCF:diskConfig"], shown["flavor"]["id"]) == ("RESIZE", "AUTO", "1")
    assert big.pk


@pytest.mark.parametrize(
    ("body", "version", "status", "says"),
    [
        ({"migrate": None}, "2.1", 400, "No valid host was found"),
        ({"migrate": {"host": "host1"}}, "2.56", 400, "Cannot migrate to the host where the server exists"),
        ({"migrate": {"host": "host9"}}, "2.56", 400, "host9 could not be found"),
        ({"migrate": {"x": "y"}}, "2.56", 400, ""),
        ({"os-migrateLive": {"host": None, "block_migration": "auto"}}, "2.25", 400, "No valid host was found"),
        ({"os-migrateLive": {"host": None, "block_migration": "auto"}}, "2.24", 400, ""),
        ({"os-migrateLive": {"host": "host1", "block_migration": True}}, "2.25", 400, "to current host (host1)"),
        (
            {"os-migrateLive": {"host": "host9", "block_migration": False, "disk_over_commit": False}},
            "2.1",
            400,
            "host9 could not be found",
        ),
        ({"os-migrateLive": {"host": None, "block_migration": True, "force": True}}, "2.30", 400, "Can't force"),
        ({"evacuate": {"onSharedStorage": False}}, "2.1", 400, "still in use"),
        ({"evacuate": {"host": "host1"}}, "2.14", 400, "can't be the same one"),
        ({"evacuate": {"host": "host9"}}, "2.14", 404, "host9 not found"),
        ({"evacuate": {}}, "2.1", 400, ""),
    ],
)
def test_there_is_no_other_host_to_go_to(personas, cloud, body, version, status, says):
    path = action(cloud.server)
    check(personas, Row("admin", "post", path, status, body, version, says=says))
    if says and not says.startswith("Can't force"):
        check(personas, Row("member", "post", path, 403, body, version))


def test_a_suspended_server_is_not_moved(personas, cloud):
    put_in(cloud.server, VmState.SUSPENDED)
    check(personas, Row("admin", "post", action(cloud.server), 409, {"migrate": None}, says="Cannot 'migrate' instance"))


class TestMigrations:
    @pytest.fixture
    def rows(self, cloud, personas):
        for number in range(3):
            server = make_server(personas.member.ctx, name=f"moved{number}", address=False)
            assert migrations.begin(personas.member.ctx, server, migrations.figures_of(cloud.flavor))
        return list(Migration.objects.all())

    def get(self, personas, query, version, who="admin"):
        return check(personas, Row(who, "get", f"{MIGRATIONS}{query}", 200, version=version))[0].json()

    def test_they_show_more_in_newer_versions(self, personas, rows):
        [first, *_] = self.get(personas, "", "2.1")["migrations"]
        assert first["instance_uuid"] == rows[0].server_id
        assert (first["source_compute"], first["status"]) == ("host1", "migrating")
        assert "migration_type" not in first
        [first, *_] = self.get(personas, "", "2.23")["migrations"]
        assert first["migration_type"] == "resize"
        assert "uuid" not in first
        [first, *_] = self.get(personas, "", "2.80")["migrations"]
        assert (first["uuid"], first["project_id"]) == (rows[0].uuid, rows[0].project_id)

    def test_they_come_in_pages(self, personas, rows):
        page = self.get(personas, "?limit=2", "2.59")
        assert [row["uuid"] for row in page["migrations"]] == [row.uuid for row in rows[:2]]
        rest = page["migrations_links"][0]["href"].removeprefix("http://testserver").removeprefix(MIGRATIONS)
        assert [row["uuid"] for row in self.get(personas, rest, "2.59")["migrations"]] == [rows[2].uuid]
        check(personas, Row("admin", "get", f"{MIGRATIONS}?marker=no-such", 400, version="2.59"))
        check(personas, Row("admin", "get", f"{MIGRATIONS}?no-such=1", 400, version="2.59"))
        assert len(self.get(personas, "?no-such=1", "2.58")["migrations"]) == 3

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?status=migrating", 3),
            ("?status=done", 0),
            ("?host=host1", 3),
            ("?host=host9", 0),
            ("?migration_type=live-migration", 0),
            ("?changes-since=2000-01-01T00:00:00Z", 3),
            ("?changes-before=2000-01-01T00:00:00Z", 0),
        ],
    )
    def test_they_are_filtered(self, personas, rows, query, found):
        for version in ("2.80", str(versions.MAX)):
            assert len(self.get(personas, query, version)["migrations"]) == found

    def test_a_manager_sees_those_of_his_project_without_hosts(self, personas, rows):
        check(personas, Row("member", "get", MIGRATIONS, 403), Row("manager", "get", MIGRATIONS, 403))
        query = f"?project_id={rows[0].project_id}"
        shown = self.get(personas, query, "2.80", who="manager")["migrations"]
        assert [row["source_compute"] for row in shown] == [None] * 3

    def test_no_server_has_live_migrations(self, personas, cloud):
        path = f"{SERVERS}/{cloud.server.pk}/migrations"
        check(personas, Row("manager", "get", path, 404, version="2.22"), Row("member", "get", path, 403, version="2.23"))
        assert check(personas, Row("manager", "get", path, 200, version="2.23"))[0].json() == {"migrations": []}
        check(
            personas,
            Row("admin", "get", f"{path}/1", 404, version="2.23"),
            Row("manager", "delete", f"{path}/1", 404, version="2.24"),
            Row("manager", "post", f"{path}/1/action", 400, {"force_complete": None}, "2.22"),
            Row("manager", "post", f"{path}/1/action", 400, {}, "2.22"),
        )
