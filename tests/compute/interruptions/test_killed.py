"""Every action, its process killed at every point: it ends as docs/developer/interruptions.md says, and nothing is left behind."""

import pytest

from compute.interruptions import ACTIONS, outcome, points
from compute.states import Action
from tests.compute.interruptions.life import Life, broken

pytestmark = [pytest.mark.real, pytest.mark.django_db(transaction=True)]

# the caller of changePassword waits for the host at a queue: see tests/e2e/test_interruptions.py
KILLED = [action for action in ACTIONS if action != Action.CHANGE_PASSWORD]


@pytest.mark.parametrize("action", KILLED)
def test_an_action_killed_at_any_point_ends_as_the_table_says_and_leaves_nothing(cloud, town, action):
    life = Life(cloud, town, action)
    for process, point in points(action):
        life.kill(process, point)
        life.check(outcome(action, process, point))
        assert broken() == [], f"after {point} of {process}"
        life = life.again()
    life.over()
    assert broken() == []
