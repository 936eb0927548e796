"""/v3/credentials: secrets of users, sealed at rest, seen by their owner and by operators."""

import hashlib
import json
from dataclasses import replace

import pytest

from accounts import selectors
from accounts.models import Credential
from accounts.services import credentials, vault
from portal.core.errors import Forbidden
from tests.accounts.factories import ProjectFactory

pytestmark = pytest.mark.django_db

PATH = "/identity/v3/credentials"
PAIR = json.dumps({"access": "ACCESSKEY", "secret": "hush-hush"})


def body(person, **changes):
    return {"credential": {"type": "cert", "user_id": person.user.pk, "blob": "a certificate", **changes}}


def make(person, **changes):
    answer = person.api.post(PATH, body(person, **changes))
    assert answer.status_code == 201, answer.content
    return answer.json()["credential"]


def test_an_owner_makes_sees_changes_and_deletes(personas):
    api, user = personas.member.api, personas.member.user
    made = make(personas.member, note="kept")
    assert made == {
        "id": made["id"],
        "type": "cert",
        "user_id": user.pk,
        "project_id": None,
        "blob": "a certificate",
        "note": "kept",
        "links": {"self": f"http://testserver{PATH}/{made['id']}"},
    }
    assert api.get(f"{PATH}/{made['id']}").json()["credential"] == made
    changed = api.patch(f"{PATH}/{made['id']}", {"credential": {"blob": "another", "type": "cert", "user_id": user.pk}})
    assert changed.json()["credential"] == {**made, "blob": "another"}
    assert api.delete(f"{PATH}/{made['id']}").status_code == 204
    assert personas.admin.api.get(f"{PATH}/{made['id']}").status_code == 404


def test_secrets_do_not_lie_in_clear(personas):
    made = make(personas.member, type="ec2", blob=PAIR, project_id=personas.lab.pk)
    row = Credential.objects.get(pk=made["id"])
    assert "hush-hush" not in row.sealed
    assert vault.unseal(row) == PAIR
    assert made["id"] == hashlib.sha256(b"ACCESSKEY").hexdigest()


def test_lists_show_ones_own_and_operators_everybodys(personas):
    mine = make(personas.member)["id"]
    totp = make(personas.member, type="totp", blob="GEZDGNBVGY3TQOJQ")["id"]
    theirs = make(personas.stranger)["id"]

    def listed(person, query=""):
        return {row["id"] for row in person.api.get(f"{PATH}{query}").json()["credentials"]}

    assert listed(personas.member) == {mine, totp}
    assert listed(personas.stranger) == {theirs}
    for person in (personas.admin, personas.operator):
        assert listed(person) == {mine, totp, theirs}
        assert listed(person, f"?user_id={personas.member.user.pk}") == {mine, totp}
        assert listed(person, "?type=totp") == {totp}
    assert listed(personas.member, "?type=totp") == {totp}
    assert listed(personas.member, f"?user_id={personas.stranger.user.pk}") == set()


def test_a_list_costs_the_same_however_long(personas, django_assert_max_num_queries):
    for _number in range(20):
        make(personas.member)
    with django_assert_max_num_queries(6):
        assert len(personas.member.api.get(PATH).json()["credentials"]) == 20


def test_anothers_credential_looks_like_none(personas):
    made = make(personas.member)["id"]
    for who in ("stranger", "manager", "reader"):
        api = getattr(personas, who).api
        for method, sent in (("get", None), ("patch", {"credential": {"blob": "x"}}), ("delete", None)):
            found = api(method, f"{PATH}/{made}", sent)
            absent = api(method, f"{PATH}/{'0' * 32}", sent)
            assert found.status_code == absent.status_code == 403
            assert found.json() == absent.json()
    assert personas.stranger.api.post(PATH, body(personas.member)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ec2", "blob": PAIR},
        {"type": "ec2", "blob": "not json", "project_id": "LAB"},
        {"type": "ec2", "blob": "[]", "project_id": "LAB"},
        {"type": "ec2", "blob": "{}", "project_id": "LAB"},
        {"type": "ec2", "blob": '{"access": 3}', "project_id": "LAB"},
        {"type": "ec2", "blob": '{"access": "x"}', "project_id": "LAB"},
        {"type": "ec2", "blob": '{"access": "x", "secret": ""}', "project_id": "LAB"},
        {"type": "ec2", "blob": "[" * 60_000, "project_id": "LAB"},
        {"type": "ec2", "blob": '{"access": "\\ud800", "secret": "x"}', "project_id": "LAB"},
        {"blob": None},
        {"blob": {"access": "x"}},
        {"blob": "x\x00"},
        {"blob": "x" * 70_000},
        {"type": ""},
        {"type": 3},
        {"user_id": 3},
        {"user_id": None},
    ],
)
def test_malformed_credentials_are_bad_requests(personas, changes):
    changes = {key: personas.lab.pk if value == "LAB" else value for key, value in changes.items()}
    assert personas.admin.api.post(PATH, body(personas.admin, **changes)).status_code == 400


def test_what_is_missing_is_named(personas):
    assert personas.admin.api.post(PATH, body(personas.admin, user_id="0" * 32)).status_code == 404
    assert personas.admin.api.post(PATH, body(personas.admin, project_id="0" * 32)).status_code == 404


def test_an_access_key_is_taken_once(personas):
    make(personas.member, type="ec2", blob=PAIR, project_id=personas.lab.pk)
    answer = personas.stranger.api.post(PATH, body(personas.stranger, type="ec2", blob=PAIR, project_id=personas.other.pk))
    assert answer.status_code == 409
    assert personas.lab.pk not in answer.content.decode()


@pytest.mark.parametrize("name", ["user_id", "type", "project_id"])
def test_owner_type_and_project_of_a_key_pair_stay(personas, name):
    """A user who could hand his key pair to another user or project would get that one's roles."""
    made = make(personas.member, type="ec2", blob=PAIR, project_id=personas.lab.pk)
    for person in (personas.member, personas.admin):
        answer = person.api.patch(f"{PATH}/{made['id']}", {"credential": {name: personas.admin.user.pk}})
        assert answer.status_code == 400
    answer = personas.member.api.patch(f"{PATH}/{made['id']}", {"credential": {"blob": "no pair"}})
    assert answer.status_code == 400
    other = make(personas.member)
    assert personas.member.api.patch(f"{PATH}/{other['id']}", {"credential": {"type": "ec2", "blob": PAIR}}).status_code == 400


def test_another_credential_gets_another_type_owner_and_project_from_who_may(personas):
    made = make(personas.member)
    path, member, admin = f"{PATH}/{made['id']}", personas.member.api, personas.admin.api
    assert member.patch(path, {"credential": {"type": "key", "project_id": personas.lab.pk}}).json()["credential"] == {
        **made,
        "type": "key",
        "project_id": personas.lab.pk,
    }
    given_away = {"credential": {"user_id": personas.reader.user.pk, "project_id": None}}
    assert member.patch(path, given_away).status_code == 403
    assert Credential.objects.get().user == personas.member.user
    assert admin.patch(path, {"credential": {"user_id": "nobody"}}).status_code == 404
    assert member.patch(path, {"credential": {"project_id": ProjectFactory().pk}}).status_code == 403
    assert admin.patch(path, given_away).json()["credential"]["user_id"] == personas.reader.user.pk
    assert member.get(path).status_code == 403
    assert personas.reader.api.get(path).json()["credential"]["project_id"] is None


@pytest.mark.parametrize("lent", [{"restricted": True}, {"application_credential_id": "a"}, {"trust_id": "t"}])
def test_who_acts_by_a_delegation_reaches_no_credential(personas, lent):
    row = Credential.objects.get(pk=make(personas.member)["id"])
    ctx = replace(personas.member.ctx, **lent)
    user_id = personas.member.user.pk
    acts = [
        lambda: selectors.get_credential(ctx, row.pk),
        lambda: selectors.credentials_visible(ctx),
        lambda: selectors.ec2_credentials(ctx, user_id),
        lambda: credentials.create(ctx=ctx, user_id=user_id, type="cert", blob="x"),
        lambda: credentials.create_ec2(ctx=ctx, user=personas.member.user, project=personas.lab),
        lambda: credentials.update(ctx=ctx, credential=row, blob="x"),
        lambda: credentials.delete(ctx=ctx, credential=row),
        lambda: credentials.delete_ec2(ctx=ctx, user_id=user_id, access="x"),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert Credential.objects.count() == 1
