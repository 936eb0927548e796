"""Users, projects, domains, roles, regions, services and endpoints: who may, what comes back, what is refused."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import Domain, Limit, Project, Role, User
from accounts.services import tokens
from tests.accounts.factories import (
    PASSWORD,
    AssignmentFactory,
    DomainFactory,
    EndpointFactory,
    ProjectFactory,
    RegionFactory,
    RegisteredLimitFactory,
    RoleFactory,
    ServiceFactory,
    UserFactory,
)
from tests.kit.identity import Api, persona

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"
SINGULAR = {
    "users": "user",
    "projects": "project",
    "domains": "domain",
    "roles": "role",
    "regions": "region",
    "services": "service",
    "endpoints": "endpoint",
}


def make(plural):
    """Return a row that nobody in the cast owns."""
    return {
        "users": UserFactory,
        "projects": ProjectFactory,
        "domains": lambda: DomainFactory(enabled=False),
        "roles": lambda: RoleFactory(name="auditor"),
        "regions": lambda: RegionFactory(id="RegionTwo"),
        "services": ServiceFactory,
        "endpoints": EndpointFactory,
    }[plural]()


def new_body(plural):
    values = {
        "users": {"name": "ada", "password": "a long secret"},
        "projects": {"name": "orbit"},
        "domains": {"name": "space"},
        "roles": {"name": "pilot"},
        "regions": {"id": "RegionNine"},
        "services": {"type": "volume", "name": "cinder"},
        "endpoints": {"interface": "public", "url": "http://cloud.test/x"},
    }[plural]
    if plural == "endpoints":
        values["service_id"] = ServiceFactory().pk
    return {SINGULAR[plural]: values}


@pytest.mark.parametrize("plural", SINGULAR)
def test_strangers_are_asked_who_they_are(db, plural):
    for api in (Api(), Api("gAAAAAnonsense")):
        assert api.get(f"{V3}/{plural}").status_code == 401
        assert api.post(f"{V3}/{plural}", {}).status_code == 401
        assert api.get(f"{V3}/{plural}/x").status_code == 401
        assert api.patch(f"{V3}/{plural}/x", {}).status_code == 401
        assert api.delete(f"{V3}/{plural}/x").status_code == 401


@pytest.mark.parametrize("plural", SINGULAR)
@pytest.mark.parametrize("who", ["reader", "member", "manager", "stranger", "nobody"])
def test_who_is_no_admin_is_refused_in_keystones_words(personas, plural, who):
    api, row = getattr(personas, who).api, make(plural)
    open_to_all = plural == "regions"
    for path in (f"{V3}/{plural}", f"{V3}/{plural}/{row.pk}"):
        assert api.get(path).status_code == (200 if open_to_all else 403)
        assert api.head(path).status_code == (200 if open_to_all else 403)
    for answer in (
        api.post(f"{V3}/{plural}", new_body(plural)),
        api.patch(f"{V3}/{plural}/{row.pk}", {SINGULAR[plural]: {"description": "mine"}}),
        api.delete(f"{V3}/{plural}/{row.pk}"),
    ):
        assert answer.status_code == 403
        error = answer.json()["error"]
        assert error["title"] == "Forbidden"
        assert error["message"].startswith("You are not authorized to perform the requested action: identity:")
    if not open_to_all:
        assert api.get(f"{V3}/{plural}/unknown").status_code == 403
        assert api.delete(f"{V3}/{plural}/unknown").status_code == 403


def test_a_refusal_says_what_is_missing_and_who_could_give_it(personas):
    told = personas.member.api.post(f"{V3}/regions", new_body("regions")).json()["error"]["message"]
    assert told == (
        "You are not authorized to perform the requested action: identity:create_region. You are member in lab. "
        "This needs: the role admin. Whoever may assign the role admin in project lab can give it to you."
    )


@pytest.mark.parametrize("plural", SINGULAR)
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_an_admin_makes_changes_and_deletes(personas, plural, who):
    api, singular = getattr(personas, who).api, SINGULAR[plural]
    made = api.post(f"{V3}/{plural}", new_body(plural))
    assert made.status_code == 201, made.content
    body = made.json()[singular]
    path = f"{V3}/{plural}/{body['id']}"
    assert body["links"]["self"] == f"http://testserver{path}"
    assert api.get(path).json() == {singular: body}
    assert body in api.get(f"{V3}/{plural}").json()[plural]
    changed = api.patch(path, {singular: {"description": "changed"}})
    assert changed.status_code == 200
    assert changed.json()[singular] == {**body, "description": "changed"}
    if plural == "domains":
        assert api.delete(path).status_code == 403
        api.patch(path, {singular: {"enabled": False}})
    assert api.delete(path).status_code == 204
    gone = api.get(path)
    assert gone.status_code == 404
    assert gone.json()["error"]["message"] == f"Could not find {singular}: {body['id']}."
    assert api.patch(path, {singular: {}}).status_code == 404
    assert api.delete(path).status_code == 404


def test_a_domain_is_made_under_an_id_of_ones_choice(personas):
    api, chosen = personas.admin.api, "9aea63518f0040c6b4518d8d2242911c"
    made = api.post(f"{V3}/domains", {"domain": {"name": "space", "explicit_domain_id": chosen}})
    assert made.status_code == 201
    assert made.json()["domain"]["id"] == chosen
    assert "explicit_domain_id" not in api.get(f"{V3}/domains/{chosen}").json()["domain"]
    for taken in (chosen, ProjectFactory().pk):
        again = api.post(f"{V3}/domains", {"domain": {"name": "another", "explicit_domain_id": taken}})
        assert again.status_code == 409


@pytest.mark.parametrize("chosen", ["bad!", "", "9aea63518f0040c", "9aea6351-8f00-40c6-b451-8d8d2242911c", 5, f"{'a' * 32}\n"])
def test_an_id_of_another_form_is_refused(personas, chosen):
    sent = {"domain": {"name": "space", "explicit_domain_id": chosen}}
    assert personas.admin.api.post(f"{V3}/domains", sent).status_code == 400


BAD = [
    ("users", {}),
    ("users", {"user": {}}),
    ("users", {"user": []}),
    ("users", {"user": {"name": ""}}),
    ("users", {"user": {"name": "   "}}),
    ("users", {"user": {"name": 3}}),
    ("users", {"user": {"name": "a\nb"}}),
    ("users", {"user": {"name": "a\u202eb"}}),
    ("users", {"user": {"name": "x" * 256}}),
    ("users", {"user": {"name": "a\x00"}}),
    ("users", {"user": {"name": "a", "enabled": "yes"}}),
    ("users", {"user": {"name": "a", "password": "x" * 5000}}),
    ("users", {"user": {"name": "a", "password": ""}}),
    ("users", {"user": {"name": "a", "options": {"lock_password": "yes"}}}),
    ("projects", {"project": {"name": "x" * 65}}),
    ("projects", {"project": {"name": "a", "is_domain": True, "domain_id": "default"}}),
    ("projects", {"project": {"name": "a", "tags": ["a,b"]}}),
    ("projects", {"project": {"name": "a", "tags": ["a", "a"]}}),
    ("projects", {"project": {"name": "a", "tags": [str(n) for n in range(81)]}}),
    ("projects", {"project": {"name": "a", "options": {"unknown": True}}}),
    ("domains", {"domain": {"name": 1}}),
    ("roles", {"role": {"name": None}}),
    ("services", {"service": {"name": "x"}}),
    ("endpoints", {"endpoint": {"interface": "private", "url": "http://x", "service_id": "x"}}),
    ("endpoints", {"endpoint": {"interface": "public", "url": "javascript:alert(1)", "service_id": "x"}}),
    ("endpoints", {"endpoint": {"interface": "public", "url": "http://x", "service_id": "unknown"}}),
    ("regions", {"region": {"id": 3}}),
]


@pytest.mark.parametrize(("plural", "body"), BAD)
def test_malformed_bodies_are_bad_requests(personas, plural, body):
    answer = personas.admin.api.post(f"{V3}/{plural}", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("raw", ["{", "[1", "\x00", '{"user": NaN}'])
def test_what_is_no_json_is_a_bad_request(personas, client, raw):
    headers = {"X-Auth-Token": personas.admin.token}
    answer = client.post(f"{V3}/users", raw, content_type="application/json", headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("plural", "extra"), [("users", {}), ("projects", {}), ("domains", {}), ("roles", {}), ("regions", {})]
)
def test_the_same_again_is_a_conflict(personas, plural, extra):
    api = personas.admin.api
    assert api.post(f"{V3}/{plural}", new_body(plural)).status_code == 201
    answer = api.post(f"{V3}/{plural}", new_body(plural))
    assert answer.status_code == 409
    assert answer.json()["error"]["message"].startswith(
        f"Conflict occurred attempting to store {SINGULAR[plural]} - Duplicate"
    )


def test_names_are_free_in_another_domain_and_differ_by_case(personas):
    api, domain = personas.admin.api, DomainFactory()
    for body in ({"name": "ada"}, {"name": "Ada"}, {"name": "ada", "domain_id": domain.pk}):
        assert api.post(f"{V3}/users", {"user": body}).status_code == 201
    assert api.post(f"{V3}/users", {"user": {"name": " ada "}}).status_code == 409


def test_unknown_attributes_are_kept_and_ours_are_not_taken(personas):
    body = {"name": "ada", "shoe": {"size": 38}, "id": "f" * 32, "links": {}, "password_expires_at": "x", "email": "a@b.test"}
    user = personas.admin.api.post(f"{V3}/users", {"user": body}).json()["user"]
    assert user["shoe"] == {"size": 38}
    assert user["email"] == "a@b.test"
    assert user["id"] != "f" * 32
    assert user["password_expires_at"] is None
    path = f"{V3}/users/{user['id']}"
    user = personas.admin.api.patch(path, {"user": {"hat": 7, "id": "e" * 32}}).json()["user"]
    assert (user["shoe"], user["hat"]) == ({"size": 38}, 7)
    assert "password" not in user


def test_mass_assignment_does_nothing(personas):
    body = {
        "name": "ada",
        "is_superuser": True,
        "password_changed_at": 3,
        "tokens_valid_from": 3,
        "groups": ["x"],
        "enabled": False,
    }
    made = personas.admin.api.post(f"{V3}/users", {"user": body})
    assert made.status_code == 201
    user = User.objects.get(name="ada")
    assert not user.is_superuser
    assert user.groups.count() == 0
    assert user.enabled is False


def test_the_domain_of_a_thing_does_not_change(personas):
    domain, user = DomainFactory(), UserFactory()
    path = f"{V3}/users/{user.pk}"
    assert personas.admin.api.patch(path, {"user": {"domain_id": domain.pk}}).status_code == 400
    assert personas.admin.api.patch(path, {"user": {"domain_id": "default"}}).status_code == 200
    project = ProjectFactory()
    path = f"{V3}/projects/{project.pk}"
    assert personas.admin.api.patch(path, {"project": {"domain_id": domain.pk}}).status_code == 400
    assert personas.admin.api.patch(path, {"project": {"parent_id": personas.lab.pk}}).status_code == 403


def test_projects_stand_under_a_domain_or_a_project(personas):
    api = personas.admin.api
    top = api.post(f"{V3}/projects", {"project": {"name": "top", "parent_id": "default"}}).json()["project"]
    assert (top["parent_id"], top["domain_id"]) == ("default", "default")
    child = api.post(f"{V3}/projects", {"project": {"name": "child", "parent_id": top["id"]}}).json()["project"]
    assert child["parent_id"] == top["id"]
    assert api.delete(f"{V3}/projects/{top['id']}").status_code == 403
    assert [row["id"] for row in api.get(f"{V3}/projects?parent_id={top['id']}").json()["projects"]] == [child["id"]]
    domain = DomainFactory()
    body = {"project": {"name": "x", "parent_id": top["id"], "domain_id": domain.pk}}
    assert api.post(f"{V3}/projects", body).status_code == 400
    assert api.post(f"{V3}/projects", {"project": {"name": "x", "domain_id": "nowhere"}}).status_code == 404


@pytest.mark.usefixtures("tokens_issued")
def test_deleting_a_project_takes_what_hangs_on_it(personas):
    Limit.objects.create(registered=RegisteredLimitFactory(), project=personas.other, resource_limit=3)
    Group.objects.create(name=f"project:{personas.other.pk}")
    assert personas.admin.api.delete(f"{V3}/projects/{personas.other.pk}").status_code == 204
    assert not Limit.objects.exists()
    assert not Group.objects.exists()
    assert personas.stranger.api.get(f"{V3}/auth/projects").status_code == 401


def test_deleting_a_domain_takes_its_people_and_projects(personas):
    domain = DomainFactory(enabled=False)
    parent = ProjectFactory(domain=domain)
    ProjectFactory(domain=domain, parent=parent)
    AssignmentFactory(user=UserFactory(domain=domain), role=RoleFactory(name="own", domain=domain), project=parent)
    assert personas.admin.api.delete(f"{V3}/domains/{domain.pk}").status_code == 204
    assert not User.objects.filter(domain=domain.pk).exists()
    assert not Project.objects.filter(domain=domain.pk).exists()
    assert not Role.objects.filter(domain=domain.pk).exists()


def test_what_is_immutable_stays_until_the_option_is_taken_away(personas):
    role = RoleFactory(name="fixed", options={"immutable": True})
    api, path = personas.admin.api, f"{V3}/roles/{role.pk}"
    assert api.delete(path).status_code == 403
    assert "immutable" in api.patch(path, {"role": {"name": "x"}}).json()["error"]["message"]
    assert api.patch(path, {"role": {"options": {"immutable": None}}}).json()["role"]["options"] == {}
    assert api.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"on", "off"}),
        ("?enabled", {"on"}),
        ("?enabled=true", {"on"}),
        ("?enabled=1", {"on"}),
        ("?enabled=Yes", {"on"}),
        ("?enabled=0", {"off"}),
        ("?enabled=False", {"off"}),
        ("?enabled=no", {"off"}),
        ("?name=on", {"on"}),
        ("?name__contains=f", {"off"}),
        ("?name__startswith=o", {"on", "off"}),
        ("?name__endswith=n&enabled=0", set()),
        ("?name=on'--", set()),
        ("?domain_id=nowhere", set()),
        ("?password__contains=a", {"on", "off"}),
        ("?unknown=1", {"on", "off"}),
    ],
)
def test_filters(personas, query, expected):
    UserFactory(name="on")
    UserFactory(name="off", enabled=False)
    names = {row["name"] for row in personas.admin.api.get(f"{V3}/users{query}").json()["users"]}
    assert names & {"on", "off"} == expected


def test_null_characters_in_addresses_break_nothing(personas):
    assert personas.admin.api.get(f"{V3}/users?name=%00").status_code == 400
    assert personas.admin.api.get(f"{V3}/users/a%00").status_code == 404
    assert personas.admin.api.delete(f"{V3}/users/{'x' * 3000}").status_code == 404


@pytest.mark.usefixtures("tokens_issued")
def test_lists_take_a_fixed_number_of_queries(personas, django_assert_num_queries):
    for plural in SINGULAR:
        for _count in range(3 if plural not in ("roles", "regions") else 1):
            make(plural)
        with django_assert_num_queries(5 if plural in ("projects", "domains") else 4):
            assert personas.admin.api.get(f"{V3}/{plural}").status_code == 200


def test_a_user_sees_himself_and_his_project(personas):
    api, user = personas.reader.api, personas.reader.user
    assert api.get(f"{V3}/users/{user.pk}").json()["user"]["name"] == "reader"
    assert [row["name"] for row in api.get(f"{V3}/users/{user.pk}/projects").json()["projects"]] == ["lab"]
    assert api.get(f"{V3}/projects/{personas.lab.pk}").json()["project"]["name"] == "lab"
    assert api.get(f"{V3}/users/{personas.member.user.pk}").status_code == 403
    assert api.get(f"{V3}/users/{personas.member.user.pk}/projects").status_code == 403
    assert api.get(f"{V3}/projects/{personas.other.pk}").status_code == 403
    assert api.get(f"{V3}/domains/default").status_code == 200


def test_a_reader_of_a_domain_sees_that_domain_only(personas):
    domain, user = DomainFactory(), UserFactory()
    AssignmentFactory(user=user, role__name="reader", domain=domain)
    inside, _outside = UserFactory(name="inside", domain=domain), UserFactory(name="outside")
    ProjectFactory(name="in", domain=domain)
    api = persona(user, domain=domain).api
    assert [row["id"] for row in api.get(f"{V3}/users").json()["users"]] == [inside.pk]
    assert [row["name"] for row in api.get(f"{V3}/projects").json()["projects"]] == ["in"]
    assert [row["id"] for row in api.get(f"{V3}/domains").json()["domains"]] == [domain.pk]
    assert api.get(f"{V3}/users/{inside.pk}").status_code == 200
    assert api.get(f"{V3}/users/{personas.member.user.pk}").status_code == 403
    assert api.post(f"{V3}/users", {"user": {"name": "x", "domain_id": domain.pk}}).status_code == 403


def test_a_manager_of_a_domain_makes_users_there_and_nowhere_else(personas):
    domain, user = DomainFactory(), UserFactory()
    AssignmentFactory(user=user, role=personas.roles["manager"], domain=domain)
    api = persona(user, domain=domain).api
    made = api.post(f"{V3}/users", {"user": {"name": "x"}})
    assert made.json()["user"]["domain_id"] == domain.pk
    assert api.post(f"{V3}/users", {"user": {"name": "x", "domain_id": "default"}}).status_code == 403
    assert api.patch(f"{V3}/users/{personas.admin.user.pk}", {"user": {"password": "mine now"}}).status_code == 403
    project = api.post(f"{V3}/projects", {"project": {"name": "p"}}).json()["project"]
    place = f"{V3}/projects/{project['id']}/users/{made.json()['user']['id']}/roles"
    assert api.put(f"{place}/{personas.roles['member'].pk}").status_code == 204
    assert api.put(f"{place}/{personas.roles['admin'].pk}").status_code == 403
    assert api.put(f"{V3}/projects/{personas.lab.pk}/users/{user.pk}/roles/{personas.roles['member'].pk}").status_code == 403
    assert api.get(f"{V3}/roles").status_code == 200


def test_an_admin_resets_a_password_and_old_tokens_end(personas):
    path = f"{V3}/users/{personas.member.user.pk}"
    assert personas.admin.api.patch(path, {"user": {"password": "a fresh one"}}).status_code == 200
    assert personas.member.api.get(f"{V3}/auth/projects").status_code == 401


def test_a_user_changes_his_own_password(personas):
    user = personas.member.user
    path = f"{V3}/users/{user.pk}/password"
    wrong = {"user": {"original_password": "wrong", "password": "a new one"}}
    assert Api().post(path, wrong).status_code == 401
    assert Api().post(path, {"user": {"password": "a new one"}}).status_code == 400
    assert Api().post(path, {"user": {"original_password": PASSWORD, "password": ""}}).status_code == 400
    assert Api().post(path, {"user": {"original_password": PASSWORD, "password": "a new one"}}).status_code == 204
    assert personas.member.api.get(f"{V3}/auth/projects").status_code == 401
    user.refresh_from_db()
    assert user.check_password("a new one")


def test_regions_are_made_by_name_and_kept_while_used(personas):
    api = personas.admin.api
    assert api.put(f"{V3}/regions/North", {"region": {}}).status_code == 201
    assert api.post(f"{V3}/regions", {"region": {"id": "Sub", "parent_region_id": "North"}}).status_code == 201
    assert api.patch(f"{V3}/regions/North", {"region": {"parent_region_id": "Sub"}}).status_code == 400
    assert [row["id"] for row in api.get(f"{V3}/regions?parent_region_id=North").json()["regions"]] == ["Sub"]
    endpoint = EndpointFactory(region_id="Sub")
    assert api.delete(f"{V3}/regions/North").status_code == 403
    endpoint.delete()
    limit = RegisteredLimitFactory(region_id="Sub")
    assert api.delete(f"{V3}/regions/North").status_code == 403
    limit.delete()
    assert api.delete(f"{V3}/regions/North").status_code == 204
    assert api.get(f"{V3}/regions/Sub").status_code == 404


def test_a_domain_is_nobodys_default_project(personas):
    api, path = personas.admin.api, f"{V3}/users/{personas.member.user.pk}"
    assert api.patch(path, {"user": {"default_project_id": "default"}}).status_code == 400
    assert api.post(f"{V3}/users", {"user": {"name": "new", "default_project_id": "default"}}).status_code == 400
    assert api.patch(path, {"user": {"default_project_id": personas.lab.pk}}).status_code == 200


def test_a_service_stays_while_somebody_has_a_limit_on_it(personas):
    api, registered = personas.admin.api, RegisteredLimitFactory()
    path = f"{V3}/services/{registered.service_id}"
    limit = Limit.objects.create(registered=registered, project=personas.lab, resource_limit=1)
    assert api.delete(path).status_code == 403
    limit.delete()
    assert api.delete(path).status_code == 204
    assert api.get(f"{V3}/registered_limits/{registered.pk}").status_code == 404


@pytest.mark.usefixtures("tokens_issued")
def test_disabled_domains_close_at_once(personas):
    Domain.objects.filter(pk="default").update(enabled=False)
    assert personas.admin.api.get(f"{V3}/users").status_code == 401


def test_the_token_of_a_deleted_user_is_nothing(personas):
    personas.admin.api.delete(f"{V3}/users/{personas.member.user.pk}")
    with pytest.raises(Exception, match="authentication"):
        tokens.context_for_token(personas.member.token)


def test_the_older_way_to_name_a_region_makes_it(personas):
    body = {"service_id": ServiceFactory().pk, "interface": "public", "url": "http://x.test"}
    api = personas.admin.api
    assert api.post(f"{V3}/endpoints", {"endpoint": {**body, "region_id": "East"}}).status_code == 400
    made = api.post(f"{V3}/endpoints", {"endpoint": {**body, "region": "East"}}).json()["endpoint"]
    assert (made["region"], made["region_id"]) == ("East", "East")
    assert api.get(f"{V3}/regions/East").status_code == 200
