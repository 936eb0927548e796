"""The less usual buttons: where they stand, and those that ask for more."""

import pytest
from django.urls import reverse

from compute.models import Migration, Server
from compute.states import TaskState, VmState
from portal.dashboard.instances.actions import BY_NAME
from tests.dashboard.world import make_server
from tests.kit.compute import FlavorFactory

HTMX = {"HX-Request": "true"}
COPIES = {"snapshot", "backup", "rebuild", "rescue"}
EVERYWHERE = {"start", "stop", "reboot", "reboot-hard", "console", "delete", "resize"} | COPIES


def address(server, name, kind="action"):
    return reverse(f"instances:{kind}", args=[server.pk, name])


def put_in(server, state, **fields):
    Server.objects.filter(pk=server.pk).update(vm_state=state, task_state=None, **fields)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (VmState.ACTIVE, {"pause", "suspend", "lock", "password", "crash-dump", "shelve"}),
        (VmState.PAUSED, {"unpause", "lock", "crash-dump", "shelve"}),
        (VmState.SUSPENDED, {"resume", "lock", "shelve"}),
        (VmState.RESIZED, {"confirm-resize", "revert-resize", "lock", "crash-dump"}),
        (VmState.SOFT_DELETED, {"restore", "force-delete", "lock"}),
    ],
)
def test_the_menu_holds_what_the_state_allows(world, browse, state, shown):
    put_in(world.server, state)
    page = browse("member", **HTMX).get("/instances/").text
    for name in BY_NAME:
        stands = f'id="item-{name}-{world.server.pk}"' in page
        assert stands == (name in shown | EVERYWHERE), name


def test_a_resized_instance_is_confirmed_beside_the_menu(world, browse):
    put_in(world.server, VmState.RESIZED)
    assert f'id="confirm-resize-{world.server.pk}"' in browse("member", **HTMX).get("/instances/").text
    browse("member", **HTMX).post(address(world.server, "confirm-resize"), {"from": "row"})
    assert Server.objects.get(pk=world.server.pk).task_state == TaskState.RESIZE_CONFIRMING


def test_a_resize_asks_for_the_new_size(world, browse):
    FlavorFactory(flavor_id="70", name="m1.more", vcpus=2, ram_mb=1024, root_gb=2)
    FlavorFactory(flavor_id="71", name="m1.less", root_gb=0)
    client = browse("member", **HTMX)
    question = client.get(address(world.server, "resize")).text
    assert "m1.more" in question and "m1.less" not in question
    refused = client.post(address(world.server, "resize"), {"from": "dialog", "flavor": "71"})
    assert refused.status_code == 400
    answer = client.post(address(world.server, "resize"), {"from": "dialog", "flavor": "70"})
    assert answer.status_code == 204
    assert Migration.objects.get().new_flavor["flavor_id"] == "70"


def test_a_password_that_cannot_be_set_is_said_in_the_dialog(world, browse):
    client = browse("member", **HTMX)
    assert 'type="password"' in client.get(address(world.server, "password")).text
    answer = client.post(address(world.server, "password"), {"from": "dialog", "password": "Secret-1"})
    assert answer.status_code == 503
    assert "Secret-1" not in answer.text
    assert "cannot be reached" in answer.text


def test_a_lock_shows_and_keeps_others_out(world, browse):
    client = browse("member", **HTMX)
    client.post(address(world.server, "lock"), {"from": "row"})
    assert Server.objects.get(pk=world.server.pk).locked_by == "owner"
    assert "web-01 is locked." in client.get(address(world.server, "pause", "why")).text
    assert "Locked" in client.get(reverse("instances:detail", args=[world.server.pk])).text
    client.post(address(world.server, "unlock"), {"from": "row"})
    assert not Server.objects.get(pk=world.server.pk).locked


def test_what_an_operator_locked_is_grey_for_members(world, browse):
    put_in(world.server, VmState.ACTIVE, locked=True, locked_by="admin")
    why = browse("member", **HTMX).get(address(world.server, "unlock", "why")).text
    assert "os_compute_api:os-lock-server:unlock:unlock_override" in why


def test_a_deletion_that_can_be_undone_says_so(world, browse, settings):
    client = browse("member", **HTMX)
    assert "restored for a while" not in client.get(address(world.server, "delete")).text
    settings.RECLAIM_INSTANCE_INTERVAL_S = 60
    assert "restored for a while" in client.get(address(world.server, "delete")).text


def test_every_dialog_asks(world, browse):
    server = make_server(world.people.member.ctx, name="ask", vm_state=VmState.ACTIVE, address=False)
    for name, state in (
        ("crash-dump", VmState.ACTIVE),
        ("revert-resize", VmState.RESIZED),
        ("force-delete", VmState.SOFT_DELETED),
    ):
        put_in(server, state)
        assert "ask" in browse("member", **HTMX).get(address(server, name)).text
