"""Signing in and out, and switching the project."""

import pytest

from tests.accounts.factories import PASSWORD, AssignmentFactory

WRONG = "Name or password is wrong, or the account is disabled."


def sign_in(client, name, password=PASSWORD, **more):
    return client.post("/account/sign-in/", {"name": name, "password": password, "domain": "Default", **more})


def test_signing_in_leads_where_one_wanted_to_go(world, browse):
    client = browse(None)
    answer = sign_in(client, "member", next="/keys/")

    assert answer.url == "/keys/"
    assert client.get("/keys/").status_code == 200


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_the_way_back_never_leaves_this_site(world, browse, next_):
    assert sign_in(browse(None), "member", next=next_).url == "/"


@pytest.mark.parametrize(("name", "password"), [("member", "not his password"), ("nobody-knows-him", PASSWORD)])
def test_an_unknown_name_and_a_wrong_password_read_the_same(world, browse, name, password):
    answer = sign_in(browse(None), name, password)

    assert answer.status_code == 401
    assert WRONG in answer.text
    assert f'value="{name}"' in answer.text
    assert password not in answer.text


def test_signing_out_takes_a_post(world, browse):
    client = browse("member")

    assert client.get("/account/sign-out/").status_code == 405
    client.post("/account/sign-out/")
    assert client.get("/keys/").status_code == 302


def test_switching_the_project_stays_on_the_kind_of_page(world, browse):
    people = world.people
    AssignmentFactory(user=people.member.user, role=people.roles["reader"], project=people.other)
    client = browse("member")

    assert client.post("/account/project/", {"project": people.other.pk, "next": "/images/"}).url == "/images/"
    assert client.session["project_id"] == people.other.pk
    back = client.post("/account/project/", {"project": people.lab.pk, "next": f"/instances/{world.server.pk}/"})
    assert back.url == "/instances/"


def test_a_project_without_a_role_cannot_be_chosen(world, browse):
    client = browse("member")

    assert client.post("/account/project/", {"project": world.people.other.pk}).status_code == 404
    assert client.session["project_id"] == world.people.lab.pk
