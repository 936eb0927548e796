"""Several methods together: rules of users, receipts between the steps, one-time passwords (Identity v3, "Multi-Factor
Authentication")."""

import time

import pytest
from django.core.cache import cache

from accounts.models import Credential, User
from accounts.services import second_factor, vault
from tests.accounts.factories import PASSWORD
from tests.accounts.test_second_factor import code_of, wrong
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

TOKENS = "/identity/v3/auth/tokens"
HEADER = "Openstack-Auth-Receipt"
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RULES = {"multi_factor_auth_rules": [["password", "totp"]], "multi_factor_auth_enabled": True}


@pytest.fixture
def member(personas):
    """Return somebody whose rules ask for both factors, with a seed that an operator gave him by the API."""
    cache.clear()
    user = personas.member.user
    body = {"credential": {"type": "totp", "user_id": user.pk, "blob": SEED}}
    assert personas.admin.api.post("/identity/v3/credentials", body).status_code == 201
    set_options(personas, RULES)
    user.refresh_from_db()
    return user


def set_options(personas, options):
    path = f"/identity/v3/users/{personas.member.user.pk}"
    answer = personas.admin.api.patch(path, {"user": {"options": options}})
    assert answer.status_code == 200, answer.content
    return answer.json()["user"]["options"]


def sign_in(user, receipt=None, password=None, code=None, token=None, scope=None):
    identity = {"methods": []}
    for method, sent in (
        ("totp", code and {"user": {"id": user.pk, "passcode": code}}),
        ("password", password and {"user": {"name": user.name, "domain": {"id": "default"}, "password": password}}),
        ("token", token and {"id": token}),
    ):
        if sent:
            identity["methods"].append(method)
            identity[method] = sent
    auth = {"identity": identity, **({"scope": scope} if scope else {})}
    return Api().post(TOKENS, {"auth": auth}, **({HEADER: receipt} if receipt else {}))


def test_both_factors_at_once_give_a_token(member, personas):
    answer = sign_in(member, password=PASSWORD, code=code_of(SEED), scope={"project": {"id": personas.lab.pk}})
    assert answer.status_code == 201, answer.content
    assert set(answer.json()["token"]["methods"]) == {"password", "totp"}


def test_one_factor_gives_a_receipt_and_the_other_one_completes_it(member, personas):
    first = sign_in(member, password=PASSWORD)
    assert first.status_code == 401
    assert "X-Subject-Token" not in first
    body = first.json()
    assert body["receipt"].keys() == {"methods", "user", "expires_at", "issued_at"}
    assert body["receipt"]["methods"] == ["password"]
    assert body["receipt"]["user"] == {"id": member.pk, "name": "member", "domain": {"id": "default", "name": "Default"}}
    assert body["required_auth_methods"] == [["password", "totp"]]
    second = sign_in(member, receipt=first[HEADER], code=code_of(SEED), scope={"project": {"id": personas.lab.pk}})
    assert second.status_code == 201
    assert second.json()["token"]["methods"] == ["password", "totp"]


def test_a_one_time_password_may_come_first(member):
    first = sign_in(member, code=code_of(SEED))
    assert (first.status_code, first.json()["receipt"]["methods"]) == (401, ["totp"])
    assert sign_in(member, receipt=first[HEADER], password=PASSWORD).status_code == 201


def test_a_wrong_factor_gives_neither_token_nor_receipt(member):
    for answer in (
        sign_in(member, password=PASSWORD, code=wrong(SEED)),
        sign_in(member, code=wrong(SEED)),
        sign_in(member, receipt=sign_in(member, password=PASSWORD)[HEADER], code=wrong(SEED)),
        sign_in(member, password="wrong"),
        sign_in(member, password="wrong", code=code_of(SEED)),
    ):
        assert answer.status_code == 401
        assert HEADER not in answer
        assert set(answer.json()) == {"error"}


def test_a_receipt_is_for_one_user_one_purpose_and_a_few_minutes(member, personas, settings, monkeypatch):
    receipt = sign_in(member, password=PASSWORD)[HEADER]
    assert Api(receipt).get("/identity/v3/auth/projects").status_code == 401
    assert sign_in(member, token=receipt).status_code == 404
    assert sign_in(personas.stranger.user, receipt=receipt, password=PASSWORD).status_code == 401
    for bad in (receipt[:-4] + "AAAA", "x", "é", "x" * 100_000, personas.member.token):
        assert sign_in(member, receipt=bad, code=code_of(SEED)).status_code == 401
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (settings.RECEIPT_LIFETIME_S + 1) * 10**9)
    assert sign_in(member, receipt=receipt, code=code_of(SEED)).status_code == 401


def test_a_receipt_ends_with_the_password_it_stands_for(member):
    receipt = sign_in(member, password=PASSWORD)[HEADER]
    member.set_password("another")
    member.save()
    assert sign_in(member, receipt=receipt, code=code_of(SEED)).status_code == 401


def test_a_token_of_one_factor_does_not_become_another(member, personas):
    """The personas' tokens are from before the rules."""
    answer = sign_in(member, token=personas.member.token)
    assert (answer.status_code, answer.json()["required_auth_methods"]) == (401, [["password", "totp"]])
    whole = sign_in(member, password=PASSWORD, code=code_of(SEED))["X-Subject-Token"]
    assert sign_in(member, token=whole, scope={"project": {"id": personas.lab.pk}}).status_code == 201


def test_rules_that_are_off_or_cannot_be_met_shut_nobody_out(member, personas):
    set_options(personas, {"multi_factor_auth_enabled": False})
    assert sign_in(member, password=PASSWORD).status_code == 201
    set_options(personas, {"multi_factor_auth_enabled": None})
    assert sign_in(member, password=PASSWORD).status_code == 401
    set_options(personas, {"multi_factor_auth_rules": [["saml2"], ["kerberos", "x509"]]})
    assert sign_in(member, password=PASSWORD).status_code == 201
    set_options(personas, {"multi_factor_auth_rules": [["password", "saml2"], ["totp"]]})
    assert sign_in(member, password=PASSWORD).status_code == 201


def test_without_rules_a_one_time_password_is_a_method_like_others(member, personas):
    set_options(personas, {"multi_factor_auth_rules": None})
    assert sign_in(member, code=code_of(SEED)).status_code == 201
    assert sign_in(member, code=code_of(SEED)).status_code == 401
    for user in (personas.stranger.user, User(pk="0" * 32)):
        assert sign_in(user, code="123456").status_code == 401
    User.objects.filter(pk=member.pk).update(enabled=False)
    assert sign_in(member, code=code_of(SEED, 1)).status_code == 401


def test_a_recovery_code_stands_for_the_device(member):
    codes = second_factor.new_recovery_codes(user=member)
    assert sign_in(member, password=PASSWORD, code=codes[0]).status_code == 201
    assert sign_in(member, password=PASSWORD, code=codes[0]).status_code == 401


def test_a_second_factor_of_the_pages_holds_for_tokens_too(personas):
    cache.clear()
    user = personas.member.user
    seed = second_factor.enrol(user=user).seed
    second_factor.confirm(user=user, seed=seed, code=code_of(seed, -1))
    assert sign_in(user, password=PASSWORD).status_code == 401
    assert sign_in(user, password=PASSWORD, code=code_of(seed)).status_code == 201
    second_factor.disable(user=user)
    assert sign_in(user, password=PASSWORD).status_code == 201


@pytest.mark.parametrize(
    "totp",
    [None, {}, {"user": {}}, {"user": {"id": "x"}}, {"user": {"id": "x", "passcode": 123456}}, {"user": {"passcode": "1"}}],
)
def test_malformed_one_time_passwords_are_bad_requests(db, totp):
    body = {"auth": {"identity": {"methods": ["totp"], "totp": totp}}}
    assert Api().post(TOKENS, body).status_code == 400


def test_neither_seed_code_nor_receipt_is_logged(member, caplog):
    caplog.set_level("DEBUG")
    first = sign_in(member, password=PASSWORD)
    code = code_of(SEED)
    sign_in(member, receipt=first[HEADER], code=code)
    secrets = (SEED, code, first[HEADER], PASSWORD, vault.unseal(Credential.objects.get()))
    assert not any(secret in caplog.text for secret in secrets)
