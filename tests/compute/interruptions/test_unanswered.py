"""Every action of which no host says a word: it ends as docs/developer/interruptions.md says, and what comes late changes nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compute.interruptions import ACTIONS, abandoned
from compute.models import Server, ServerAction
from compute.services import operations, sweeps
from compute.states import SIGNALS, TRANSITIONS, Action
from tests.compute.interruptions.life import Life, broken

pytestmark = [pytest.mark.real, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_no_host_answers_ends_as_the_table_says_and_a_late_answer_changes_nothing(cloud, town, action):
    life = Life(cloud, town, action)
    if action == Action.CHANGE_PASSWORD:
        town.ask(lambda: operations.take(life.ctx, cloud.fresh(life.server), action))
    else:
        life.ask()
    long_ago = timezone.now() - timedelta(hours=2)
    Server.objects.update(operation_at=long_ago)
    ServerAction.objects.filter(finished_at=None).update(started_at=long_ago)
    sweeps.sweep()
    ended = abandoned(action) or life.before
    assert life.state() == (ended, None)
    told = ServerAction.objects.get(request_id=life.ctx.request_id, action=action)
    assert told.message == "Error"
    assert "no progress" in (why := told.events.get(name__contains=_event(action)).detail) or "did not answer" in why
    town.repair()
    assert life.state()[1] is None
    assert broken() == []
    life.over()


def _event(action: Action) -> str:
    return (SIGNALS.get(action) or TRANSITIONS[action]).event
