"""Buttons: who may press which, what a grey one says, and what a click answers."""

import json

import pytest
from django.urls import reverse

from compute.models import Server
from compute.services import consoles
from compute.states import PowerState, TaskState, VmState, refusal
from portal.dashboard.instances.actions import ACTIONS, BY_NAME
from tests.dashboard.world import make_server

HTMX = {"HX-Request": "true"}


def address(server, name, kind="action"):
    return reverse(f"instances:{kind}", args=[server.pk, name])


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin"])
def test_the_button_says_what_the_service_does(world, browse, who, action):
    """The verdict of the page and the answer of the service agree, whoever asks."""
    person = getattr(world.people, who)
    server = make_server(person.ctx, name="other", vm_state=VmState.ACTIVE, address=False)
    verdict = action.verdict(person.ctx, server)

    answer = browse(who, **HTMX).post(address(server, action.name), {"from": "row"})

    moved = Server.objects.get(pk=server.pk).task_state is not None
    assert moved == verdict.allowed
    assert answer.status_code in (200, 204, 403)


@pytest.mark.parametrize("task", [None, *TaskState])
@pytest.mark.parametrize("vm", [state for state in VmState if state != VmState.DELETED])
def test_states_speak_as_the_table_does(world, vm, task):
    server = Server(name="x", vm_state=vm, task_state=task, host="host1")
    for action in ACTIONS:
        reason, _remedy = action.refusal_by_state(server)
        assert bool(reason) == (refusal(action.action, vm, task) is not None)


def test_a_reader_is_told_why(world, browse):
    client = browse("reader", **HTMX)
    page = client.get("/instances/").text
    why = client.get(address(world.server, "stop", "why")).text

    assert address(world.server, "stop", "why") in page
    assert f'formaction="{address(world.server, "stop")}"' not in page
    assert "os_compute_api:servers:stop" in why
    assert "You are reader in lab." in why
    assert "Whoever may assign the role member in project lab can give it to you." in why


def test_a_wrong_state_is_told_in_words(world, browse):
    why = browse("member", **HTMX).get(address(world.server, "start", "why")).text

    assert "web-01 is running." in why
    assert "Start is for instances in state: Stopped." in why


def test_a_click_answers_with_the_changed_row(world, browse):
    answer = browse("member", **HTMX).post(address(world.server, "stop"), {"from": "row"})

    assert answer.status_code == 200
    assert answer.text.strip().startswith(f'<tr id="row-{world.server.pk}"')
    assert "Stopping" in answer.text


def test_a_refusal_stands_beside_the_row(world, browse):
    answer = browse("member", **HTMX).post(address(world.server, "start"), {"from": "row"})

    assert "nb-note" in answer.text
    assert "Cannot &#x27;start&#x27; instance" in answer.text


def test_delete_names_what_is_lost_and_then_says_so(world, browse):
    client = browse("member", **HTMX)
    question = client.get(address(world.server, "delete")).text
    answer = client.post(address(world.server, "delete"), {"from": "dialog"})

    assert "its disk of 1 GB" in question and "Delete web-01" in question
    assert answer.status_code == 204
    events = json.loads(answer.headers["HX-Trigger"])
    assert events["nb:notice"]["text"] == "web-01 is being deleted."
    assert events["nb:refresh"] == {"id": str(world.server.pk)}
    assert "nb:close-dialog" in events


def test_a_button_works_without_scripts(world, browse):
    answer = browse("member").post(address(world.server, "stop"))

    assert answer.status_code == 302
    assert answer.url == reverse("instances:detail", args=[world.server.pk])


def test_the_feed_gets_rows_by_id_and_a_mark_for_what_is_gone(world, browse):
    gone = "00000000-0000-4000-8000-000000000000"
    answer = browse("member", **HTMX).get(f"/instances/rows/?ids={world.server.pk},{gone},nonsense")

    assert f'<tr id="row-{world.server.pk}"' in answer.text
    assert f'<tr id="row-{gone}" data-gone>' in answer.text
    assert answer.text.count("<tr ") == 2


def test_the_feed_of_a_signed_out_tab_is_told_by_its_status(world, browse):
    assert browse(None, **HTMX).get("/instances/rows/").status_code == 401


@pytest.mark.parametrize(
    ("query", "found"),
    [("web", 1), ("status:running", 1), ("-status:running", 0), ("status:error", 0), ("image:cirros", 1), ("nothing", 0)],
)
def test_search(world, browse, query, found):
    page = browse("member").get("/instances/", {"q": query}).text

    assert page.count('<tr id="row-') == found
    assert ("Nothing matches" in page) == (found == 0)


def test_every_action_has_a_command(world):
    for action in BY_NAME.values():
        forms = action.command(world.server).forms
        assert [form.kind for form in forms][:2] == ["openstack", "curl"]
        assert all(str(world.server.pk) in form.text for form in forms)


def test_a_reader_gets_no_console_and_is_told_why(world, browse):
    client = browse("reader", **HTMX)
    page = client.get("/instances/").text

    assert reverse("console:window", args=[world.server.pk]) not in page
    assert "os_compute_api:os-remote-consoles" in client.get(address(world.server, "console", "why")).text
    assert (
        client.post(reverse("console:access", args=[world.server.pk]), headers={"Accept": "application/json"}).status_code
        == 403
    )


@pytest.mark.parametrize("task", [None, TaskState.RESIZE_CONFIRMING, TaskState.DELETING])
@pytest.mark.parametrize("power", [PowerState.RUNNING, PowerState.SHUTDOWN])
@pytest.mark.parametrize("vm", [state for state in VmState if state != VmState.DELETED])
def test_the_console_is_offered_where_the_service_opens_one(world, vm, power, task):
    server = Server(name="x", vm_state=vm, power_state=power, task_state=task, host="host1")
    reason, _remedy = BY_NAME["console"].refusal_by_state(server)
    assert bool(reason) != consoles.has_display(server)


@pytest.mark.parametrize("state", [VmState.RESCUED, VmState.RESIZED])
def test_an_instance_that_is_rescued_or_resized_has_a_console_button(world, browse, state):
    Server.objects.filter(pk=world.server.pk).update(vm_state=state, power_state=PowerState.RUNNING)
    page = browse("member").get(reverse("instances:detail", args=[world.server.pk])).text

    assert f'id="console-{world.server.pk}"' in page
    assert address(world.server, "console", "why") not in page


@pytest.mark.parametrize(
    ("state", "said"), [(VmState.RESCUED, "web-01 is in rescue mode."), (VmState.ERROR, "web-01 is in error state.")]
)
def test_a_refusal_is_a_sentence(world, browse, state, said):
    Server.objects.filter(pk=world.server.pk).update(vm_state=state)

    assert said in browse("member", **HTMX).get(address(world.server, "pause", "why")).text


def test_the_console_of_a_machine_that_is_off_is_waited_for(world, browse):
    Server.objects.filter(pk=world.server.pk).update(vm_state=VmState.STOPPED)
    answer = browse("member").post(reverse("console:access", args=[world.server.pk]), headers={"Accept": "application/json"})

    assert answer.status_code == 409
    assert answer.json()["off"] is True


def test_the_console_gives_out_a_websocket_of_this_site(world, browse):
    answer = browse("member").post(reverse("console:access", args=[world.server.pk]), headers={"Accept": "application/json"})

    assert answer.json()["websocket"].startswith("/ws/vnc/?token=")
