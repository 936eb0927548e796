"""Every page for every person: what answers, what leads to the sign-in page, what is simply not there."""

import re
from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone, translation

from compute.models import ActionEvent, Server, ServerAction, ServerDefinition
from compute.services import actions, restarts
from compute.states import Action, OtherAction, TaskState
from portal.dashboard.templatetags.instances import deed
from tests.dashboard.world import make_server

LISTS = [
    "/overview/",
    "/instances/",
    "/instances/new/",
    "/images/",
    "/images/new/",
    "/images/definitions/",
    "/flavors/",
    "/networks/",
    "/networks/new/",
    "/security-groups/",
    "/security-groups/new/",
    "/keys/",
    "/keys/new/",
    "/keys/import/",
    "/api-access/",
    "/api-access/new/",
]
OWN = [
    "/account/",
    "/account/password/",
    "/account/second-factor/",
    "/account/second-factor/off/",
    "/account/second-factor/recovery-codes/",
]
TABS = ["overview", "screen", "log", "network", "timeline"]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+\s*=|javascript:", re.IGNORECASE)


def tab_address(server, tab):
    if tab == "overview":
        return reverse("instances:detail", args=[server.pk])
    return reverse("instances:tab", args=[server.pk, tab])


@pytest.mark.parametrize("path", [*LISTS, *OWN])
@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin"])
def test_every_panel_answers_everybody_in_the_project(world, browse, who, path):
    assert browse(who).get(path).status_code == 200


@pytest.mark.parametrize("path", [*LISTS, *OWN])
def test_without_a_session_every_page_leads_to_the_sign_in_page_and_back(world, browse, path):
    answer = browse(None).get(path)

    assert answer.status_code == 302
    assert answer.url == f"/account/sign-in/?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("path", LISTS)
def test_somebody_without_a_project_is_told_so(world, browse, path):
    answer = browse("nobody").get(path)

    assert answer.status_code == 403
    assert "You are in no project yet" in answer.text


@pytest.mark.parametrize("path", OWN)
def test_ones_own_account_needs_no_project(browse, path):
    assert browse("nobody").get(path).status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_the_tabs_of_an_instance(world, browse, tab):
    answer = browse("member").get(tab_address(world.server, tab))

    assert answer.status_code == 200
    assert "web-01" in answer.text


def test_the_timeline_says_that_the_host_was_restarted(world, browse):
    now = timezone.now()
    actions.note(world.server, restarts.CAUSE, now)

    assert "The host was restarted" in browse("reader").get(tab_address(world.server, "timeline")).text


def built(server, action, began, **steps):
    """Write a finished action into the log of a server, with the stages that it went through."""
    row = ServerAction.objects.create(
        server=server, action=action, request_id=f"req-{action}", started_at=began, finished_at=began + timedelta(seconds=60)
    )
    for name, took in steps.items():
        end = began + timedelta(seconds=took)
        ActionEvent.objects.create(action=row, name=f"compute_{name}", started_at=began, finished_at=end, result="Success")
    return row


@pytest.fixture
def rebuild(world):
    """A server that was created an hour ago and rebuilt now."""
    now = timezone.now()
    Server.objects.filter(pk=world.server.pk).update(launched_at=now)
    first = {"scheduling": 11, "networking": 12, "block_device_mapping": 13, "spawning": 14}
    built(world.server, Action.CREATE, now - timedelta(hours=1), **first)
    return built(world.server, Action.REBUILD, now - timedelta(minutes=2), block_device_mapping=21, spawning=22)


def test_the_overview_shows_the_stages_of_the_rebuild_that_made_the_disk(world, browse, rebuild):
    page = browse("member").get(tab_address(world.server, "overview")).text

    assert page.count('<li class="nb-stage"') == 2
    assert "21 s" in page and "22 s" in page
    assert not [took for took in ("11 s", "12 s", "13 s", "14 s") if took in page]
    assert rebuild.started_at.astimezone(timezone.get_current_timezone()).strftime("%Y-%m-%d %H:%M:%S") in page


def test_a_rebuild_that_failed_leaves_the_stages_of_the_creation(world, browse, rebuild):
    ServerAction.objects.filter(pk=rebuild.pk).update(message="Error")
    page = browse("member").get(tab_address(world.server, "overview")).text

    assert page.count('<li class="nb-stage"') == 4
    assert "11 s" in page and "21 s" not in page


def test_no_stages_are_shown_while_a_rebuild_runs(world, browse, rebuild):
    ServerAction.objects.filter(pk=rebuild.pk).update(finished_at=None)
    Server.objects.filter(pk=world.server.pk).update(task_state=TaskState.REBUILDING)

    assert "nb-stage" not in browse("member").get(tab_address(world.server, "overview")).text


@pytest.mark.parametrize("name", [*Action, *OtherAction])
def test_whatever_the_actions_log_names_has_a_word(name):
    with translation.override("en"):
        english = deed(name)
    with translation.override("zh-hans"):
        chinese = deed(name)

    assert name not in (english, chinese)
    assert english != chinese


@pytest.mark.parametrize(("language", "word"), [("en", "End rescue"), ("zh-hans", "结束救援")])
def test_the_timeline_and_the_overview_speak_of_a_rescue_in_words(world, browse, language, word):
    actions.begin(world.people.member.ctx, world.server, Action.UNRESCUE)
    client = browse("member")
    client.cookies["django_language"] = language
    for path in (tab_address(world.server, "timeline"), "/overview/"):
        assert f">{word}</span>" in client.get(path).text


def test_the_definition_is_for_operators_alone(world, browse):
    address = tab_address(world.server, "definition")

    assert browse("member").get(address).status_code == 404
    assert browse("admin").get(address).status_code == 200


def test_each_definition_is_shown_with_what_changed_since_the_last_one(world, browse):
    address, texts = (
        tab_address(world.server, "definition"),
        ("<domain><vcpu>1</vcpu></domain>", "<domain><vcpu>2</vcpu></domain>"),
    )
    first, second = (
        ServerDefinition.objects.create(server=world.server, host="host1", xml=text, request_id=f"req-{text[14]}")
        for text in texts
    )
    admin = browse("admin")

    newest = admin.get(address).text
    assert '<span data-sign="+">+   &lt;vcpu&gt;2&lt;/vcpu&gt;' in newest
    assert '<span data-sign="-">-   &lt;vcpu&gt;1&lt;/vcpu&gt;' in newest
    assert f"?definition={first.pk}" in newest
    oldest = admin.get(f"{address}?definition={first.pk}").text
    assert "This is the first definition." in oldest
    assert "&lt;vcpu&gt;1&lt;/vcpu&gt;" in oldest
    assert "&lt;vcpu&gt;2&lt;/vcpu&gt;" not in oldest
    assert admin.get(f"{address}?definition=999999").status_code == 404
    assert admin.get(f"{address}?definition=x").status_code == 404
    assert second.pk > first.pk


@pytest.mark.parametrize("tab", TABS)
def test_an_instance_of_another_project_looks_like_none(world, browse, tab):
    stranger = browse("stranger")
    theirs = stranger.get(tab_address(world.server, tab))
    made_up = stranger.get(
        tab_address(world.server, tab).replace(str(world.server.pk), "00000000-0000-4000-8000-000000000000")
    )

    assert theirs.status_code == made_up.status_code == 404
    assert "not yours to see" in theirs.text
    assert "web-01" not in theirs.text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_page_holds_inline_scripts(world, browse, language):
    client = browse("admin")
    client.cookies["django_language"] = language
    pages = [
        *LISTS,
        *OWN,
        *(tab_address(world.server, tab) for tab in TABS),
        reverse("console:window", args=[world.server.pk]),
        "/console/?token=x",
    ]
    for path in pages:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert not INLINE.search(answer.text), path
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_console_has_a_window_of_its_own(world, browse):
    page = browse("member").get(reverse("console:window", args=[world.server.pk]))

    assert page.status_code == 200
    assert 'id="screen"' in page.text


def test_the_admin_site_stands_in_the_sidebar_of_operators_alone(world, browse):
    assert 'href="/admin/"' in browse("admin").get("/overview/").text
    assert 'href="/admin/"' not in browse("manager").get("/overview/").text


def test_the_theme_is_in_the_first_byte_of_the_page(world, browse):
    client = browse("member")
    client.post("/account/theme/", {"theme": "dark", "next": "/keys/"})

    assert 'data-bs-theme="dark"' in client.get("/keys/").text


def test_the_pages_speak_chinese(world, browse):
    client = browse("member")
    client.post("/account/language/", {"language": "zh-hans", "next": "/"})
    page = client.get("/instances/").text

    assert 'lang="zh-hans"' in page
    assert "实例" in page and "运行中" in page


def test_a_refusal_is_said_in_the_readers_language_and_in_english_to_clients(world, browse):
    client = browse("member")
    client.cookies["django_language"] = "zh-hans"
    page = client.post("/keys/new/", {"name": "laptop"})
    answer = world.people.member.api.post("/compute/v2.1/os-keypairs", {"keypair": {"name": "laptop"}})

    assert "密钥对“laptop”已存在。" in page.text
    assert answer.json()["conflictingRequest"]["message"] == "Key pair 'laptop' already exists."


def test_the_list_asks_a_fixed_number_of_queries(world, browse, django_assert_max_num_queries):
    for number in range(12):
        make_server(world.people.member.ctx, name=f"more-{number}", address=False)
    client = browse("member")

    with django_assert_max_num_queries(30):
        assert client.get("/instances/").text.count("<tr id=") == 13


@override_settings(PUBLIC_URL="https://cloud.example")
def test_commands_name_the_public_address(world, browse):
    page = browse("member").get(reverse("instances:command", args=[world.server.pk, "stop"])).text

    assert f"openstack server stop {world.server.pk}" in page
    assert f"https://cloud.example/compute/v2.1/servers/{world.server.pk}/action" in page
