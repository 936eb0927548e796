"""Why no host took a build: counts for its owner, names for operators."""

import pytest
from django.urls import reverse

from compute.models import PlacementDecision, ServerGroup, ServerTag
from compute.services import failures
from compute.states import TaskState, VmState
from tests.dashboard.world import make_server

STEPS = [
    {"filter": "ComputeFilter", "left": 2, "refused": {"host1": "the host is silent"}},
    {"filter": "RamFilter", "left": 0, "refused": {"host2": "512 MB of memory free", "host3": "512 MB of memory free"}},
]


@pytest.fixture
def page(world, browse):
    """Return the page of a failed build, for a person."""
    server = make_server(
        world.people.member.ctx,
        **{"name": "whale", "address": False, "host": None, "launched_at": None},
        **{"vm_state": VmState.BUILDING, "task_state": TaskState.SCHEDULING, "image_id": world.image.pk},
    )
    PlacementDecision.objects.create(server=server, request_id=server.request_id, asked={}, steps=STEPS)
    type(server).objects.filter(pk=server.pk).update(vm_state=VmState.ERROR, task_state=None)
    failures.write_fault(server, "No valid host was found.")
    return lambda who: browse(who).get(reverse("instances:detail", args=[server.pk])).text


def test_a_member_reads_counts_and_what_would_help(page):
    shown = page("member")

    assert "2 hosts: 512 MB of memory free" in shown
    assert "1 host: the host is silent" in shown
    assert "Delete it and launch it in a size with less memory." in shown
    assert "host2" not in shown


def test_an_operator_reads_which_hosts(page):
    assert "host2: 512 MB of memory free" in page("admin")


def test_a_group_that_leaves_no_host_is_put_into_words(world, browse):
    group = ServerGroup.objects.create(name="apart", policy="anti-affinity", project_id=world.people.member.ctx.project_id)
    server = make_server(world.people.member.ctx, name="second", address=False, host=None, launched_at=None, group=group)
    ServerTag.objects.create(server=server, tag="blue")
    steps = [
        {"filter": "ServerGroupAntiAffinityFilter", "left": 0, "refused": {"host1": "1 server(s) of its group run there"}}
    ]
    PlacementDecision.objects.create(server=server, request_id=server.request_id, asked={}, steps=steps)
    type(server).objects.filter(pk=server.pk).update(vm_state=VmState.ERROR, task_state=None)
    failures.write_fault(server, "No valid host was found.")

    shown = browse("member").get(reverse("instances:detail", args=[server.pk])).text

    assert "without others of its group" in shown
    assert "Launch it outside of the group." in shown
    assert "blue" in shown
    assert "anti-affinity" in shown
