"""Rules for passwords: form, history, age, expiry, first use, and the options of users that exempt from them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import PastPassword, User
from portal.settings.environment import PasswordRules
from tests.accounts.factories import PASSWORD
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"
TOKENS = f"{V3}/auth/tokens"


def sign_in(user, password=PASSWORD):
    body = {"methods": ["password"], "password": {"user": {"id": user.pk, "password": password}}}
    return Api().post(TOKENS, {"auth": {"identity": body, "scope": "unscoped"}})


def change_own(user, new, original=PASSWORD):
    return Api().post(f"{V3}/users/{user.pk}/password", {"user": {"original_password": original, "password": new}})


def reset(personas, user, password, **more):
    return personas.admin.api.patch(f"{V3}/users/{user.pk}", {"user": {"password": password, **more}})


@pytest.fixture
def user(personas):
    return personas.member.user


def test_a_password_has_8_to_4096_characters(personas, user):
    for password in ("", "x" * 7, "x" * 4097):
        assert reset(personas, user, password).status_code == 400, len(password)
        assert change_own(user, password).status_code == 400, len(password)
        made = personas.admin.api.post(f"{V3}/users", {"user": {"name": "x", "password": password}})
        assert made.status_code == 400, len(password)
    for password in ("x" * 8, "x" * 4096, "密码密码密码密码"):
        assert reset(personas, user, password).status_code == 200, len(password)
        assert sign_in(user, password).status_code == 201
    assert "8 to 4096 characters" in reset(personas, user, "short").json()["error"]["message"]


def test_the_form_can_be_an_operators_own(personas, user, settings):
    settings.PASSWORD_REGEX, settings.PASSWORD_REGEX_WORDS = r"^(?=.*\d)(?=.*[a-z]).{7,}$", "a digit and a letter are needed"
    refused = change_own(user, "only letters")
    assert refused.status_code == 400
    assert (
        refused.json()["error"]["message"] == "The password does not match the requirements: a digit and a letter are needed."
    )
    assert reset(personas, user, "only letters").status_code == 400
    assert change_own(user, "letters and 1").status_code == 204


def test_one_of_the_last_two_is_not_taken_again(user):
    assert change_own(user, PASSWORD).status_code == 400
    assert change_own(user, "the second one").status_code == 204
    assert change_own(user, PASSWORD, "the second one").status_code == 400
    assert change_own(user, "the third one", "the second one").status_code == 204
    assert change_own(user, PASSWORD, "the third one").status_code == 204
    assert PastPassword.objects.filter(user=user).count() == 1


@pytest.mark.parametrize("last", [0, 1, 4])
def test_how_many_are_remembered_is_a_setting(user, settings, last):
    settings.PASSWORD_UNIQUE_LAST = last
    present = PASSWORD
    for number in range(5):
        assert change_own(user, f"Turn-{number}-of-these", present).status_code == 204
        present = f"Turn-{number}-of-these"
    answers = [change_own(user, f"Turn-{number}-of-these", present).status_code for number in (4, 3, 2, 1)]
    assert answers[:last] == [400] * last
    assert PastPassword.objects.filter(user=user).count() <= max(0, last - 1)


def test_an_operator_may_give_an_old_one_again(personas, user):
    assert reset(personas, user, "the second one").status_code == 200
    assert reset(personas, user, "the second one").status_code == 200
    assert reset(personas, user, PASSWORD).status_code == 200
    assert sign_in(user).status_code == 201


def test_an_expired_password_is_good_for_a_new_one_alone(user, settings):
    settings.PASSWORD_EXPIRES_DAYS = 30
    change_own(user, "good for a month")
    told = sign_in(user, "good for a month").json()["token"]["user"]["password_expires_at"]
    assert told == (User.objects.get(pk=user.pk).password_expires_at).strftime("%Y-%m-%dT%H:%M:%S.000000")
    User.objects.filter(pk=user.pk).update(password_expires_at=timezone.now())
    answer = sign_in(user, "good for a month")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == f"The password is expired and needs to be changed for user: {user.pk}."
    assert sign_in(user, "a wrong one").json()["error"]["message"] == "The request you have made requires authentication."
    assert change_own(user, "good for another", "good for a month").status_code == 204
    assert sign_in(user, "good for another").status_code == 201


def test_a_password_that_was_given_is_changed_at_first_use(personas, user, settings):
    settings.PASSWORD_CHANGE_AT_FIRST_USE = True
    assert reset(personas, user, "given by somebody").json()["user"]["password_expires_at"] is not None
    assert sign_in(user, "given by somebody").status_code == 401
    assert change_own(user, "chosen by himself", "given by somebody").status_code == 204
    assert sign_in(user, "chosen by himself").status_code == 201
    made = personas.admin.api.post(f"{V3}/users", {"user": {"name": "new", "password": "given by somebody"}}).json()["user"]
    assert sign_in(User.objects.get(pk=made["id"]), "given by somebody").status_code == 401


def test_options_exempt_from_first_use_and_from_expiry(personas, user, settings):
    settings.PASSWORD_CHANGE_AT_FIRST_USE, settings.PASSWORD_EXPIRES_DAYS = True, 1
    reset(personas, user, "of a program", options={"ignore_change_password_upon_first_use": True})
    assert sign_in(user, "of a program").status_code == 201
    User.objects.filter(pk=user.pk).update(password_expires_at=timezone.now())
    assert sign_in(user, "of a program").status_code == 401
    personas.admin.api.patch(f"{V3}/users/{user.pk}", {"user": {"options": {"ignore_password_expiry": True}}})
    assert sign_in(user, "of a program").status_code == 201
    assert reset(personas, user, "of that program").json()["user"]["password_expires_at"] is None


def test_a_password_must_be_kept_for_a_while_unless_it_was_given(personas, user, settings):
    settings.PASSWORD_MIN_AGE_DAYS = 1
    assert change_own(user, "chosen by himself").status_code == 204
    assert change_own(user, "chosen again now", "chosen by himself").status_code == 400
    User.objects.filter(pk=user.pk).update(password_changed_at=timezone.now() - timedelta(days=1, minutes=1))
    assert change_own(user, "chosen again now", "chosen by himself").status_code == 204
    assert reset(personas, user, "given by somebody").status_code == 200
    assert change_own(user, "chosen by himself", "given by somebody").status_code == 204


def test_a_locked_password_is_not_its_owners_to_change(personas, user):
    personas.admin.api.patch(f"{V3}/users/{user.pk}", {"user": {"options": {"lock_password": True}}})
    assert change_own(user, "chosen by himself").status_code == 400
    assert sign_in(user).status_code == 201
    assert reset(personas, user, "given by somebody").status_code == 200


def test_users_are_listed_by_when_their_password_expires(personas, user):
    User.objects.filter(pk=user.pk).update(password_expires_at="2030-01-01T00:00:00Z")
    for query, found in (("lt:2031-01-01T00:00:00Z", ["member"]), ("gt:2031-01-01T00:00:00Z", [])):
        listed = personas.admin.api.get(f"{V3}/users?password_expires_at={query}").json()["users"]
        assert [row["name"] for row in listed] == found
    assert personas.admin.api.get(f"{V3}/users?password_expires_at=soon").status_code == 400


def test_the_environment_names_the_rules_and_mistakes_in_them(monkeypatch):
    assert PasswordRules.read() == PasswordRules(8, "", "", 2, 0, 0, False)
    monkeypatch.setenv("NEBULET_PASSWORD_MIN_LENGTH", "15")
    monkeypatch.setenv("NEBULET_PASSWORD_CHANGE_AT_FIRST_USE", "1")
    assert PasswordRules.read() == PasswordRules(15, "", "", 2, 0, 0, True)
    for name, value in (("MIN_LENGTH", "0"), ("MIN_LENGTH", "many"), ("UNIQUE_LAST", "-1"), ("REGEX", "(")):
        with monkeypatch.context() as patched, pytest.raises(ValueError, match=r"."):
            patched.setenv(f"NEBULET_PASSWORD_{name}", value)
            PasswordRules.read()
