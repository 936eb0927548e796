"""The console's pages: its switches, the accesses it asks for, native viewers, who else is here."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from compute.models import ConsoleToken
from compute.services import consoles

JSON = {"Accept": "application/json"}


def window(world, **query):
    return reverse("console:window", args=[world.server.pk]) + (f"?show={query['show']}" if query else "")


@pytest.mark.parametrize(
    ("show", "script", "has"),
    [
        ("screen", "dist/vnc", "Ctrl+Alt+Del"),
        ("serial", "dist/serial", "Paste text"),
        ("log", "dist/watch", "Follow the end"),
        ("nonsense", "dist/vnc", "Ctrl+Alt+Del"),
    ],
)
def test_each_way_to_look_has_its_script(world, browse, show, script, has):
    page = browse("member").get(window(world, show=show))
    assert page.status_code == 200
    assert script in page.text
    assert has in page.text
    embedded = browse("member").get(reverse("instances:tab", args=[world.server.pk, "screen"]) + f"?show={show}")
    assert script in embedded.text


@pytest.mark.parametrize(
    ("asked", "path"), [("novnc", "/ws/vnc/?token="), ("serial", "/ws/serial/?token="), ("x", "/ws/vnc/")]
)
def test_an_access_is_for_what_is_shown_and_ends_with_the_session(world, browse, asked, path):
    client = browse("member")
    answer = client.post(reverse("console:access", args=[world.server.pk]), {"kind": asked}, headers=JSON)
    assert answer.json()["websocket"].startswith(path)
    row = ConsoleToken.objects.get()
    assert row.session
    assert client.session.session_key not in str(vars(row))
    assert answer.json()["visit"] == row.digest[:16]


def test_a_native_viewer_is_told_host_port_and_password(world, browse, settings):
    settings.PUBLIC_URL, settings.VIEWER_PORT = "https://cloud.example", 6081
    client = browse("member")
    answer = client.post(reverse("console:native", args=[world.server.pk]))
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert "cloud.example" in page.text
    assert "6081" in page.text
    assert "no-store" in page["Cache-Control"]
    assert "Content-Encoding" not in page
    texts = {name: client.get(f"{answer['Location']}&file={name}") for name in ("tigervnc", "vnc", "vv")}
    assert "ServerName=cloud.example::6081" in texts["tigervnc"].text
    assert "Host=cloud.example::6081" in texts["vnc"].text
    assert "port=6081" in texts["vv"].text
    assert texts["vv"]["Content-Disposition"] == 'attachment; filename="console.vv"'
    assert client.get(f"{answer['Location']}&file=../x").status_code == 404


def test_a_native_viewer_s_address_opens_nothing_once_it_is_spent(world, browse, client):
    answer = browse("member").post(reverse("console:native", args=[world.server.pk]))
    token = parse_qs(urlsplit(answer["Location"]).query)["token"][0]
    assert client.get(answer["Location"]).status_code == 200  # the token is the right, whoever brings it
    ConsoleToken.objects.update(redeemed_at="2026-01-01T00:00:00Z")
    assert client.get(answer["Location"]).status_code == 403
    assert client.get(f"/console/viewer/?token={token}x").status_code == 403
    assert client.get("/console/viewer/").status_code == 403


def test_only_who_may_open_a_console_gets_anything(world, browse):
    for name, method in (("native", "post"), ("visitors", "get"), ("access", "post")):
        address = reverse(f"console:{name}", args=[world.server.pk])
        assert getattr(browse("reader"), method)(address, headers=JSON).status_code == 403
        assert getattr(browse("stranger"), method)(address, headers=JSON).status_code == 404
        assert browse("member").get(reverse("console:native", args=[world.server.pk])).status_code == 405
    assert not ConsoleToken.objects.filter(kind=consoles.NATIVE).exists()


def test_nobody_is_named_where_nobody_is(world, browse):
    assert browse("member").get(reverse("console:visitors", args=[world.server.pk])).json() == {"visitors": []}


@pytest.mark.parametrize(
    "query",
    [
        "path=ws/vnc/%3Ftoken%3Dabc",
        "token=abc",
        "path=//evil.example/%3Ftoken%3Dabc&host=evil.example&port=1",
        "path=https%3A%2F%2Fevil.example%2F%3Ftoken%3Dabc",
    ],
)
def test_an_address_leads_nowhere_but_to_our_own_websocket(client, query):
    page = client.get(f"/console/?{query}")
    assert 'data-websocket="/ws/vnc/?token=abc"' in page.text
    assert "evil" not in page.text
    assert "noVNC" in page.text
