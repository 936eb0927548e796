"""Options of users by the API: known by name and kind, merged, taken away by null."""

import pytest

pytestmark = pytest.mark.django_db

FLAGS = (
    "ignore_change_password_upon_first_use",
    "ignore_password_expiry",
    "ignore_lockout_failure_attempts",
    "ignore_user_inactivity",
    "lock_password",
    "multi_factor_auth_enabled",
)


def change(personas, options):
    path = f"/identity/v3/users/{personas.member.user.pk}"
    return personas.admin.api.patch(path, {"user": {"options": options}})


def test_options_are_merged_and_taken_away_by_null(personas):
    everything = dict.fromkeys(FLAGS, True) | {"multi_factor_auth_rules": [["password", "totp"], ["x"]]}
    assert change(personas, everything).json()["user"]["options"] == everything
    assert change(personas, {"lock_password": None}).json()["user"]["options"] == {
        name: value for name, value in everything.items() if name != "lock_password"
    }
    assert change(personas, {"lock_password": None, **dict.fromkeys(everything)}).json()["user"]["options"] == {}


def test_options_come_with_a_new_user(personas):
    body = {"user": {"name": "ada", "options": {"ignore_password_expiry": False}}}
    answer = personas.admin.api.post("/identity/v3/users", body)
    assert answer.json()["user"]["options"] == {"ignore_password_expiry": False}


@pytest.mark.parametrize(
    "options",
    [
        {"immutable": True},
        {"unknown": True},
        {"lock_password": "true"},
        {"lock_password": 1},
        {"multi_factor_auth_rules": True},
        {"multi_factor_auth_rules": ["password"]},
        {"multi_factor_auth_rules": [[]]},
        {"multi_factor_auth_rules": [[3]]},
        {"multi_factor_auth_rules": [["password", "password"]]},
        {"multi_factor_auth_rules": [["password"], ["password"]]},
        {"multi_factor_auth_rules": [["a"], [{"a": 1}]]},
        [],
        "lock_password",
    ],
)
def test_other_options_are_bad_requests(personas, options):
    assert change(personas, options).status_code == 400
