"""Application credentials and access rules: what they open, what they never open, and when they end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessRule, ApplicationCredential, Assignment
from accounts.services import tokens, users
from portal.core.errors import Unauthorized
from tests.accounts.factories import PASSWORD, AssignmentFactory, RoleFactory
from tests.kit.identity import Api, persona

pytestmark = pytest.mark.django_db

AUTH = "/identity/v3/auth/tokens"
SERVERS = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}


def home(somebody, tail=""):
    return f"/identity/v3/users/{somebody.user.pk}/application_credentials{tail}"


def rules_of(somebody, tail=""):
    return f"/identity/v3/users/{somebody.user.pk}/access_rules{tail}"


def make(somebody, api=None, status=201, **values):
    body = {"application_credential": {"name": "robot", **values}}
    answer = (api or somebody.api).post(home(somebody), body)
    assert answer.status_code == status, answer.content
    return answer.json().get("application_credential")


def sign_in(made, **scope):
    sent = {"id": made["id"], "secret": made["secret"]}
    return ask(sent, **scope)


def ask(sent, **scope):
    identity = {"methods": ["application_credential"], "application_credential": sent}
    return Api().post(AUTH, {"auth": {"identity": identity, **scope}})


def robot(made):
    """Return a client that works by an application credential."""
    answer = sign_in(made)
    assert answer.status_code == 201, answer.content
    return Api(answer["X-Subject-Token"])


def alive(api):
    return api.get("/identity/v3/auth/projects").status_code == 200


def test_one_is_made_used_listed_and_deleted(personas):
    made = make(personas.member, description="nightly", roles=[{"name": "reader"}])
    assert made["project_id"] == personas.lab.pk
    assert [role["name"] for role in made["roles"]] == ["reader"]
    assert (made["unrestricted"], made["expires_at"], "access_rules" in made) == (False, None, False)
    token = sign_in(made).json()["token"]
    assert token["methods"] == ["application_credential"]
    assert token["application_credential"] == {"id": made["id"], "name": "robot", "restricted": True}
    assert token["project"]["id"] == personas.lab.pk
    assert [role["name"] for role in token["roles"]] == ["reader"]
    api = personas.member.api
    shown = api.get(home(personas.member, f"/{made['id']}")).json()["application_credential"]
    assert shown == {key: value for key, value in made.items() if key != "secret"}
    assert api.get(home(personas.member)).json()["application_credentials"] == [shown]
    assert api.get(home(personas.member, "?name=other")).json()["application_credentials"] == []
    assert api.delete(home(personas.member, f"/{made['id']}")).status_code == 204
    assert api.get(home(personas.member, f"/{made['id']}")).status_code == 404


def test_without_roles_it_gets_those_of_the_token(personas):
    made = make(personas.manager)
    assert {role["name"] for role in made["roles"]} == {"manager", "member", "reader"}


def test_implied_roles_come_along(personas):
    made = make(personas.manager, roles=[{"id": personas.roles["member"].pk}])
    assert {role["name"] for role in made["roles"]} == {"member", "reader"}


@pytest.mark.parametrize("chosen", ["a word of mine", None])
def test_the_secret_is_told_once_and_kept_as_a_hash(personas, settings, chosen):
    settings.PASSWORD_HASHERS = ["accounts.hashers.OwaspArgon2Hasher", "accounts.hashers.RandomSecretHasher"]
    made = make(personas.member, secret=chosen)
    row = ApplicationCredential.objects.get()
    assert made["secret"] not in row.secret_hash
    assert row.secret_hash.startswith("argon2$argon2id$" if chosen else "random_sha256$")
    assert (made["secret"] == chosen) is (chosen is not None)
    assert len(made["secret"]) >= (86 if chosen is None else 1)
    assert sign_in(made).status_code == 201
    assert sign_in({**made, "secret": made["secret"] + "x"}).status_code == 401


def test_two_made_secrets_share_nothing(personas):
    first, second = make(personas.member), make(personas.member, name="second")
    assert first["secret"] != second["secret"]
    assert sign_in({**first, "secret": second["secret"]}).status_code == 401


def test_it_is_found_by_name_and_user_too(personas):
    made = make(personas.member)
    by_id = {"name": "robot", "user": {"id": personas.member.user.pk}, "secret": made["secret"]}
    by_name = {**by_id, "user": {"name": "member", "domain": {"id": "default"}}}
    assert ask(by_id).status_code == ask(by_name).status_code == 201
    assert ask({**by_id, "user": {"id": personas.manager.user.pk}}).status_code == 401
    assert ask({"name": "robot", "secret": made["secret"]}).status_code == 400
    assert ask({"id": made["id"]}).status_code == 400


def test_a_name_is_given_once_for_a_user(personas):
    make(personas.member)
    make(personas.member, status=409)
    make(personas.manager)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": 3},
        {"secret": ""},
        {"secret": "x" * 5000},
        {"roles": [{"id": "a", "name": "b"}]},
        {"roles": "member"},
        {"expires_at": "tomorrow"},
        {"expires_at": "2027-13-01T00:00:00Z"},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"unrestricted": "yes"},
        {"access_rules": [{"service": "compute"}]},
        {"access_rules": [{**SERVERS, "method": "BREW"}]},
        {"access_rules": [{**SERVERS, "path": "v2.1"}]},
        {"nonsense": 1},
    ],
)
def test_a_malformed_one_is_refused(personas, wrong):
    make(personas.member, status=400, **wrong)
    assert not ApplicationCredential.objects.exists()


def test_nobody_gives_a_role_that_he_does_not_have(personas):
    make(personas.member, status=400, roles=[{"name": "manager"}])
    make(personas.member, status=400, roles=[{"id": personas.roles["admin"].pk}])
    make(personas.member, status=404, roles=[{"name": "nosuch"}])


def test_what_a_client_says_of_project_and_user_is_not_believed(personas):
    made = make(personas.member, project_id=personas.other.pk, id="f" * 32)
    assert made["project_id"] == personas.lab.pk
    assert made["id"] != "f" * 32
    make(personas.manager, api=personas.member.api, status=403)
    make(personas.admin, api=personas.operator.api, status=403)


def test_it_takes_a_project(personas):
    make(personas.nobody, status=403)


def test_who_may_see_and_delete_it(personas):
    made = make(personas.member)
    one = home(personas.member, f"/{made['id']}")
    for who, status in (
        ("stranger", 403),
        ("manager", 403),
        ("nobody", 403),
        ("admin", 200),
        ("operator", 200),
        ("member", 200),
    ):
        api = getattr(personas, who).api
        assert api.get(one).status_code == api.get(home(personas.member)).status_code == status, who
        assert api.head(one).status_code == status, who
    for who, status in (("stranger", 403), ("manager", 403), ("operator", 204)):
        assert getattr(personas, who).api.delete(one).status_code == status, who
    assert Api().get(one).status_code == 401


def test_anothers_credential_is_not_found_under_ones_own_address(personas):
    made = make(personas.member)
    assert personas.manager.api.get(home(personas.manager, f"/{made['id']}")).status_code == 404
    assert personas.manager.api.delete(home(personas.manager, f"/{made['id']}")).status_code == 404
    assert ApplicationCredential.objects.exists()


def test_it_ends_when_it_was_said_to_and_its_lenttoo(personas):
    ends = (timezone.now() + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    made = make(personas.member, expires_at=ends)
    assert made["expires_at"] == ends
    token = sign_in(made).json()["token"]
    assert token["expires_at"] == ends + "Z"
    ApplicationCredential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sign_in(made).status_code == 401


def test_it_says_itself_for_what_project_it_is(personas):
    made = make(personas.member)
    for scope in ({"project": {"id": personas.lab.pk}}, {"system": {"all": True}}, "unscoped"):
        assert sign_in(made, scope=scope).status_code == 401


def both(somebody, made, **more):
    password = {"user": {"id": somebody.user.pk, "password": PASSWORD}}
    sent = {"id": made["id"], "secret": made["secret"]}
    methods = ["password", "application_credential"]
    identity = {"methods": methods, "password": password, "application_credential": sent, **more}
    return Api().post(AUTH, {"auth": {"identity": identity}})


def test_together_with_the_password_it_lends_no_more(personas):
    answer = both(personas.manager, make(personas.manager, roles=[{"name": "reader"}]))
    assert answer.status_code == 201
    assert answer.json()["token"]["application_credential"]["name"] == "robot"
    assert [role["name"] for role in answer.json()["token"]["roles"]] == ["reader"]
    assert both(personas.member, make(personas.manager, name="second")).status_code == 401


def test_a_receipt_of_an_application_credential_opens_nothing_without_it(personas):
    made = make(personas.manager, roles=[{"name": "reader"}])
    user = personas.manager.user
    user.options = {"multi_factor_auth_rules": [["application_credential", "password"]]}
    user.save()
    first = sign_in(made)
    assert first.status_code == 401
    receipt = first["Openstack-Auth-Receipt"]
    identity = {"methods": ["password"], "password": {"user": {"id": user.pk, "password": PASSWORD}}}
    assert Api().post(AUTH, {"auth": {"identity": identity}}, Openstack_Auth_Receipt=receipt).status_code == 401
    assert [role["name"] for role in both(personas.manager, made).json()["token"]["roles"]] == ["reader"]


def test_a01_a_token_by_an_application_credential_cannot_be_rescoped_nor_outlive_it(personas):
    AssignmentFactory(user=personas.member.user, role=personas.roles["member"], project=personas.other)
    made = make(personas.member, expires_at=(timezone.now() + timedelta(minutes=5)).isoformat())
    token = robot(made).token
    for scope in ({}, {"scope": {"project": {"id": personas.other.pk}}}, {"scope": {"project": {"id": personas.lab.pk}}}):
        identity = {"methods": ["token"], "token": {"id": token}}
        assert Api().post(AUTH, {"auth": {"identity": identity, **scope}}).status_code == 403


def disable(row):
    type(row).objects.filter(pk=row.pk).update(enabled=False)


@pytest.mark.parametrize(
    "deed",
    [
        lambda p: ApplicationCredential.objects.all().delete(),
        lambda p: Assignment.objects.filter(user=p.member.user).delete(),
        lambda p: p.roles["member"].delete(),
        lambda p: disable(p.member.user),
        lambda p: disable(p.member.user.domain),
        lambda p: disable(p.lab),
        lambda p: p.lab.delete(),
        lambda p: p.member.user.delete(),
    ],
    ids=[
        "credential deleted",
        "last role removed",
        "role deleted",
        "user disabled",
        "domain disabled",
        "project disabled",
        "project deleted",
        "user deleted",
    ],
)
def test_a02_it_is_good_for_nothing_at_once(personas, deed):
    made = make(personas.member)
    api = robot(made)
    assert alive(api)
    deed(personas)
    assert not alive(api)
    assert sign_in(made).status_code == 401


def test_a02_a_new_password_ends_its_lentbut_not_itself(personas):
    made = make(personas.member)
    api = robot(made)
    users.set_password(personas.member.user, "another")
    assert not alive(api)
    assert alive(robot(made))


def test_a_role_that_is_taken_away_is_taken_from_it_and_given_back(personas):
    extra = RoleFactory(name="extra")
    AssignmentFactory(user=personas.member.user, role=extra, project=personas.lab)
    somebody = persona(personas.member.user, project=personas.lab)
    token = robot(make(somebody, roles=[{"id": extra.pk}, {"name": "reader"}])).token
    assert tokens.context_for_token(token).roles == {"extra", "reader"}
    Assignment.objects.filter(role=extra).delete()
    assert tokens.context_for_token(token).roles == {"reader"}
    AssignmentFactory(user=personas.member.user, role=extra, project=personas.lab)
    assert tokens.context_for_token(token).roles == {"extra", "reader"}


def test_a_role_that_the_user_gets_later_is_not_lent(personas):
    token = robot(make(personas.member)).token
    AssignmentFactory(user=personas.member.user, role=personas.roles["admin"], project=personas.lab)
    assert tokens.context_for_token(token).roles == {"member", "reader"}


def test_a03_a_restricted_one_makes_sees_and_ends_no_other(personas):
    other = make(personas.member, name="other", access_rules=[SERVERS])
    made = make(personas.member)
    api = robot(made)
    make(personas.member, api=api, name="third", status=403)
    assert api.get(home(personas.member)).status_code == 403
    assert api.get(home(personas.member, f"/{other['id']}")).status_code == 403
    assert api.get(home(personas.member, f"/{made['id']}")).status_code == 200
    for one in (other, made):
        assert api.delete(home(personas.member, f"/{one['id']}")).status_code == 403
    rule = rules_of(personas.member, f"/{other['access_rules'][0]['id']}")
    assert api.get(rules_of(personas.member)).status_code == api.get(rule).status_code == api.delete(rule).status_code == 403
    assert ApplicationCredential.objects.count() == 2


def test_a03_an_unrestricted_one_makes_others_with_no_more_than_it_has(personas):
    api = robot(make(personas.manager, unrestricted=True, roles=[{"name": "reader"}]))
    make(personas.manager, api=api, name="second", status=400, roles=[{"name": "manager"}])
    second = make(personas.manager, api=api, name="second")
    assert [role["name"] for role in second["roles"]] == ["reader"]
    assert api.delete(home(personas.manager, f"/{second['id']}")).status_code == 204


def test_a03_who_is_confined_frees_no_other(personas):
    creating = {"service": "identity", "method": "POST", "path": "/v3/users/*/application_credentials"}
    api = robot(make(personas.member, unrestricted=True, access_rules=[creating, SERVERS]))
    make(personas.member, api=api, name="second", status=403)
    make(personas.member, api=api, name="second", status=403, access_rules=[{**SERVERS, "path": "/**"}])
    second = make(personas.member, api=api, name="second", access_rules=[SERVERS])
    assert len(second["access_rules"]) == 1
    assert ApplicationCredential.objects.count() == 2


def test_a03_no_application_credential_reaches_trusts(personas):
    api = robot(make(personas.member, unrestricted=True))
    trust = {
        "trustor_user_id": personas.member.user.pk,
        "trustee_user_id": personas.stranger.user.pk,
        "impersonation": True,
        "project_id": personas.lab.pk,
        "roles": [{"name": "member"}],
    }
    assert api.post("/identity/v3/OS-TRUST/trusts", {"trust": trust}).status_code == 403
    assert api.get(f"/identity/v3/OS-TRUST/trusts?trustor_user_id={personas.member.user.pk}").status_code == 403
    one = personas.member.api.post("/identity/v3/OS-TRUST/trusts", {"trust": trust}).json()["trust"]["id"]
    for call in (api.get, api.delete):
        assert call(f"/identity/v3/OS-TRUST/trusts/{one}").status_code == 403


def test_a03_access_rules_bind_at_every_service(personas):
    allowed = [
        SERVERS,
        {"service": "image", "method": "GET", "path": "/v2/images"},
        {"service": "network", "method": "GET", "path": "/v2.0/networks"},
        {"service": "identity", "method": "GET", "path": "/v3/auth/*"},
    ]
    made = make(personas.member, access_rules=allowed)
    assert len(made["access_rules"]) == 4
    api = robot(made)
    for path in ("/compute/v2.1/servers", "/image/v2/images", "/network/v2.0/networks", "/identity/v3/auth/projects"):
        assert api.get(path).status_code == 200, path
    for path in (
        "/compute/v2.1/servers/detail",
        "/compute/v2.1/flavors",
        "/image/v2/schemas/image",
        "/network/v2.0/ports",
        home(personas.member),
        "/identity/v3/users/" + personas.member.user.pk,
    ):
        assert api.get(path).status_code == 401, path
    assert api.post("/compute/v2.1/servers", {"server": {}}).status_code == 401
    assert api.post("/image/v2/images", {}).status_code == 401


def test_without_a_request_a_token_with_access_rules_is_good_for_nothing(personas):
    token = robot(make(personas.member, access_rules=[SERVERS])).token
    assert tokens.context_for_token(token, ("GET", "/compute/v2.1/servers")).user_id == personas.member.user.pk
    with pytest.raises(Unauthorized):
        tokens.context_for_token(token)


def test_a_token_with_access_rules_is_shown_only_to_services_that_enforce_them(personas):
    made = make(personas.member, access_rules=[SERVERS])
    token = robot(made).token
    told = sign_in(made).json()["token"]["application_credential"]
    assert told["access_rules"] == made["access_rules"]
    service = personas.service.api
    assert service.get(AUTH, X_Subject_Token=token).status_code == 404
    assert service.get(AUTH, X_Subject_Token=token, OpenStack_Identity_Access_Rules="much").status_code == 404
    seen = service.get(AUTH, X_Subject_Token=token, OpenStack_Identity_Access_Rules="1.0")
    assert seen.json()["token"]["application_credential"] == told


def test_access_rules_are_shared_kept_and_deleted(personas):
    first = make(personas.member, access_rules=[SERVERS])
    rule = first["access_rules"][0]["id"]
    second = make(personas.member, name="second", access_rules=[{"id": rule}])
    third = make(personas.member, name="third", access_rules=[SERVERS])
    assert [rule] == [item["id"] for made in (second, third) for item in made["access_rules"]][:1]
    api = personas.member.api
    shown = api.get(rules_of(personas.member, f"/{rule}")).json()["access_rule"]
    assert shown == {"id": rule, **SERVERS, "links": shown["links"]}
    assert api.get(rules_of(personas.member, "?service=compute")).json()["access_rules"] == [shown]
    assert api.get(rules_of(personas.member, "?service=image")).json()["access_rules"] == []
    answer = api.delete(rules_of(personas.member, f"/{rule}"))
    assert (answer.status_code, answer.json()["error"]["message"]) == (403, "May not delete access rule in use")
    for made in (first, second, third):
        assert api.delete(home(personas.member, f"/{made['id']}")).status_code == 204
    assert api.get(rules_of(personas.member, f"/{rule}")).status_code == 200
    assert api.delete(rules_of(personas.member, f"/{rule}")).status_code == 204
    assert api.delete(rules_of(personas.member, f"/{rule}")).status_code == 404


def test_anothers_access_rules_are_not_his_to_see_or_use(personas):
    rule = make(personas.member, access_rules=[SERVERS])["access_rules"][0]["id"]
    make(personas.manager, status=404, access_rules=[{"id": rule}])
    assert personas.manager.api.get(rules_of(personas.member)).status_code == 403
    assert personas.manager.api.get(rules_of(personas.manager, f"/{rule}")).status_code == 404
    assert personas.operator.api.get(rules_of(personas.member, f"/{rule}")).status_code == 200


def test_a_user_goes_with_his_credentials_and_rules(personas):
    make(personas.member, access_rules=[SERVERS])
    personas.member.user.delete()
    assert not ApplicationCredential.objects.exists()
    assert not AccessRule.objects.exists()


def test_lists_ask_the_database_no_more_often_for_more(personas, django_assert_num_queries):
    for number in range(2):
        make(personas.member, name=f"robot-{number}", access_rules=[SERVERS])
    api = personas.member.api
    with django_assert_num_queries(6):
        api.get(home(personas.member))
    for number in range(2, 8):
        make(personas.member, name=f"robot-{number}", access_rules=[SERVERS])
    with django_assert_num_queries(6):
        assert len(api.get(home(personas.member)).json()["application_credentials"]) == 8


def test_looking_its_token_up_takes_seven_queries_whatever_was_lent(personas, django_assert_num_queries):
    rules = [{**SERVERS, "path": f"/v2.1/{number}"} for number in range(9)]
    lent = [robot(make(personas.member, name=str(size), access_rules=rules[:size])).token for size in (1, 9)]
    for token in lent:
        with django_assert_num_queries(7):
            tokens.context_for_token(token, ("GET", "/compute/v2.1/0"))


def test_secrets_are_not_logged(personas, caplog):
    caplog.set_level("DEBUG")
    made = make(personas.member, secret="my own secret word")
    sign_in(made)
    generated = make(personas.member, name="second")
    sign_in(generated)
    assert "my own secret word" not in caplog.text
    assert generated["secret"] not in caplog.text
