"""/v3/groups, and what their members hold through them."""

import pytest

from accounts.models import Membership
from accounts.services import tokens
from accounts.services.tokens import Scope
from portal.core.errors import Unauthorized
from tests.accounts.factories import AssignmentFactory, DomainFactory, GroupFactory, RoleFactory, UserFactory
from tests.kit.identity import persona

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"
PEOPLE = ("reader", "member", "manager", "stranger", "nobody")


def test_a_group_is_made_changed_and_deleted(personas):
    api = personas.admin.api
    made = api.post(f"{V3}/groups", {"group": {"name": "staff", "colour": "blue"}})
    assert made.status_code == 201
    group = made.json()["group"]
    assert group == {
        "id": group["id"],
        "name": "staff",
        "description": "",
        "domain_id": "default",
        "colour": "blue",
        "links": {"self": f"http://testserver{V3}/groups/{group['id']}"},
    }
    assert api.post(f"{V3}/groups", {"group": {"name": "staff"}}).status_code == 409
    address = f"{V3}/groups/{group['id']}"
    assert api.patch(address, {"group": {"name": "crew"}}).json()["group"]["name"] == "crew"
    assert api.patch(address, {"group": {"domain_id": DomainFactory().pk}}).status_code == 400
    assert [row["name"] for row in api.get(f"{V3}/groups?name=crew").json()["groups"]] == ["crew"]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize("who", PEOPLE)
def test_others_neither_see_nor_change_groups(personas, who):
    group, api = GroupFactory(), getattr(personas, who).api
    assert api.get(f"{V3}/groups").status_code == 403
    assert api.get(f"{V3}/groups/{group.pk}").status_code == 403
    assert api.get(f"{V3}/groups/unknown").status_code == 403
    assert api.post(f"{V3}/groups", {"group": {"name": "x"}}).status_code == 403
    assert api.put(f"{V3}/groups/{group.pk}/users/{personas.member.user.pk}").status_code == 403
    assert not Membership.objects.exists()


def test_a_manager_of_a_domain_looks_after_its_groups_alone(personas):
    domain = DomainFactory()
    user, own, foreign = UserFactory(domain=domain), GroupFactory(domain=domain), GroupFactory()
    AssignmentFactory(user=user, role=personas.roles["manager"], domain=domain)
    api = persona(user, domain=domain).api
    assert [row["id"] for row in api.get(f"{V3}/groups").json()["groups"]] == [own.pk]
    assert api.put(f"{V3}/groups/{own.pk}/users/{user.pk}").status_code == 204
    assert api.put(f"{V3}/groups/{own.pk}/users/{personas.member.user.pk}").status_code == 403
    assert api.patch(f"{V3}/groups/{foreign.pk}", {"group": {"name": "mine"}}).status_code == 403


def test_members_come_and_go(personas):
    api, group, user = personas.admin.api, GroupFactory(), personas.reader.user
    address = f"{V3}/groups/{group.pk}/users/{user.pk}"
    assert api.head(address).status_code == 404
    assert api.put(address).status_code == 204
    assert api.put(address).status_code == 204
    assert api.head(address).status_code == 204
    assert [row["name"] for row in api.get(f"{V3}/groups/{group.pk}/users").json()["users"]] == ["reader"]
    assert [row["id"] for row in personas.reader.api.get(f"{V3}/users/{user.pk}/groups").json()["groups"]] == [group.pk]
    assert personas.member.api.get(f"{V3}/users/{user.pk}/groups").status_code == 403
    assert api.delete(address).status_code == 204
    assert api.delete(address).status_code == 404


def test_who_leaves_a_group_leaves_its_roles_at_once(personas):
    group, user = GroupFactory(), personas.stranger.user
    group.members.add(user)
    AssignmentFactory(user=None, group=group, role=personas.roles["member"], project=personas.lab)
    token, grant = tokens.issue(user=user, methods=["password"], scope=Scope(project=personas.lab))
    assert {role.name for role in grant.roles} == {"member", "reader"}
    group.members.remove(user)
    with pytest.raises(Unauthorized):
        tokens.validate(token)


def test_groups_are_given_roles_on_projects_domains_and_the_system(personas):
    api, group, role = personas.admin.api, GroupFactory(), RoleFactory(name="auditor")
    places = (f"projects/{personas.lab.pk}", "domains/default", "system")
    for place in places:
        address = f"{V3}/{place}/groups/{group.pk}/roles"
        assert api.put(f"{address}/{role.pk}").status_code == 204
        assert api.head(f"{address}/{role.pk}").status_code == 204
        assert [row["name"] for row in api.get(address).json()["roles"]] == ["auditor"]
    listed = api.get(f"{V3}/role_assignments?group.id={group.pk}").json()["role_assignments"]
    assert sorted(row["links"]["assignment"].split("/v3/")[1] for row in listed) == sorted(
        f"{place}/groups/{group.pk}/roles/{role.pk}" for place in places
    )
    for place in places:
        assert api.delete(f"{V3}/{place}/groups/{group.pk}/roles/{role.pk}").status_code == 204
    assert api.get(f"{V3}/role_assignments?group.id={group.pk}").json()["role_assignments"] == []
