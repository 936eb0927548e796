"""Every state, every task, every action: generated from the table."""

from dataclasses import replace
from itertools import product

import pytest

from compute.services import deferred, lifecycle, power, rebuilding, rescuing, resizing, rest, shelving, snapshots
from compute.states import TRANSITIONS, Action, PowerState, TaskState, VmState, refusal, resting, status
from images.models import Image
from portal.core.errors import Conflict
from tests.kit.compute import FlavorFactory, ServerFactory, tasks

PERFORM = {
    Action.START: power.start,
    Action.STOP: power.stop,
    Action.REBOOT: power.reboot,
    Action.REBOOT_HARD: lambda **given: power.reboot(**given, hard=True),
    Action.DELETE: lifecycle.delete,
    Action.CREATE_IMAGE: lambda **given: snapshots.create_image(**given, name="copy"),
    Action.CREATE_BACKUP: lambda **given: snapshots.create_backup(**given, name="copy", backup_type="daily", rotation=1),
    Action.REBUILD: lambda **given: rebuilding.rebuild(**given, image_id=Image.objects.earliest("created_at").pk),
    Action.RESCUE: lambda **given: rescuing.rescue(**given, image_id=Image.objects.earliest("created_at").pk),
    Action.UNRESCUE: rescuing.unrescue,
    Action.SHELVE: shelving.shelve,
    Action.SHELVE_OFFLOAD: lambda ctx, server: shelving.offload(ctx=replace(ctx, roles=ctx.roles | {"admin"}), server=server),
    Action.UNSHELVE: shelving.unshelve,
    Action.PAUSE: rest.pause,
    Action.UNPAUSE: rest.unpause,
    Action.SUSPEND: rest.suspend,
    Action.RESUME: rest.resume,
    Action.RESIZE: lambda **given: resizing.resize(**given, flavor_id=FlavorFactory().flavor_id),
    Action.CONFIRM_RESIZE: resizing.confirm,
    Action.REVERT_RESIZE: resizing.revert,
    Action.RESTORE: deferred.restore,
}
STATES = [state for state in VmState if state != VmState.DELETED]


@pytest.mark.parametrize(("action", "vm_state"), list(product(PERFORM, STATES)))
def test_an_action_begins_exactly_where_the_table_says(cloud, action, vm_state):
    for task_state in tasks(action):
        kept = {"shelved_image_id": cloud.image.pk} if vm_state == VmState.SHELVED_OFFLOADED else {}
        server = ServerFactory(vm_state=vm_state, task_state=task_state, **kept)
        sent = len(cloud.hosts["host-1"].commands)
        again = action == Action.DELETE and task_state == TaskState.DELETING
        if refusal(action, vm_state, task_state) is not None and not again:
            with pytest.raises(Conflict, match=f"while it is in (vm|task)_state {vm_state}|{task_state}"):
                PERFORM[action](ctx=cloud.again(), server=server)
            assert cloud.fresh(server).task_state == task_state
            continue
        with cloud.commits():
            PERFORM[action](ctx=cloud.again(), server=server)
        assert cloud.fresh(server).task_state == TRANSITIONS[action].during
        assert len(cloud.hosts["host-1"].commands) == sent + (0 if again else 1)


def test_every_state_has_a_word_for_users():
    assert all(status(vm_state, task_state) for vm_state, task_state in product(VmState, [None, *TaskState]))
    assert status(VmState.ACTIVE, TaskState.RESIZE_PREP) == "RESIZE"


@pytest.mark.parametrize(
    ("vm_state", "power_state", "expected"),
    [
        (VmState.ACTIVE, PowerState.SHUTDOWN, VmState.STOPPED),
        (VmState.STOPPED, PowerState.RUNNING, VmState.ACTIVE),
        (VmState.ACTIVE, PowerState.PAUSED, VmState.PAUSED),
        (VmState.RESCUED, PowerState.RUNNING, VmState.RESCUED),
        (VmState.RESIZED, PowerState.SHUTDOWN, VmState.RESIZED),
        (VmState.ACTIVE, PowerState.NOSTATE, None),
    ],
)
def test_power_decides_what_an_idle_server_is_unless_it_was_put_aside(vm_state, power_state, expected):
    assert resting(vm_state, power_state) == expected
