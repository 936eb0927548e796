"""Resizes: both sizes are claimed until nobody can go back, and every end gives back what it must."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services import quotas as limits
from compute.messages import EndResize, Resize
from compute.models import Migration, Server, UserLimit
from compute.services import administration, lifecycle, resizing, sweeps
from compute.services.invariants import claims_equal_servers
from compute.states import Action, PowerState, TaskState, VmState
from images.models import ImageProperty
from portal.core.errors import BadRequest, Conflict, QuotaExceeded
from tests.kit.compute import FlavorFactory, make_image

BOTH, OLD, NEW = (3, 1536, 3), (1, 512, 1), (2, 1024, 2)


@pytest.fixture
def big(cloud):
    return FlavorFactory(flavor_id="big", name="m1.big", vcpus=2, ram_mb=1024, root_gb=2)


@pytest.fixture
def begun(cloud, big):
    """A server whose resize was sent to its host."""
    server = cloud.build()
    with cloud.commits():
        resizing.resize(ctx=cloud.again(), server=server, flavor_id="big")
    return cloud.fresh(server)


@pytest.fixture
def resized(cloud, begun):
    cloud.tell(cloud.box.finished(begun, Action.RESIZE))
    return cloud.fresh(begun)


def figures(server):
    return server.flavor_id, server.flavor_name, server.vcpus, server.ram_mb, server.root_gb


def end(cloud, server, perform, action, **more):
    with cloud.commits():
        perform(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    token = Migration.objects.get().uuid
    assert cloud.box.commands[-1] == EndResize(server.pk, server.request_id, action, token)
    for _ in range(2):
        cloud.tell(cloud.box.finished(server, action, **more))
    return cloud.fresh(server)


def test_the_command_carries_the_new_size_and_both_are_claimed(cloud, begun):
    command = cloud.box.commands[-1]
    assert isinstance(command, Resize)
    assert (command.size.vcpus, command.size.memory_mb, command.size.root_gb) == NEW
    assert (begun.task_state, begun.status, begun.vcpus) == (TaskState.RESIZE_PREP, "RESIZE", 1)
    assert cloud.used() == BOTH
    assert list(claims_equal_servers()) == []
    assert Migration.objects.get().status == "migrating"


def test_a_resized_server_waits_to_be_confirmed_with_both_sizes_claimed(cloud, resized):
    assert (resized.vm_state, resized.status) == (VmState.RESIZED, "VERIFY_RESIZE")
    assert figures(resized) == ("big", "m1.big", 2, 1024, 2)
    assert cloud.used() == BOTH
    assert list(claims_equal_servers()) == []
    assert Migration.objects.get().status == "finished"


def test_a_confirmed_resize_gives_the_old_size_back(cloud, resized):
    server = end(cloud, resized, resizing.confirm, Action.CONFIRM_RESIZE)
    assert (server.vm_state, server.vcpus) == (VmState.ACTIVE, 2)
    assert cloud.used() == NEW
    assert Migration.objects.get().status == "confirmed"
    assert list(claims_equal_servers()) == []


def test_a_reverted_resize_gives_the_new_size_back_even_when_the_old_flavor_is_gone(cloud, resized):
    cloud.flavor.delete()
    server = end(cloud, resized, resizing.revert, Action.REVERT_RESIZE)
    assert (server.vm_state, figures(server)) == (VmState.ACTIVE, ("1", "m1.tiny", 1, 512, 1))
    assert cloud.used() == OLD
    assert Migration.objects.get().status == "reverted"
    assert list(claims_equal_servers()) == []


@pytest.mark.parametrize(
    ("perform", "action"), [(resizing.confirm, Action.CONFIRM_RESIZE), (resizing.revert, Action.REVERT_RESIZE)]
)
def test_a_server_that_was_off_is_off_afterwards(cloud, resized, perform, action):
    server = end(cloud, resized, perform, action, power_state=PowerState.SHUTDOWN)
    assert server.vm_state == VmState.STOPPED


def test_a_resize_that_failed_leaves_the_server_as_it_was(cloud, begun):
    for _ in range(2):
        cloud.tell(cloud.box.finished(begun, Action.RESIZE, "The disk of this host is full."))
    server = cloud.fresh(begun)
    assert (server.vm_state, server.vcpus) == (VmState.ACTIVE, 1)
    assert cloud.used() == OLD
    assert Migration.objects.get().status == "error"


def test_a_resize_of_which_nothing_is_heard_is_called_back(cloud, begun):
    Server.objects.filter(pk=begun.pk).update(operation_at=timezone.now() - timedelta(hours=2))
    with cloud.commits():
        sweeps.sweep()
    server = cloud.fresh(begun)
    assert (server.vm_state, server.task_state) == (VmState.ERROR, None)
    assert cloud.used() == OLD
    command = cloud.box.commands[-1]
    assert (command.action, command.request_id != begun.request_id) == (Action.REVERT_RESIZE, True)
    cloud.tell(cloud.box.finished(begun, Action.RESIZE))
    assert cloud.used() == OLD
    assert cloud.fresh(begun).vcpus == 1


def test_a_confirm_that_failed_can_be_tried_again(cloud, resized):
    with cloud.commits():
        resizing.confirm(ctx=cloud.again(), server=resized)
    cloud.tell(cloud.box.finished(cloud.fresh(resized), Action.CONFIRM_RESIZE, "No."))
    assert cloud.fresh(resized).vm_state == VmState.RESIZED
    assert Migration.objects.get().status == "finished"
    end(cloud, cloud.fresh(resized), resizing.confirm, Action.CONFIRM_RESIZE)
    assert cloud.used() == NEW


@pytest.mark.parametrize("state", ["begun", "resized"])
def test_a_deleted_server_gives_both_sizes_back(cloud, request, state):
    server = request.getfixturevalue(state)
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.DELETE))
    assert cloud.used() == (0, 0, 0)


def test_a_server_that_an_operator_calls_active_holds_one_size(cloud, operator, resized):
    administration.reset_state(ctx=operator, server=resized, vm_state=VmState.ACTIVE)
    assert cloud.used() == NEW
    assert list(claims_equal_servers()) == []


def said(cloud):
    """Return how the host was told to end a resize for which nobody waits."""
    return [(one.action, one.token) for one in cloud.box.commands if isinstance(one, EndResize)]


@pytest.mark.parametrize("state", [VmState.ACTIVE, VmState.ERROR])
def test_a_resize_that_an_operator_gives_up_is_undone_whenever_its_host_gets_to_it(cloud, operator, begun, state):
    with cloud.commits():
        administration.reset_state(ctx=operator, server=begun, vm_state=state)
    token = Migration.objects.get().uuid
    assert cloud.box.commands[-2].token == token
    assert said(cloud) == [(Action.REVERT_RESIZE, token)]
    cloud.tell(cloud.box.finished(begun, Action.RESIZE))
    assert figures(cloud.fresh(begun)) == ("1", "m1.tiny", 1, 512, 1)
    assert (cloud.fresh(begun).vm_state, cloud.used()) == (state, OLD)
    assert list(claims_equal_servers()) == []


@pytest.mark.parametrize(
    ("perform", "told", "size", "used"),
    [
        (None, Action.CONFIRM_RESIZE, 2, NEW),
        (resizing.confirm, Action.CONFIRM_RESIZE, 2, NEW),
        (resizing.revert, Action.REVERT_RESIZE, 1, OLD),
    ],
)
def test_what_an_operator_ends_comes_out_as_it_was_meant(cloud, operator, resized, perform, told, size, used):
    if perform is not None:
        with cloud.commits():
            perform(ctx=cloud.again(), server=resized)
    server = cloud.fresh(resized)
    with cloud.commits():
        administration.reset_state(ctx=operator, server=server, vm_state=VmState.ACTIVE)
    assert said(cloud)[-1] == (told, Migration.objects.get().uuid)
    cloud.tell(cloud.box.finished(server, told))
    server = cloud.fresh(server)
    assert (server.vm_state, server.vcpus, cloud.used()) == (VmState.ACTIVE, size, used)
    assert not Migration.objects.filter(open=True).exists()
    assert list(claims_equal_servers()) == []


def test_a_revert_names_its_own_resize_so_that_a_late_one_does_not_undo_the_next(cloud, operator, begun, big):
    with cloud.commits():
        administration.reset_state(ctx=operator, server=begun, vm_state=VmState.ACTIVE)
        resizing.resize(ctx=cloud.again(), server=cloud.fresh(begun), flavor_id="big")
    first, back, second = cloud.box.commands[-3:]
    assert first.token == back.token != second.token


def test_a_revert_of_which_nothing_was_heard_is_ended_by_an_operator(cloud, operator, resized):
    with cloud.commits():
        resizing.revert(ctx=cloud.again(), server=resized)
    Server.objects.filter(pk=resized.pk).update(operation_at=timezone.now() - timedelta(hours=2))
    with cloud.commits():
        sweeps.sweep()
    assert cloud.fresh(resized).vm_state == VmState.ERROR
    with cloud.commits():
        administration.reset_state(ctx=operator, server=cloud.fresh(resized), vm_state=VmState.ACTIVE)
    assert (cloud.fresh(resized).vcpus, cloud.used()) == (1, OLD)


def test_what_waits_too_long_is_confirmed(cloud, resized, settings):
    Migration.objects.update(updated_at=timezone.now() - timedelta(seconds=100))
    sweeps.sweep()
    assert cloud.fresh(resized).task_state is None
    settings.RESIZE_CONFIRM_WINDOW_S = 99
    with cloud.commits():
        sweeps.sweep()
    assert cloud.fresh(resized).task_state == TaskState.RESIZE_CONFIRMING
    assert cloud.box.commands[-1].action == Action.CONFIRM_RESIZE


@pytest.mark.parametrize(
    ("flavor", "says"),
    [
        ({"flavor_id": "none"}, "could not be found"),
        ({"flavor_id": "1"}, "must change flavor"),
        ({"root_gb": 0}, "zero disk"),
        ({"ram_mb": 10**6}, "No valid host"),
    ],
)
def test_a_size_that_cannot_be_is_refused_and_nothing_is_left(cloud, flavor, says):
    limits.set_limits(cloud.ctx.project_id, {"ram": -1})
    server = cloud.build()
    if "flavor_id" not in flavor:
        flavor = {"flavor_id": FlavorFactory(**flavor).flavor_id}
    with pytest.raises(BadRequest, match=says):
        resizing.resize(ctx=cloud.again(), server=server, **flavor)
    assert cloud.used() == OLD


def test_a_disk_cannot_become_smaller(cloud, big):
    server = cloud.build(flavor_id="big")
    with pytest.raises(BadRequest, match="smaller"):
        resizing.resize(ctx=cloud.again(), server=server, flavor_id="1")


def test_the_quota_counts_what_is_added(cloud, big):
    server = cloud.build()
    limits.set_limits(cloud.ctx.project_id, {"cores": 1})
    with pytest.raises(QuotaExceeded, match="cores"):
        resizing.resize(ctx=cloud.again(), server=server, flavor_id="big")


def test_a_resized_server_is_not_resized_again(cloud, resized):
    with pytest.raises(Conflict, match="vm_state resized"):
        resizing.resize(ctx=cloud.again(), server=resized, flavor_id="1")


def test_a_users_own_limit_stops_the_growth_of_his_servers(cloud, big):
    server = cloud.build()
    UserLimit.objects.create(project_id=server.project_id, user_id=server.user_id, resource="cores", limit=1)
    with pytest.raises(QuotaExceeded, match="already used 1 of 1 cores"):
        resizing.resize(ctx=cloud.again(), server=server, flavor_id="big")
    assert cloud.used() == OLD


def test_the_command_carries_what_the_hardware_follows_from(cloud):
    image = make_image()
    for name, value in {"hw_disk_bus": "scsi", "trait:HW_CPU_X86_AVX": "required", "own": "word"}.items():
        ImageProperty.objects.create(image=image, name=name, value=value)
    server = cloud.build(image_id=image.pk)
    flavor = FlavorFactory(ram_mb=1024, extra_specs={"hw:watchdog_action": "reset"})
    with cloud.commits():
        resizing.resize(ctx=cloud.again(), server=server, flavor_id=flavor.flavor_id)
    size = cloud.box.commands[-1].size
    assert size.extra_specs == {"hw:watchdog_action": "reset"}
    assert size.image_properties == {"hw_disk_bus": "scsi", "trait:HW_CPU_X86_AVX": "required"}


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        ({"hw:cpu_policy": "dedicated"}, "No host of this cloud offers"),
        ({"os:secure_boot": "required"}, "Secure boot cannot be switched"),
    ],
)
def test_hardware_that_a_server_cannot_get_is_refused_at_once(cloud, specs, says):
    server = cloud.build()
    properties = {"hw_firmware_type": "uefi", "hw_machine_type": "q35"}
    Server.objects.filter(pk=server.pk).update(image_properties=properties)
    flavor = FlavorFactory(ram_mb=1024, extra_specs=specs)
    with pytest.raises(BadRequest, match=says):
        resizing.resize(ctx=cloud.again(), server=cloud.fresh(server), flavor_id=flavor.flavor_id)
    assert cloud.used() == OLD
