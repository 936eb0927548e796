"""Signing in step by step: the second factor, a password that has expired, and what a session is worth."""

import time
from base64 import b32decode

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.utils import timezone

from accounts.models import SignIn, User
from accounts.services import second_factor, users
from tests.accounts.factories import PASSWORD

IN = "/account/sign-in/"


def code_of(seed, steps=0):
    return TOTP(b32decode(seed), 6, SHA1(), 30).generate(time.time() + 30 * steps).decode()


def sign_in(client, name="member", password=PASSWORD, way="/keys/", **more):
    return client.post(IN, {"name": name, "password": password, "domain": "Default", "next": way, **more})


def is_in(client):
    return client.get("/keys/").status_code == 200


@pytest.fixture
def member(world):
    return world.people.member.user


@pytest.fixture
def factor(member):
    """Give the member a second factor; return its seed and the recovery codes."""
    seed = second_factor.enrol(user=member).seed
    return seed, second_factor.confirm(user=member, seed=seed, code=code_of(seed, -1))


def test_a_password_alone_does_not_pass_a_second_factor(factor, browse):
    client = browse(None)
    assert sign_in(client).url == "/account/sign-in/code/"
    assert not is_in(client)
    refused = client.post("/account/sign-in/code/", {"code": "000000" if code_of(factor[0]) != "000000" else "111111"})
    assert refused.status_code == 400
    assert not is_in(client)
    assert client.post("/account/sign-in/code/", {"code": code_of(factor[0])}).url == "/keys/"
    assert is_in(client)


def test_a_recovery_code_passes_once(factor, browse):
    for number, passes in ((0, True), (0, False), (1, True)):
        client = browse(None)
        sign_in(client)
        client.post("/account/sign-in/code/", {"code": factor[1][number]})
        assert is_in(client) is passes


def test_the_second_step_needs_the_first_one_of_this_browser_and_lately(factor, browse, monkeypatch):
    code = factor[1][0]
    assert browse(None).post("/account/sign-in/code/", {"code": code}).url == IN
    client, real = browse(None), time.time
    sign_in(client)
    monkeypatch.setattr(time, "time", lambda: real() + 601)
    assert client.post("/account/sign-in/code/", {"code": code}).url == IN
    assert not is_in(client)


@pytest.mark.parametrize("deed", ["password", "disabled"])
def test_the_second_step_ends_with_what_the_first_one_proved(factor, member, browse, deed):
    client = browse(None)
    sign_in(client)
    if deed == "password":
        users.set_password(member, "quite-Another-7")
    else:
        User.objects.filter(pk=member.pk).update(enabled=False)
    assert client.post("/account/sign-in/code/", {"code": factor[1][0]}).url == IN


def test_the_operators_site_has_no_door_of_its_own(world, browse):
    client = browse(None)
    assert client.get("/admin/").url == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/").url == "/account/sign-in/?next=/admin/"
    assert client.post("/admin/login/", {"username": "admin", "password": PASSWORD}).url.startswith(IN)
    assert browse("member").get("/admin/login/").status_code == 403
    assert sign_in(client, "admin", way="/admin/").url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_an_expired_password_is_changed_before_anything_else(member, browse):
    User.objects.filter(pk=member.pk).update(password_expires_at=timezone.now())
    client = browse(None)
    assert sign_in(client).url == "/account/sign-in/password/"
    assert not is_in(client)
    for new, again in (("short", "short"), ("long enough", "not the same"), (PASSWORD, PASSWORD)):
        answer = client.post("/account/sign-in/password/", {"new_password": new, "again": again})
        assert answer.status_code == 400
        assert f'value="{new}"' not in answer.text
    assert not is_in(client)
    chosen = {"new_password": "long enough", "again": "long enough"}
    assert client.post("/account/sign-in/password/", chosen).url == "/keys/"
    assert is_in(client)
    assert sign_in(browse(None), password="long enough").url == "/keys/"


def test_an_expired_password_does_not_spare_the_second_factor(factor, member, browse):
    User.objects.filter(pk=member.pk).update(password_expires_at=timezone.now())
    client = browse(None)
    assert sign_in(client).url == "/account/sign-in/code/"
    chosen = {"new_password": "long enough", "again": "long enough"}
    assert client.post("/account/sign-in/password/", chosen).url == "/account/sign-in/code/"
    assert client.post("/account/sign-in/code/", {"code": factor[1][0]}).url == "/account/sign-in/password/"
    assert client.post("/account/sign-in/password/", chosen).url == "/keys/"


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_no_step_leads_away_from_this_site(factor, browse, next_):
    client = browse(None)
    sign_in(client, way=next_)
    assert client.post("/account/sign-in/code/", {"code": factor[1][0]}).url == "/"


def test_a_session_from_before_is_worth_nothing_afterwards(factor, browse):
    """A63: a session that somebody else put into the browser is not the one that is signed in."""
    client, thief = browse(None), browse(None)
    keys = []
    client.get(IN)
    for step in (lambda: sign_in(client), lambda: client.post("/account/sign-in/code/", {"code": factor[1][0]})):
        step()
        keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert len(set(keys)) == 2
    thief.cookies[settings.SESSION_COOKIE_NAME] = keys[0]
    assert not is_in(thief)
    assert is_in(client)


def test_signing_in_is_remembered_until_signing_out(member, browse):
    client = browse(None)
    client.post(IN, {"name": "member", "password": PASSWORD, "domain": "Default"}, headers={"User-Agent": "Firefox/1 Linux"})
    row = SignIn.objects.get(user=member)
    assert (row.address, row.agent) == ("127.0.0.1", "Firefox/1 Linux")
    client.post("/account/sign-out/")
    assert not SignIn.objects.filter(user=member).exists()
