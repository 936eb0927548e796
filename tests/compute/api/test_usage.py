"""Reports of use, from when servers began and ended, and the log of audits."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from compute.api.v2_1.views import usage
from compute.models import Server, UsageInterval
from compute.states import VmState
from tests.kit.api import Row, check, matrix
from tests.kit.compute import ServerFactory

V2 = "/compute/v2.1"
ALL = f"{V2}/os-simple-tenant-usage"
AUDITS = f"{V2}/os-instance_usage_audit_log"
MADE_UP = "00000000-0000-4000-8000-000000000000"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = "start=2026-03-10T00:00:00&end=2026-03-11T00:00:00"


@pytest.fixture
def lab(personas):
    return personas.lab.pk


@pytest.fixture
def past(personas, lab):
    """Two servers of the lab on one day: one for six hours, one from noon on; and one that never started."""
    size = {"project_id": lab, "vcpus": 2, "ram_mb": 1024, "root_gb": 10, "ephemeral_gb": 5}
    gone = {"deleted_at": NOON + timedelta(hours=3), "vm_state": VmState.DELETED}
    used(ServerFactory(name="short", **gone, **size), NOON - timedelta(hours=3), NOON + timedelta(hours=3))
    used(ServerFactory(name="long", **size), NOON)
    ServerFactory(name="never", launched_at=None, **size)


def used(server, start, end=None, **size):
    """Let a server have been on a host, with its size of now unless another is given."""
    size = {"vcpus": server.vcpus, "ram_mb": server.ram_mb, "local_gb": server.root_gb + server.ephemeral_gb} | size
    return UsageInterval.objects.create(server=server, started_at=start, ended_at=end, **size)


def report(personas, query=DAY, version="2.1"):
    return check(personas, Row("member", "get", f"{ALL}/{personas.lab.pk}?{query}", 200, version=version))[0].json()


def test_hours_are_counted_from_start_to_end(personas, past):
    told = report(personas)["tenant_usage"]
    assert told["total_hours"] == 6 + 12
    assert told["total_vcpus_usage"] == 2 * 18
    assert told["total_memory_mb_usage"] == 1024 * 18
    assert told["total_local_gb_usage"] == 15 * 18
    assert (told["start"], told["stop"]) == ("2026-03-10T00:00:00.000000", "2026-03-11T00:00:00.000000")
    servers = {server["name"]: server for server in told["server_usages"]}
    assert {name: server["hours"] for name, server in servers.items()} == {"short": 6, "long": 12}
    assert servers["short"]["state"] == "terminated"
    assert servers["short"]["uptime"] == 6 * 3600
    assert (servers["long"]["state"], servers["long"]["ended_at"]) == ("active", None)


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("start=2026-03-10T10:00:00&end=2026-03-10T11:00:00", 1),
        ("start=2026-03-10T14:00:00.000000&end=2026-03-10T16:00:00.000000", 3),
        ("start=2026-03-10 23:00:00.0&end=2026-03-12 00:00:00.0", 25),
    ],
)
def test_only_the_period_counts(personas, past, query, hours):
    assert report(personas, query)["tenant_usage"]["total_hours"] == hours


def test_each_size_counts_for_the_hours_that_it_had_and_none_while_there_was_no_host(personas, past):
    server = Server.objects.get(name="never")
    used(server, NOON, NOON + timedelta(hours=1), vcpus=1, ram_mb=512, local_gb=1)
    used(server, NOON + timedelta(hours=4), NOON + timedelta(hours=6))
    told = report(personas)["tenant_usage"]
    row = next(row for row in told["server_usages"] if row["name"] == "never")
    assert (row["hours"], row["started_at"]) == (3, "2026-03-10T12:00:00.000000")
    assert told["total_hours"] == 18 + 3
    assert told["total_vcpus_usage"] == 2 * 18 + 1 + 2 * 2
    assert told["total_memory_mb_usage"] == 1024 * 18 + 512 + 1024 * 2
    assert told["total_local_gb_usage"] == 15 * 18 + 1 + 15 * 2


def test_without_a_period_nothing_was_used_but_who_may_ask_is_told_so(personas, past, lab):
    check(
        personas,
        Row("member", "get", f"{ALL}/{lab}", 200),
        Row("member", "get", ALL, 403),
        Row("member", "get", f"{ALL}?start=yesterday", 403),
        Row("admin", "get", ALL, 200),
    )


def test_a_project_that_used_nothing_has_an_empty_report(personas, past):
    assert report(personas, "start=2026-03-01T00:00:00&end=2026-03-02T00:00:00") == {"tenant_usage": {}}


def test_the_future_is_left_out(personas, past):
    Server.objects.filter(name="short").delete()
    later = timezone.now() + timedelta(days=2)
    told = report(personas, f"start=2026-03-10T12:00:00&end={later:%Y-%m-%dT%H:%M:%S}")["tenant_usage"]
    assert told["total_hours"] == pytest.approx((timezone.now() - NOON).total_seconds() / 3600, abs=0.1)


def test_who_sees_which_report(personas, past, lab):
    one = f"{ALL}/{lab}?{DAY}"
    check(
        personas,
        *matrix("get", one, ok=200, stranger=403),
        Row("reader", "get", one, 200),
        Row("admin", "get", one, 200),
        *matrix("get", f"{ALL}?{DAY}", ok=200, who="admin", stranger=403, weak="member"),
        Row("admin", "get", f"{ALL}?start=yesterday", 400),
        Row("admin", "get", f"{ALL}?start=2026-03-11T00:00:00&end=2026-03-10T00:00:00", 400),
        Row("admin", "get", f"{ALL}?{DAY}&more=1", 400, version="2.75"),
    )


def test_all_projects_are_told_briefly_unless_details_are_asked(personas, past, lab):
    used(ServerFactory(project_id="e" * 32), NOON)
    brief = personas.admin.api.get(f"{ALL}?{DAY}").json()["tenant_usages"]
    assert {usage["tenant_id"] for usage in brief} == {lab, "e" * 32}
    assert not any("server_usages" in usage for usage in brief)
    full = personas.admin.api.get(f"{ALL}?{DAY}&detailed=1").json()["tenant_usages"]
    assert sorted(len(usage["server_usages"]) for usage in full) == [1, 2]


def test_pages_from_2_40(personas, past):
    def hours_of(answer):
        return answer["tenant_usage"]["server_usages"][0]["hours"]

    assert "tenant_usage_links" not in report(personas, f"{DAY}&limit=1")
    first = report(personas, f"{DAY}&limit=1", "2.40")
    href = first["tenant_usage_links"][0]["href"].removeprefix("http://testserver")
    rest = check(personas, Row("member", "get", href, 200, version="2.40"))[0].json()
    assert sorted([hours_of(first), hours_of(rest)]) == [6, 12]
    assert "tenant_usage_links" not in rest
    check(personas, Row("member", "get", f"{ALL}/{personas.lab.pk}?{DAY}&marker={MADE_UP}", 400, version="2.40"))


def test_no_host_audits_use(personas, cloud):
    log = check(personas, *matrix("get", AUDITS, ok=200, who="admin", stranger=403, weak="member"))[-1].json()
    found = log["instance_usage_audit_logs"]
    assert (found["num_hosts"], found["hosts_not_run"], found["log"]) == (1, ["host1"], {})
    assert found["overall_status"] == "0 of 1 hosts done. 0 errors."
    path = f"{AUDITS}/2026-01-15 10:00:00"
    earlier = check(personas, *matrix("get", path, ok=200, who="admin", stranger=403, weak="member"))[-1].json()
    assert earlier["instance_usage_audit_log"]["period_beginning"] == "2025-12-01 00:00:00"
    assert earlier["instance_usage_audit_log"]["period_ending"] == "2026-01-01 00:00:00"
    check(personas, Row("admin", "get", f"{AUDITS}/yesterday", 400), Row("admin", "get", f"{AUDITS}/0001-01-01 00:00:00", 400))


def test_before_pages_every_server_counts_however_many_there_are(personas, past, monkeypatch):
    monkeypatch.setattr(usage, "MAX_LIMIT", 1)
    assert report(personas)["tenant_usage"]["total_hours"] == 6 + 12
