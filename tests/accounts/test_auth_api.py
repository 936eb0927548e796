"""POST, GET, HEAD and DELETE /v3/auth/tokens and what stands beside them."""

import time

import pytest

from accounts.models import Assignment, Domain, User
from accounts.services import tokens
from tests.accounts.factories import PASSWORD, AssignmentFactory, DomainFactory, EndpointFactory, ProjectFactory, UserFactory
from tests.kit.identity import Api, persona

pytestmark = pytest.mark.django_db

TOKENS = "/identity/v3/auth/tokens"
SENTENCE = "The request you have made requires authentication."


def password_body(user=None, scope=None, password=PASSWORD, **ref):
    ref = ref or {"name": user.name, "domain": {"id": user.domain_id}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {**ref, "password": password}}}}}
    return body if scope is None else {"auth": {**body["auth"], "scope": scope}}


def token_body(token, scope=None):
    auth = {"identity": {"methods": ["token"], "token": {"id": token}}}
    return {"auth": auth if scope is None else {**auth, "scope": scope}}


def sign_in(body):
    return Api().post(TOKENS, body)


def test_a_scoped_token_says_all(personas):
    EndpointFactory()
    answer = sign_in(password_body(personas.member.user, {"project": {"id": personas.lab.pk}}))
    assert answer.status_code == 201
    assert answer["Vary"].startswith("X-Auth-Token")
    token = answer.json()["token"]
    assert set(token) == {
        "methods",
        "user",
        "audit_ids",
        "expires_at",
        "issued_at",
        "project",
        "is_domain",
        "roles",
        "catalog",
    }
    assert token["methods"] == ["password"]
    assert token["user"] == {
        "id": personas.member.user.pk,
        "name": "member",
        "domain": {"id": "default", "name": "Default"},
        "password_expires_at": None,
    }
    assert token["project"] == {"id": personas.lab.pk, "name": "lab", "domain": {"id": "default", "name": "Default"}}
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert token["catalog"][0]["type"] == "compute"
    assert set(token["catalog"][0]["endpoints"][0]) == {"id", "interface", "region", "region_id", "url"}
    assert len(token["issued_at"]) == len("2026-01-01T00:00:00.000000Z")
    assert tokens.context_for_token(answer["X-Subject-Token"]).project_id == personas.lab.pk


@pytest.mark.parametrize(
    "ref",
    [
        lambda user: {"id": user.pk},
        lambda user: {"name": user.name, "domain": {"id": "default"}},
        lambda user: {"name": user.name, "domain": {"name": "Default"}},
    ],
)
def test_users_are_named_in_three_ways(personas, ref):
    assert sign_in(password_body(**ref(personas.member.user))).status_code == 201


def test_projects_are_named_in_three_ways(personas):
    for project in (
        {"id": personas.lab.pk},
        {"name": "lab", "domain": {"id": "default"}},
        {"name": "lab", "domain": {"name": "Default"}},
    ):
        assert sign_in(password_body(personas.member.user, {"project": project})).status_code == 201


@pytest.mark.parametrize("scope", [None, "unscoped", {"unscoped": {}}])
def test_an_unscoped_token_has_neither_roles_nor_catalog(personas, scope):
    token = sign_in(password_body(personas.member.user, scope)).json()["token"]
    assert not {"roles", "catalog", "project"} & set(token)


def test_the_default_project_is_taken_when_nothing_is_said(personas):
    user = personas.member.user
    User.objects.filter(pk=user.pk).update(default_project_id=personas.lab.pk)
    assert sign_in(password_body(user)).json()["token"]["project"]["id"] == personas.lab.pk
    assert "project" not in sign_in(password_body(user, "unscoped")).json()["token"]
    Assignment.objects.filter(user=user).delete()
    answer = sign_in(password_body(user))
    assert answer.status_code == 201
    assert "project" not in answer.json()["token"]


def test_domain_and_system_scope(personas):
    answer = sign_in(password_body(personas.operator.user, {"system": {"all": True}}))
    assert answer.json()["token"]["system"] == {"all": True}
    AssignmentFactory(user=personas.member.user, role__name="reader", domain=personas.lab.domain)
    answer = sign_in(password_body(personas.member.user, {"domain": {"id": "default"}}))
    assert answer.json()["token"]["domain"] == {"id": "default", "name": "Default"}


def test_every_wrong_sign_in_looks_the_same(personas):
    user = personas.member.user
    disabled = UserFactory(enabled=False)
    exiled = UserFactory(domain=DomainFactory(enabled=False))
    bodies = [
        password_body(user, password="wrong"),
        password_body(user, password=""),
        password_body(user, password="x" * 100_000),
        password_body(name="nobody-here", domain={"id": "default"}),
        password_body(name="member", domain={"id": "nowhere"}),
        password_body(name="member ", domain={"id": "default"}),
        password_body(name="MEMBER", domain={"id": "default"}),
        password_body(id="0" * 32),
        password_body(disabled),
        password_body(exiled),
        password_body(user, {"project": {"id": personas.other.pk}}),
        password_body(user, {"project": {"id": "f" * 32}}),
        password_body(user, {"project": {"name": "lab", "domain": {"name": "nowhere"}}}),
        password_body(user, {"domain": {"id": "default"}}),
        password_body(user, {"system": {"all": True}}),
    ]
    for body in bodies:
        answer = sign_in(body)
        assert answer.status_code == 401, body
        assert answer.json() == {"error": {"code": 401, "title": "Unauthorized", "message": SENTENCE}}
        assert answer["WWW-Authenticate"] == 'Keystone uri="http://testserver/identity/v3"'


def test_a_token_that_is_not_good_is_not_found_as_a_proof(personas):
    """Upstream's clients look for 404 here: "test_user_update_own_password" of its conformance suite."""
    old = personas.member.token
    personas.member.user.set_password("another")
    personas.member.user.save()
    for token in ("gAAAAArubbish", "é", "x" * 500_000, old):
        answer = sign_in(token_body(token))
        assert answer.status_code == 404, token[:20]
        assert answer.json()["error"]["message"] == "Failed to validate token"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        3,
        {"auth": {}},
        {"auth": {"identity": {}}},
        {"auth": {"identity": {"methods": []}}},
        {"auth": {"identity": {"methods": "password"}}},
        {"auth": {"identity": {"methods": ["password"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "a", "password": "b"}}}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": "a"}}}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": "a\x00", "password": "b"}}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": 3}}}},
        password_body(id="a", scope={}),
        password_body(id="a", scope={"project": {}}),
        password_body(id="a", scope={"project": {"name": "x"}}),
        password_body(id="a", scope={"project": {"id": "x"}, "domain": {"id": "x"}}),
        password_body(id="a", scope={"system": {"all": False}}),
        password_body(id="a", scope="scoped"),
    ],
)
def test_malformed_bodies_are_bad_requests(db, body):
    answer = sign_in(body)
    assert answer.status_code == 400
    assert answer.json()["error"]["title"] == "Bad Request"


def test_an_unknown_method_is_refused(db):
    answer = sign_in({"auth": {"identity": {"methods": ["kerberos"]}}})
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Attempted to authenticate with an unsupported method."


def test_two_methods_must_prove_the_same_user(personas):
    body = password_body(personas.member.user)
    body["auth"]["identity"] |= {"methods": ["password", "token"], "token": {"id": personas.stranger.token}}
    assert sign_in(body).status_code == 401
    body["auth"]["identity"]["token"] = {"id": personas.member.token}
    assert sign_in(body).status_code == 201


def test_rescoping_by_the_api_keeps_expiry_and_chain(personas):
    first = sign_in(password_body(personas.member.user, "unscoped"))
    second = sign_in(token_body(first["X-Subject-Token"], {"project": {"id": personas.lab.pk}}))
    third = sign_in(token_body(second["X-Subject-Token"], {"project": {"id": personas.lab.pk}}))
    assert third.status_code == 201
    tokens_ = [answer.json()["token"] for answer in (first, second, third)]
    assert {token["expires_at"] for token in tokens_} == {tokens_[0]["expires_at"]}
    assert tokens_[2]["audit_ids"][1] == tokens_[0]["audit_ids"][0]
    assert tokens_[2]["methods"] == ["password", "token"]


def test_an_owner_looks_into_his_token_and_ends_it(personas):
    api = personas.member.api
    answer = api.get(TOKENS, X_Subject_Token=personas.member.token)
    assert answer.status_code == 200
    assert answer["X-Subject-Token"] == personas.member.token
    assert answer.json()["token"]["user"]["name"] == "member"
    assert "catalog" in answer.json()["token"]
    assert "catalog" not in api.get(f"{TOKENS}?nocatalog", X_Subject_Token=personas.member.token).json()["token"]
    head = api.head(TOKENS, X_Subject_Token=personas.member.token)
    assert (head.status_code, head.content) == (200, b"")
    assert api.delete(TOKENS, X_Subject_Token=personas.member.token).status_code == 204
    assert api.get(TOKENS, X_Subject_Token=personas.member.token).status_code == 401
    assert personas.admin.api.get(TOKENS, X_Subject_Token=personas.member.token).status_code == 404


@pytest.mark.parametrize(
    ("who", "get", "head", "delete"),
    [
        ("admin", 200, 200, 204),
        ("operator", 200, 200, 204),
        ("service", 200, 403, 403),
        ("manager", 403, 403, 403),
        ("reader", 403, 403, 403),
        ("stranger", 403, 403, 403),
        ("nobody", 403, 403, 403),
    ],
)
def test_who_may_look_into_a_token_of_another(personas, who, get, head, delete):
    api = getattr(personas, who).api
    token = personas.member.token
    assert api.get(TOKENS, X_Subject_Token=token).status_code == get
    assert api.head(TOKENS, X_Subject_Token=token).status_code == head
    assert api.delete(TOKENS, X_Subject_Token=token).status_code == delete


def test_who_asks_for_it_sees_an_expired_token_for_a_while(personas, settings, monkeypatch):
    old, now_ns = personas.member.token, time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (settings.TOKEN_LIFETIME_S + 60) * 10**9)
    service, admin, stranger = (
        persona(getattr(personas, name).user, project=getattr(personas, name).project).api
        for name in ("service", "admin", "stranger")
    )
    assert service.get(TOKENS, X_Subject_Token=old).status_code == 404
    assert service.get(f"{TOKENS}?allow_expired=0", X_Subject_Token=old).status_code == 404
    answer = service.get(f"{TOKENS}?allow_expired=1", X_Subject_Token=old)
    assert answer.status_code == 200
    assert answer.json()["token"]["project"]["id"] == personas.lab.pk
    assert admin.head(f"{TOKENS}?allow_expired", X_Subject_Token=old).status_code == 200
    assert stranger.get(f"{TOKENS}?allow_expired", X_Subject_Token=old).status_code == 403
    assert admin.delete(f"{TOKENS}?allow_expired", X_Subject_Token=old).status_code == 404
    assert Api(old).get(f"{TOKENS}?allow_expired", X_Subject_Token=old).status_code == 401
    settings.EXPIRED_TOKEN_WINDOW_S = 30
    assert service.get(f"{TOKENS}?allow_expired=1", X_Subject_Token=old).status_code == 404


def test_all_tokens_of_a_user_end_at_once(personas):
    member, path = personas.member, f"/identity/v3/users/{personas.member.user.pk}/tokens"
    for who in ("stranger", "manager", "reader", "service"):
        assert getattr(personas, who).api.delete(path).status_code == 403
    other = persona(member.user, project=personas.lab)
    assert member.api.delete(path).status_code == 204
    for token in (member.token, other.token):
        assert Api(token).get("/identity/v3/auth/projects").status_code == 401
    newer = persona(User.objects.get(pk=member.user.pk), project=personas.lab)
    assert newer.api.get("/identity/v3/auth/projects").status_code == 200
    assert personas.admin.api.delete(path).status_code == 204
    assert newer.api.get("/identity/v3/auth/projects").status_code == 401
    assert personas.admin.api.delete(f"/identity/v3/users/{'0' * 32}/tokens").status_code == 404


def test_a_subject_that_is_no_token_is_not_found(personas):
    for headers in ({}, {"X_Subject_Token": "rubbish"}, {"X_Subject_Token": "x" * 10_000}):
        answer = personas.admin.api.get(TOKENS, **headers)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Failed to validate token"


def test_strangers_see_nothing(db):
    for path in ("auth/tokens", "auth/projects", "auth/catalog", "auth/domains", "auth/system"):
        for api in (Api(), Api("rubbish"), Api("x" * 60_000)):
            assert api.get(f"/identity/v3/{path}").status_code == 401


def test_own_projects_domains_and_system(personas):
    ProjectFactory(name="not mine")
    for path in ("auth/projects", f"users/{personas.nobody.user.pk}/projects"):
        assert personas.nobody.api.get(f"/identity/v3/{path}").json()["projects"] == []
    body = personas.member.api.get("/identity/v3/auth/projects").json()
    assert [row["name"] for row in body["projects"]] == ["lab"]
    assert body["links"] == {"next": None, "previous": None, "self": "http://testserver/identity/v3/auth/projects"}
    assert personas.member.api.get("/identity/v3/auth/domains").json()["domains"] == []
    AssignmentFactory(user=personas.member.user, role__name="reader", domain=Domain.objects.get(pk="default"))
    assert [row["id"] for row in personas.member.api.get("/identity/v3/auth/domains").json()["domains"]] == ["default"]
    assert personas.member.api.get("/identity/v3/auth/system").json()["system"] == []
    assert personas.operator.api.get("/identity/v3/auth/system").json()["system"] == [{"all": True}]


def test_the_catalog_fills_in_the_project_and_drops_what_needs_one(personas):
    EndpointFactory(url="http://cloud.test/$(project_id)s")
    EndpointFactory(url="http://cloud.test/%(nonsense)s")
    urls = [
        row["url"]
        for entry in personas.member.api.get("/identity/v3/auth/catalog").json()["catalog"]
        for row in entry["endpoints"]
    ]
    assert urls == [f"http://cloud.test/{personas.lab.pk}"]
    assert personas.operator.api.get("/identity/v3/auth/catalog").json()["catalog"] == []


def test_versions_point_to_the_address_the_client_used(db):
    client = Api()
    for path in ("/identity", "/identity/"):
        answer = client.get(path, Host="cloud.example:5000")
        assert answer.status_code == 300
        assert answer["Location"] == "http://cloud.example:5000/identity/v3/"
        (value,) = answer.json()["versions"]["values"]
        assert value["links"] == [{"rel": "self", "href": "http://cloud.example:5000/identity/v3/"}]
    for path in ("/identity/v3", "/identity/v3/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json()["version"]["id"] == "v3.14"


def test_the_session_cookie_is_nothing_to_the_api(personas, client):
    personas.admin.sign_in(client)
    assert client.get("/identity/v3/users").status_code == 401


@pytest.mark.usefixtures("tokens_issued")
def test_validation_by_the_api_takes_a_fixed_number_of_queries(personas, django_assert_num_queries):
    with django_assert_num_queries(11):  # the caller: 4, the subject: 4, the catalog: 3
        personas.admin.api.get(TOKENS, X_Subject_Token=personas.member.token)
    with django_assert_num_queries(6):
        personas.member.api.get("/identity/v3/auth/projects")


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete"])
def test_an_address_that_is_none_is_not_found_in_identitys_form(db, method):
    answer = Api()(method, "/identity/v3/no/such/thing", {} if method in ("post", "put", "patch") else None)
    assert answer.status_code == 404
    if method != "head":
        assert answer.json()["error"]["title"] == "Not Found"
