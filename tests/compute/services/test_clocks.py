"""Clocks of hosts and of this machine that differ, are set forwards and backwards."""

import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from compute.conductor.periodic import Clock
from compute.messages import Destroy, GuestChanged, PowerOff
from compute.models import Server, Service
from compute.selectors import is_up
from compute.services import power, sweeps
from compute.states import Action, PowerState, VmState

HOUR_S = 3600.0
MINUTES_S = 300.0


@pytest.fixture(autouse=True)
def _no_memory():
    cache.clear()


def now() -> float:
    return timezone.now().timestamp()


def stop(cloud, server, at):
    """Have a server stopped by a host whose clock says ``at`` at its end."""
    with cloud.commits():
        power.stop(ctx=cloud.again(), server=server)
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.STOP, at=at))
    return cloud.fresh(server)


@pytest.mark.parametrize("apart", [-HOUR_S, -MINUTES_S, MINUTES_S, HOUR_S])
def test_what_a_guest_does_right_after_an_operation_is_followed_whatever_its_host_takes_for_the_time(cloud, apart):
    here = now() + apart
    server = stop(cloud, cloud.build(), here)
    cloud.tell(cloud.box.report({server.pk: PowerState.RUNNING}, at=here - 1))
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.RUNNING, here - 1))
    assert cloud.fresh(server).vm_state == VmState.STOPPED, "what came before the end of the operation is old news"
    cloud.tell(cloud.box.report({server.pk: PowerState.RUNNING}, at=here + 1))
    assert cloud.fresh(server).vm_state == VmState.ACTIVE
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, here + 2))
    assert cloud.fresh(server).vm_state == VmState.STOPPED


@pytest.mark.parametrize("back", [60.0, HOUR_S])
@pytest.mark.parametrize("ahead", [0.0, HOUR_S])
def test_a_host_whose_clock_was_set_back_is_heard_at_once(cloud, ahead, back):
    """Its worker was started again since: one that goes on tells no time twice."""
    server = cloud.build()
    there = now() + ahead
    before = cloud.box.report({server.pk: PowerState.SHUTDOWN}, at=there, worker_id="before")
    cloud.tell(before)
    assert cloud.fresh(server).vm_state == VmState.STOPPED
    Service.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    cloud.tell(cloud.box.report({server.pk: PowerState.RUNNING}, at=there - back, worker_id="since"))
    assert cloud.fresh(server).vm_state == VmState.ACTIVE
    assert is_up(Service.objects.get(host="host-1"))
    cloud.tell(before)
    assert cloud.fresh(server).vm_state == VmState.ACTIVE, "what the worker of before told is old news"
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, there - back + 1))
    assert cloud.fresh(server).vm_state == VmState.STOPPED


@pytest.mark.parametrize("late", [10.0, HOUR_S])
def test_an_older_report_of_the_same_worker_changes_nothing_however_late_it_comes(cloud, late):
    there = now()
    server = cloud.build()
    cloud.tell(cloud.box.report({server.pk: PowerState.SHUTDOWN}, at=there + 1, worker_id="one"))
    cloud.tell(cloud.box.report({server.pk: PowerState.RUNNING}, at=there + 1 - late, worker_id="one", memory_mb=1))
    assert cloud.fresh(server).vm_state == VmState.STOPPED
    assert Service.objects.get(host="host-1").compute_host.memory_mb != 1


def test_a_clock_that_differs_is_named_once_until_it_was_right(cloud, caplog):
    box = cloud.hosts["apart"]
    for apart in (-MINUTES_S, -MINUTES_S + 1, 0.0, 1.0, MINUTES_S):
        box.tell(box.report(at=now() + apart))
    assert caplog.text.count("from ours") == 2


@pytest.mark.parametrize("by", [HOUR_S, -HOUR_S])
def test_nothing_is_given_up_when_this_machines_clock_is_set(cloud, monkeypatch, by):
    builds = cloud.place(cloud.create())
    stops = cloud.build()
    cloud.tell(cloud.box.report({stops.pk: PowerState.RUNNING}))
    with cloud.commits():
        power.stop(ctx=cloud.again(), server=stops)
    clock, right = Clock(), time.time
    sent = len(cloud.box.commands)
    monkeypatch.setattr(time, "time", lambda: right() + by)
    moved = timezone.now() + timedelta(seconds=by)
    monkeypatch.setattr(timezone, "now", lambda: moved)
    clock.look_at_the_clock()
    with cloud.commits():
        sweeps.sweep()
    assert [cloud.fresh(server).task_state for server in (builds, stops)] == ["scheduling", "powering-off"]
    assert cloud.box.commands[sent:] == []
    monkeypatch.setattr(timezone, "now", lambda: moved + timedelta(seconds=1801))
    with cloud.commits():
        sweeps.sweep()
    assert cloud.fresh(stops).vm_state == VmState.ERROR, "its time ends as if the clock had not been set"
    assert [type(command) for command in cloud.box.commands[sent:]].count(PowerOff) == 0
    assert Destroy in [type(command) for command in cloud.box.commands[sent:]]
    assert Server.objects.filter(task_state=None).count() == 2
