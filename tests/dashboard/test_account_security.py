"""The account page: password, second factor, sessions."""

import re
import time

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import RecoveryCode, SignIn, User
from accounts.services import second_factor, sessions
from accounts.websocket import context_of_session
from compute.ws import closing
from tests.accounts.factories import PASSWORD
from tests.dashboard.test_account_steps import code_of, is_in, sign_in
from tests.kit.websocket import Page


@pytest.fixture
def member(world):
    return world.people.member.user


@pytest.fixture
def here(member):
    """A browser in which the member signed in."""
    client = Client()
    sign_in(client)
    return client


def cookie_of(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def change(client, new="long enough", present=PASSWORD):
    return client.post("/account/password/", {"password": present, "new_password": new, "again": new})


def test_changing_the_password_ends_every_other_session_and_rotates_this_one(member, here, world):
    """A63: the key of before is worth nothing, in whoever's hands."""
    elsewhere, old = Client(), cookie_of(here)
    sign_in(elsewhere)
    assert change(here).url == "/account/"
    assert is_in(here)
    assert not is_in(elsewhere)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = old
    assert not is_in(thief)
    assert world.people.member.api.get("/identity/v3/auth/projects").status_code == 401
    assert [item.here for item in sessions.of(member, cookie_of(here))] == [True]


def test_the_present_password_is_asked_for_and_tries_are_counted(here):
    for _number in range(2):
        answer = change(here, present="wrong")
        assert answer.status_code == 400
    assert "This is not your password. Try again in 5 seconds." in answer.text
    assert change(here).status_code == 400


def test_what_the_rules_refuse_is_said_on_the_form(here, member):
    assert "must differ" in change(here, PASSWORD).text
    assert "too short" in change(here, "short").text
    User.objects.filter(pk=member.pk).update(options={"lock_password": True})
    assert "cannot be changed by its owner" in change(here).text
    assert "Change password" not in here.get("/account/").text


def test_a_second_factor_is_set_up_with_the_password_and_a_code(here, member):
    assert here.post("/account/second-factor/", {"password": "wrong"}).status_code == 400
    page = here.post("/account/second-factor/", {"password": PASSWORD})
    assert "<svg" in page.text
    seed = re.search(r'data-copy="([A-Z2-7]{32})"', page.text)[1]
    sealed = re.search(r'name="seed" value="([^"]+)"', page.text)[1]
    again = here.post("/account/second-factor/", {"code": "abcdef", "seed": sealed})
    assert again.status_code == 400
    assert not second_factor.is_enrolled(member)
    done = here.post("/account/second-factor/", {"code": code_of(seed), "seed": sealed})
    codes = re.findall(r"^(?:<pre[^>]*>|.*>)?([a-z2-7]{4}(?:-[a-z2-7]{4}){3})$", done.text, re.MULTILINE)
    assert len(codes) == 10
    assert second_factor.is_enrolled(member)
    assert second_factor.verify(user=member, code=codes[0])
    for secret in (seed, codes[1]):
        assert secret not in here.get("/account/").text


@pytest.mark.parametrize("kind", ["made up", "somebody else's", "old"])
def test_a_seed_that_we_did_not_give_is_not_taken(here, member, world, kind, monkeypatch):
    page = here.post("/account/second-factor/", {"password": PASSWORD})
    sealed, seed = re.search(r'name="seed" value="([^"]+)"', page.text)[1], re.search(r'data-copy="(\w{32})"', page.text)[1]
    client, code = here, code_of(seed)
    if kind == "made up":
        sealed = "A" * 32
    elif kind == "old":
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + 901)
    else:
        client = Client()
        sign_in(client, "stranger")
    assert client.post("/account/second-factor/", {"code": code, "seed": sealed}).url == "/account/second-factor/"
    assert not second_factor.is_enrolled(member)
    assert not second_factor.is_enrolled(world.people.stranger.user)


def test_turning_it_off_and_new_codes_ask_for_a_code(here, member):
    seed = second_factor.enrol(user=member).seed
    codes = second_factor.confirm(user=member, seed=seed, code=code_of(seed, -1))
    assert here.post("/account/second-factor/recovery-codes/", {"code": "wrong"}).status_code == 400
    assert here.post("/account/second-factor/off/", {"code": "wrong"}).status_code == 400
    fresh = here.post("/account/second-factor/recovery-codes/", {"code": codes[0]}).text
    assert not second_factor.verify(user=member, code=codes[1])
    assert RecoveryCode.objects.filter(user=member).count() == 10
    code = re.search(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", fresh)[0]
    assert here.post("/account/second-factor/off/", {"code": code}).url == "/account/"
    assert not second_factor.is_enrolled(member)


def test_a_session_is_ended_from_elsewhere(here, member):
    elsewhere = Client()
    sign_in(elsewhere)
    page = here.get("/account/").text
    assert page.count("Sign out there") == 1
    assert cookie_of(elsewhere) not in page
    address = re.search(r'action="(/account/sessions/\w+/end/)"', page)[1]
    assert here.post(address).url == "/account/"
    assert not is_in(elsewhere)
    assert is_in(here)
    assert Session.objects.count() == SignIn.objects.count() == 1
    assert here.post(address).url == "/account/"


def test_all_other_sessions_are_ended_at_once(here, member):
    others = [Client(), Client()]
    for client in others:
        sign_in(client)
    here.post("/account/sessions/end/")
    assert [is_in(client) for client in (here, *others)] == [True, False, False]


def test_nobody_ends_anothers_session(here, member, world, browse):
    handle = sessions.of(member)[0].handle
    browse("stranger").post(f"/account/sessions/{handle}/end/")
    browse("admin").post(f"/account/sessions/{handle}/end/")
    assert is_in(here)


def test_last_seen_follows_use_and_is_not_written_each_time(here, member):
    first = SignIn.objects.get(user=member).seen_at
    here.get("/account/")
    assert SignIn.objects.get(user=member).seen_at == first
    session = here.session
    session["seen_at"] = time.time() - 301
    session.save()
    here.get("/account/")
    assert SignIn.objects.get(user=member).seen_at > first


def test_sessions_that_are_over_are_forgotten(here, member):
    SignIn.objects.update(seen_at="2020-01-01T00:00:00Z")
    assert sessions.of(member) == []
    assert sessions.forget_expired() == 1


@pytest.mark.django_db(transaction=True)
async def test_what_a_session_has_open_ends_with_it(here, member):
    ctx = await sync_to_async(context_of_session)(cookie_of(here))
    page, other = Page("/ws/servers/", ctx, cookie=cookie_of(here)), Page("/ws/servers/", ctx)
    for socket in (page, other):
        await socket.connect()
    await sync_to_async(sessions.end_all)(user=member)
    assert await page.closed() == closing.SIGN_IN
    assert await other.receive_nothing()
    await other.disconnect()
