"""Whatever is done to a server begins by one conditional statement, so of two that want it at once one gets it."""

from itertools import product

import pytest

from compute.models import Server
from compute.states import TRANSITIONS, VmState
from portal.core.context import new_request_id
from tests.kit.compute import ServerFactory, tasks


@pytest.mark.parametrize("action", TRANSITIONS)
def test_begin_is_one_conditional_update(db, action):
    rule = TRANSITIONS[action]
    for vm_state, task_state in product(VmState, tasks(action)):
        server = ServerFactory(vm_state=vm_state, task_state=task_state)
        first = Server.objects.begin(server, action, new_request_id(), {"why": "asked"})
        second = Server.objects.begin(server, action, new_request_id())
        possible = vm_state in rule.allowed and (task_state != rule.during if rule.preempts else task_state is None)
        assert (first, second) == (possible, False), (vm_state, task_state)
        server.refresh_from_db()
        assert server.operation_details == ({"why": "asked"} if possible else {})
