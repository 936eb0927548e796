"""Every state, every task, every action: generated from the table."""

from itertools import product

import pytest

from compute.models import Server
from compute.services import lifecycle, power
from compute.states import TRANSITIONS, Action, TaskState, VmState, refusal, status
from portal.core.context import new_request_id
from portal.core.errors import Conflict
from tests.kit.compute import ServerFactory

PERFORM = {
    Action.START: power.start,
    Action.STOP: power.stop,
    Action.REBOOT: power.reboot,
    Action.REBOOT_HARD: lambda **given: power.reboot(**given, hard=True),
    Action.DELETE: lifecycle.delete,
}
STATES = [state for state in VmState if state != VmState.DELETED]


@pytest.mark.parametrize(("action", "vm_state", "task_state"), list(product(PERFORM, STATES, [None, *TaskState])))
def test_an_action_begins_exactly_where_the_table_says(cloud, action, vm_state, task_state):
    server = ServerFactory(vm_state=vm_state, task_state=task_state)
    rule = TRANSITIONS[action]
    may = refusal(action, vm_state, task_state) is None

    if not may:
        with pytest.raises(Conflict, match=f"while it is in (vm|task)_state {vm_state}|{task_state}"):
            PERFORM[action](ctx=cloud.again(), server=server)
        assert cloud.fresh(server).task_state == task_state
        return
    with cloud.commits():
        PERFORM[action](ctx=cloud.again(), server=server)
    assert cloud.fresh(server).task_state == rule.during
    again = action == Action.DELETE and task_state == TaskState.DELETING
    assert len(cloud.hosts["host-1"].commands) == (0 if again else 1)


@pytest.mark.parametrize(("action", "vm_state", "task_state"), list(product(Action, VmState, [None, *TaskState])))
def test_begin_is_one_conditional_update(db, action, vm_state, task_state):
    server = ServerFactory(vm_state=vm_state, task_state=task_state)
    first = Server.objects.begin(server, action, new_request_id())
    second = Server.objects.begin(server, action, new_request_id())
    rule = TRANSITIONS[action]
    possible = vm_state in rule.allowed and (task_state != rule.during if rule.preempts else task_state is None)
    assert (first, second) == (possible, False)
    assert status(vm_state, task_state)
