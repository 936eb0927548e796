"""Every page for every person: what answers, what leads to the sign-in page, what is simply not there."""

import re

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone, translation

from compute.models import ServerDefinition
from compute.services import actions, restarts
from compute.states import Action, OtherAction
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
