"""Whatever is done to a server begins by one conditional statement, so of two that want it at once one gets it."""

import time
from itertools import product

import pytest

from compute.models import Server
from compute.states import TRANSITIONS, Action, VmState
from portal.core.context import new_request_id
from tests.kit.compute import ServerFactory, tasks


@pytest.mark.parametrize("action", TRANSITIONS)
def test_begin_is_one_conditional_update(db, action):
    rule = TRANSITIONS[action]
    for vm_state, task_state in product(VmState, tasks(action)):
        server = ServerFactory(vm_state=vm_state, task_state=task_state)
        first = Server.objects.begin(server, action, new_request_id(), {"why": "asked"})
        second = Server.objects.begin(server, action, new_request_id())
        possible = vm_state in rule.allowed and (task_state is None or task_state in rule.interrupts)
        assert (first, second) == (possible, possible and rule.during in rule.interrupts), (vm_state, task_state)
        server.refresh_from_db()
        assert server.operation_details == ({"why": "asked"} if possible and not second else {})


def test_each_operation_has_a_larger_number_than_the_last_whatever_the_clock_says(db):
    server = ServerFactory(operation_order=10**15)  # begun where the clock is thousands of years ahead
    numbers = [10**15]
    for action in (Action.STOP, Action.DELETE):
        assert Server.objects.begin(server, action, new_request_id())
        server.refresh_from_db()
        numbers.append(server.operation_order)
    assert numbers == sorted(set(numbers))
    fresh = ServerFactory()
    Server.objects.begin(fresh, Action.STOP, new_request_id())
    fresh.refresh_from_db()
    assert abs(fresh.operation_order / 1000 - time.time()) < 60
