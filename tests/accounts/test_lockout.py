"""Waits that grow with wrong passwords, equal for everybody, and never in the way of an innocent owner."""

import time
from base64 import b32decode

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import second_factor
from accounts.services.attempts import attempt
from tests.accounts.factories import PASSWORD, DomainFactory, UserFactory
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

TOKENS = "/identity/v3/auth/tokens"
HOME, AWAY = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def clock(monkeypatch):
    """Return a function that lets seconds pass."""
    real, passed = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + passed[0])
    return lambda seconds: passed.__setitem__(0, passed[0] + seconds)


@pytest.fixture
def user(db):
    return UserFactory(name="ada")


def sign_in(name="ada", password=PASSWORD, address=AWAY, domain="Default", code=""):
    return attempt(password, address=address, code=code, name=name, domain_name=domain)


def fail(times, **more):
    for _number in range(times):
        assert sign_in(password="wrong", **more).user is None


def test_after_two_wrong_ones_an_account_waits_and_each_further_doubles_it(user, clock):
    fail(1)
    assert sign_in(password="wrong").wait_s == 5
    for wait_s in (10, 20, 40, 80, 160, 320, 640, 900, 900):
        assert sign_in().user is None
        clock(wait_s if wait_s == 900 else wait_s / 2 + 0.1)
        assert sign_in(password="wrong").wait_s == wait_s
    clock(901)
    assert sign_in().user == user
    fail(1)
    assert sign_in().user == user


def test_tries_while_waiting_do_not_make_it_longer(user, clock):
    fail(20)
    clock(5.1)
    assert sign_in().user == user


def test_a_wait_ends_by_itself_at_the_api(user, clock):
    body = {"user": {"id": user.pk, "password": PASSWORD}}
    wrong = {"user": {"name": "ada", "domain": {"id": "default"}, "password": "wrong"}}

    def status(part):
        return Api().post(TOKENS, {"auth": {"identity": {"methods": ["password"], "password": part}}}).status_code

    assert [status(wrong), status(wrong), status(body)] == [401, 401, 401]
    clock(5.1)
    assert status(body) == 201


def test_the_owner_gets_in_where_he_signed_in_before_whatever_strangers_try(user, clock):
    assert sign_in(address=HOME).user == user
    for number in range(40):
        fail(1, address=f"203.0.113.{number}")
        clock(901 if number < 12 else 0)
    assert sign_in(address="203.0.113.200").user is None
    assert sign_in(address=HOME).user == user
    fail(2, address=HOME)
    assert sign_in(address=HOME).user is None
    clock(5.1)
    assert sign_in(address=HOME).user == user


def test_the_owner_signing_in_does_not_help_those_who_guess(user):
    assert sign_in(address=HOME).user == user
    fail(2, address=AWAY)
    assert sign_in(address=HOME).user == user
    assert sign_in(address=AWAY).user is None


def test_the_right_code_lifts_a_wait_and_a_wrong_password_with_it_does_not(user):
    seed = second_factor.enrol(user=user).seed
    clock = TOTP(b32decode(seed), 6, SHA1(), 30)
    codes = second_factor.confirm(user=user, seed=seed, code=clock.generate(time.time()).decode())
    fail(5)
    assert sign_in().user is None
    assert sign_in(password="wrong", code=codes[0]).user is None
    found = sign_in(code=codes[0])
    assert (found.user, found.both) == (user, True)


def test_an_open_session_goes_on_while_the_account_waits(user):
    client = Client()
    client.force_login(user, backend="accounts.backends.PasswordBackend")
    fail(9)
    assert client.get("/account/").status_code == 200


def test_an_address_that_tries_many_names_waits_but_not_who_is_at_home_there(user, clock):
    newcomer = UserFactory(name="eve")
    assert sign_in(address=HOME).user == user
    for number in range(20):
        fail(1, name=f"nobody-{number}", address=HOME)
    assert sign_in(name="eve", address=HOME).wait_s == 5
    assert sign_in(name="eve", address="192.0.2.2").user == newcomer
    assert sign_in(address=HOME).user == user


def test_all_of_an_ipv6_network_is_one_address(user):
    for number in range(20):
        fail(1, name=f"nobody-{number}", address=f"2001:db8::{number:x}")
    assert sign_in(address="2001:db8::ffff").user is None
    assert sign_in(address="2001:db8:0:1::1").user == user


def test_an_operator_lifts_the_wait_with_a_new_password(personas):
    user = personas.member.user
    fail(5, name="member")
    path = f"/identity/v3/users/{user.pk}"
    assert personas.admin.api.patch(path, {"user": {"password": "quite-Another-7"}}).status_code == 200
    assert sign_in(name="member", password="quite-Another-7").user == user


def test_an_option_exempts_the_account(user):
    User.objects.filter(pk=user.pk).update(options={"ignore_lockout_failure_attempts": True})
    fail(10)
    assert sign_in().user == user


def test_a_wrong_password_writes_nothing_to_the_database(user):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        fail(8)
    assert [query for query in queries if not query["sql"].startswith("SELECT")] == []


@pytest.mark.parametrize("kind", ["unknown", "anybody", "exempt", "at home"])
def test_waits_are_told_the_same_whoever_has_the_name(kind):
    """Guessing on, and on, from an address where colleagues are at home tells nothing of who exists."""
    name = "nobody"
    if kind != "unknown":
        user = UserFactory(name="eve", options={"ignore_lockout_failure_attempts": kind == "exempt"})
        name = user.name
    if kind == "at home":
        assert sign_in(name=name, address=HOME).user == user
    for number in range(18):
        fail(1, name=f"no-{number}", address=HOME)
    told = [sign_in(name=name, password="wrong", address=HOME).wait_s for _number in range(6)]
    assert told == [0, 5, 5, 5, 5, 5]


KINDS = ("unknown", "wrong", "waiting", "disabled", "disabled domain", "no password", "too long")


@pytest.mark.parametrize("kind", KINDS)
def test_every_refusal_costs_and_reads_the_same(kind, monkeypatch):
    """A05: one hash and two queries, the same words and status."""
    user = UserFactory(name="eve", enabled=kind != "disabled", domain=DomainFactory(enabled=kind != "disabled domain"))
    if kind == "no password":
        user.set_unusable_password()
        user.save()
    if kind == "waiting":
        fail(2, name="eve", domain=user.domain.name)
    hashes = []
    original = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashes.append(1) or original(*args))
    password = {"wrong": "wrong", "too long": "x" * 100_000}.get(kind, PASSWORD)
    who = {"name": "nobody" if kind == "unknown" else "eve", "domain": {"name": user.domain.name}, "password": password}
    with CaptureQueriesContext(connection) as queries:
        answer = Api().post(TOKENS, {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}}})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "The request you have made requires authentication."
    assert len(hashes) == 1
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) == 2


def test_the_page_tells_a_wait_for_names_that_nobody_has_as_well(user):
    answers = []
    for name in ("ada", "nobody"):
        for _number in range(2):
            form = {"name": name, "password": "wrong", "domain": "Default"}
            answer = Client().post("/account/sign-in/", form)
        answers.append(answer.text.split('role="alert"')[1].split("</div>")[0])
        assert answer.status_code == 401
    assert answers[0] == answers[1]
    assert "Try again in 5 seconds." in answers[0]


@pytest.mark.parametrize(
    "name", ["ADA", "Ada", "ada ", " ada", "ada\u200b", "\u0430da", "a\u0064\u0430", "ada\x00", "x" * 100_000]
)
def test_names_are_compared_as_they_are_written(user, name):
    """A08: no other spelling is the same name, and none is a fault."""
    assert sign_in(name=name).user is None
    assert sign_in(name="ada").user == user


@pytest.mark.parametrize("password", ["x" * 100_000, PASSWORD + "\x00", PASSWORD.upper(), PASSWORD + " ", "\ud800"])
def test_odd_passwords_are_wrong_and_cheap(user, password):
    started = time.process_time()
    client = Client()
    answer = client.post(
        "/account/sign-in/", {"name": "ada", "password": password.encode("utf-8", "replace").decode(), "domain": "Default"}
    )
    assert answer.status_code == 401
    assert time.process_time() - started < 1
