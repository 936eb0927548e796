"""Roles given and taken away, who holds what, and which role implies which."""

import pytest

from accounts.models import Assignment
from tests.accounts.factories import AssignmentFactory, DomainFactory, RoleFactory, UserFactory
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"


@pytest.fixture(params=["project", "domain", "system"])
def place(request, personas):
    return {
        "project": f"{V3}/projects/{personas.other.pk}",
        "domain": f"{V3}/domains/default",
        "system": f"{V3}/system",
    }[request.param]


def test_a_role_is_given_seen_and_taken_away(personas, place):
    api, user, role = personas.admin.api, personas.member.user, personas.roles["manager"]
    path = f"{place}/users/{user.pk}/roles/{role.pk}"
    assert api.head(path).status_code == 404
    assert api.put(path).status_code == 204
    assert api.put(path).status_code == 204
    assert Assignment.objects.filter(user=user, role=role).count() == 1
    assert api.head(path).status_code == 204
    assert api.get(path).status_code == 204
    assert [row["name"] for row in api.get(f"{place}/users/{user.pk}/roles").json()["roles"]] == ["manager"]
    assert api.delete(path).status_code == 204
    gone = api.delete(path)
    assert gone.status_code == 404
    assert gone.json()["error"]["message"].startswith(f"Could not find role assignment with role: {role.pk}, user or group:")


@pytest.mark.parametrize("who", ["reader", "member", "manager", "stranger", "nobody", None])
def test_who_is_no_admin_gives_nothing(personas, place, who):
    api = getattr(personas, who).api if who else Api()
    expected = 403 if who else 401
    own = personas.member.user.pk
    path = f"{place}/users/{own}/roles/{personas.roles['admin'].pk}"
    assert api.put(path).status_code == expected
    assert api.delete(path).status_code == expected
    assert api.get(path).status_code == expected
    assert api.get(f"{place}/users/{own}/roles").status_code == expected
    assert api.put(f"{place}/users/unknown/roles/unknown").status_code == expected


def test_what_is_missing_is_named(personas, place):
    api, user, role = personas.admin.api, personas.member.user, personas.roles["member"]
    for path, kind in (
        (f"{place}/users/unknown/roles/{role.pk}", "user"),
        (f"{place}/users/{user.pk}/roles/unknown", "role"),
        (f"{V3}/projects/unknown/users/{user.pk}/roles/{role.pk}", "project"),
    ):
        answer = api.put(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == f"Could not find {kind}: unknown."


def test_a_domains_role_stays_in_its_domain(personas):
    role = RoleFactory(name="local", domain=DomainFactory())
    path = f"{V3}/projects/{personas.lab.pk}/users/{personas.member.user.pk}/roles/{role.pk}"
    assert personas.admin.api.put(path).status_code == 403
    roles = personas.admin.api.get(f"{V3}/roles?domain_id={role.domain_id}").json()["roles"]
    assert [row["name"] for row in roles] == ["local"]


def assignments(api, query=""):
    answer = api.get(f"{V3}/role_assignments{query}")
    assert answer.status_code == 200
    return answer.json()["role_assignments"]


def test_assignments_are_listed_and_filtered(personas):
    api, user = personas.admin.api, personas.member.user
    (row,) = assignments(api, f"?user.id={user.pk}")
    role = personas.roles["member"]
    assert row == {
        "role": {"id": role.pk},
        "user": {"id": user.pk},
        "scope": {"project": {"id": personas.lab.pk}},
        "links": {"assignment": f"http://testserver{V3}/projects/{personas.lab.pk}/users/{user.pk}/roles/{role.pk}"},
    }
    assert len(assignments(api, f"?scope.project.id={personas.other.pk}")) == 1
    assert len(assignments(api, f"?role.id={role.pk}")) == 2
    assert [entry["scope"] for entry in assignments(api, "?scope.system=all")] == [{"system": {"all": True}}]
    assert assignments(api, "?group.id=x") == []
    assert assignments(api, "?scope.domain.id=default") == []


def test_assignments_with_names(personas):
    (row,) = assignments(personas.admin.api, f"?include_names&user.id={personas.member.user.pk}")
    default = {"id": "default", "name": "Default"}
    assert row["user"] == {"id": personas.member.user.pk, "name": "member", "domain": default}
    assert row["role"]["name"] == "member"
    assert row["scope"]["project"] == {"id": personas.lab.pk, "name": "lab", "domain": default}


def test_effective_assignments_follow_implications(personas):
    api, user = personas.admin.api, personas.manager.user
    rows = assignments(api, f"?effective&include_names=True&user.id={user.pk}")
    assert {row["role"]["name"] for row in rows} == {"manager", "member", "reader"}
    implied = next(row for row in rows if row["role"]["name"] == "reader")
    assert "prior_role" in implied["links"]
    reader = personas.roles["reader"].pk
    assert len(assignments(api, f"?effective&role.id={reader}&user.id={user.pk}")) == 1
    assert len(assignments(api, f"?effective=0&role.id={reader}&user.id={user.pk}")) == 0


@pytest.mark.parametrize("who", ["reader", "member", "manager", "stranger", "nobody"])
def test_assignments_are_not_for_everybody(personas, who):
    assert getattr(personas, who).api.get(f"{V3}/role_assignments").status_code == 403


@pytest.mark.usefixtures("tokens_issued")
def test_assignments_take_a_fixed_number_of_queries(personas, django_assert_num_queries):
    for _count in range(3):
        AssignmentFactory(user=UserFactory(), role=personas.roles["reader"], project=personas.lab)
    with django_assert_num_queries(5):
        assignments(personas.admin.api, "?include_names")
    with django_assert_num_queries(6):
        assignments(personas.admin.api, "?include_names&effective")


def test_implications_are_seen_made_and_ended(personas):
    api, roles = personas.admin.api, personas.roles
    inferences = api.get(f"{V3}/role_inferences").json()["role_inferences"]
    assert [(row["prior_role"]["name"], [role["name"] for role in row["implies"]]) for row in inferences] == [
        ("admin", ["manager"]),
        ("manager", ["member"]),
        ("member", ["reader"]),
    ]
    implied = api.get(f"{V3}/roles/{roles['member'].pk}/implies").json()["role_inference"]["implies"]
    assert [role["name"] for role in implied] == ["reader"]
    path = f"{V3}/roles/{roles['service'].pk}/implies/{roles['reader'].pk}"
    assert api.get(path).status_code == 404
    assert api.head(path).status_code == 404
    assert api.put(path).status_code == 201
    assert api.get(path).json()["role_inference"]["implies"]["name"] == "reader"
    assert api.head(path).status_code == 204
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    assert api.put(f"{V3}/roles/{roles['member'].pk}/implies/{roles['admin'].pk}").status_code == 403
    assert api.put(f"{V3}/roles/{roles['member'].pk}/implies/{roles['member'].pk}").status_code == 400


@pytest.mark.parametrize("who", ["member", "manager", "stranger"])
def test_implications_are_the_admins(personas, who):
    api, roles = getattr(personas, who).api, personas.roles
    path = f"{V3}/roles/{roles['member'].pk}/implies/{roles['manager'].pk}"
    assert api.get(f"{V3}/role_inferences").status_code == 403
    assert api.put(path).status_code == 403
    assert api.delete(path).status_code == 403
    assert api.get(path).status_code == 403
