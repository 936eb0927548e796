"""``manage heal``: what is wrong is named and mended, by the functions that the clock calls."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from compute.messages import Destroy, PowerOn
from compute.models import Host, Server, ServerAction
from compute.network.models import Port
from compute.services import findings, healing, lifecycle, power, repairs, sweeps
from compute.services.findings import Finding
from compute.states import Action, VmState
from tests.kit.compute import ServerFactory

BROKEN_ELSEWHERE = ("image ", "the queue ")  # the kit's image has no bytes, and no queue runs here


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


def heal(*options: str) -> list[str]:
    """Return what the command says of servers and hosts, and whether it is content with them."""
    out = StringIO()
    with suppress(CommandError):
        call_command("heal", *options, stdout=out)
    lines = out.getvalue().splitlines()
    return [line for line in lines if not line.removeprefix("broken: ").startswith(BROKEN_ELSEWHERE)]


def long_ago(**times: int) -> dict[str, object]:
    return {name: timezone.now() - timedelta(seconds=seconds) for name, seconds in times.items()}


def test_a_cloud_that_is_well_needs_nothing(cloud, monkeypatch):
    cloud.build()
    assert heal() == []
    monkeypatch.setattr(healing, "left", lambda: iter(()))
    out = StringIO()
    call_command("heal", stdout=out)
    assert out.getvalue() == "All is well.\n"


def test_a_rehearsal_names_what_would_be_done_and_changes_nothing(cloud):
    server = ServerFactory(vm_state=VmState.STOPPED)
    with cloud.commits():
        power.start(ctx=cloud.again(), server=server)
    Host.objects.filter(name="host-1").update(vcpus_used=1, memory_mb_used=512, disk_gb_used=1)
    Server.objects.update(**long_ago(operation_at=4000))

    told = heal("--dry-run")

    assert any(
        line.startswith(f"instance {server.pk} is in powering-on for 4") and "to do: it is ended" in line for line in told
    )
    assert cloud.fresh(server).task_state == "powering-on"
    heal()
    assert (cloud.fresh(server).vm_state, cloud.fresh(server).task_state) == (VmState.ERROR, None)
    assert heal() == []


def test_a_lost_command_is_sent_again_as_often_as_the_clock_would(cloud):
    server = ServerFactory(vm_state=VmState.STOPPED)
    with cloud.commits():
        power.start(ctx=cloud.again(), server=server)
    Server.objects.update(**long_ago(operation_at=25))
    for _ in range(2):
        heal("--dry-run")
    with cloud.commits():
        heal()
        heal()
    assert [type(command) for command in cloud.box.commands] == [PowerOn, PowerOn]


def test_claims_are_set_right(cloud):
    cloud.build()
    Host.objects.update(vcpus_used=7, memory_mb_used=0)
    assert any("has claimed" in line and "set right" in line for line in heal())
    assert cloud.used() == (1, 512, 1)


def test_what_a_server_that_is_gone_left_behind_goes(cloud, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    server, unknown = cloud.build(), "00000000-0000-4000-8000-000000000000"
    Server.objects.filter(pk=server.pk).update(vm_state=VmState.DELETED, **long_ago(deleted_at=3600))
    for name in (server.pk, unknown):
        (tmp_path / "instances" / name).mkdir(parents=True)
    assert Port.objects.filter(device_id=server.pk).exists()

    with cloud.commits():
        told = heal()

    assert not Port.objects.filter(device_id=server.pk).exists()
    assert cloud.used() == (0, 0, 0)
    assert cloud.box.commands[-1] == Destroy(server.pk, cloud.box.commands[-1].request_id)
    assert f"broken: folder instances/{unknown} belongs to no instance" in told


def test_a_server_that_nobody_has_says_so(cloud):
    server, built = cloud.create(), cloud.build()
    Server.objects.filter(pk=server.pk).update(task_state=None)
    Server.objects.filter(pk=built.pk).update(host=None)
    heal()
    assert {cloud.fresh(one).vm_state for one in (server, built)} == {VmState.ERROR}
    assert cloud.fresh(server).fault.message == repairs.NOBODY_BUILDS
    assert cloud.fresh(built).fault.message == repairs.NO_HOST


def test_an_action_that_never_ended_is_closed_once_no_operation_can_take_so_long(cloud):
    server = cloud.build()
    young, old = (
        ServerAction.objects.create(server=server, action=Action.START, request_id=word, started_at=timezone.now())
        for word in ("req-young", "req-old")
    )
    ServerAction.objects.filter(pk=old.pk).update(**long_ago(started_at=7200))
    repairs.repair()
    assert [ServerAction.objects.get(pk=one.pk).finished_at is None for one in (young, old)] == [True, False]


def test_what_cannot_be_mended_keeps_nobody_from_the_rest(cloud):
    mended = []

    def blind():
        raise RuntimeError

    def two():
        yield Finding("the first", "it breaks", lambda: 1 // 0)
        yield Finding("the second", "it goes", lambda: mended.append(2))

    told = [(finding.what, well) for _name, finding, well in findings.attend({"blind": blind, "two": two})]
    assert told == [("the first", False), ("the second", True)]
    assert mended == [2]


def test_an_operation_whose_row_makes_no_sense_does_not_stop_the_sweep(cloud):
    senseless, server = cloud.build(), cloud.build()
    for one in (senseless, server):
        with cloud.commits():
            power.stop(ctx=cloud.again(), server=one)
    Server.objects.filter(pk=senseless.pk).update(operation=Action.RESIZE, operation_details={}, **long_ago(operation_at=40))
    Server.objects.filter(pk=server.pk).update(**long_ago(operation_at=4000))
    with cloud.commits():
        sweeps.sweep()
    assert cloud.fresh(server).task_state is None


def test_a_deletion_whose_claim_was_lost_still_ends(cloud):
    server = cloud.build()
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    Host.objects.update(vcpus_used=0, memory_mb_used=0, disk_gb_used=0)
    repairs.repair()
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.DELETE))
    assert cloud.used() == (0, 0, 0)


def test_an_operation_that_nobody_knows_ends_with_a_sentence_and_stops_no_sweep(cloud):
    unknown, server = cloud.build(), cloud.build()
    for one in (unknown, server):
        with cloud.commits():
            power.stop(ctx=cloud.again(), server=one)
    Server.objects.update(**long_ago(operation_at=4000))
    Server.objects.filter(pk=unknown.pk).update(operation="teleport")
    assert any("by an operation that nobody knows" in line for line in heal("--dry-run"))
    with cloud.commits():
        sweeps.sweep()
    assert [cloud.fresh(one).vm_state for one in (unknown, server)] == [VmState.ERROR] * 2
    assert cloud.fresh(unknown).fault.message == sweeps.UNKNOWN
    assert not ServerAction.objects.filter(server=unknown, finished_at=None).exists()
