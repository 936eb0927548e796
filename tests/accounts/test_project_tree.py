"""Projects below projects: depth, switches, relatives, tags, domains in the form of projects, roles handed down."""

import pytest

from accounts.models import Ancestor, Domain, Project
from accounts.services import tokens
from accounts.services.tokens import Scope
from portal.core.errors import Unauthorized
from tests.accounts.factories import AssignmentFactory, DomainFactory, GroupFactory, UserFactory
from tests.kit.identity import persona

pytestmark = pytest.mark.django_db

V3 = "/identity/v3"


def make(api, name, parent=None, **more):
    body = {"project": {"name": name, **({"parent_id": parent} if parent else {}), **more}}
    answer = api.post(f"{V3}/projects", body)
    assert answer.status_code == 201, answer.content
    return answer.json()["project"]["id"]


@pytest.fixture
def tree(personas):
    """Three projects, each below the one before."""
    top = make(personas.admin.api, "top")
    middle = make(personas.admin.api, "middle", top)
    return top, middle, make(personas.admin.api, "leaf", middle)


def test_relatives_are_told_as_lists_and_as_trees(personas, tree):
    top, middle, leaf = tree
    api = personas.admin.api

    def show(key, query):
        return api.get(f"{V3}/projects/{key}?{query}").json()["project"]

    assert [row["project"]["id"] for row in show(leaf, "parents_as_list")["parents"]] == [middle, top]
    assert [row["project"]["id"] for row in show(top, "subtree_as_list")["subtree"]] == [middle, leaf]
    assert show(leaf, "parents_as_ids")["parents"] == {middle: {top: {"default": None}}}
    assert show(top, "subtree_as_ids")["subtree"] == {middle: {leaf: None}}
    assert show(leaf, "subtree_as_ids")["subtree"] is None
    assert api.get(f"{V3}/projects/{top}?subtree_as_ids&subtree_as_list").status_code == 400
    assert [row["id"] for row in api.get(f"{V3}/projects?parent_id={top}").json()["projects"]] == [middle]


def test_a_tree_grows_no_deeper_than_allowed(personas, settings):
    settings.MAX_PROJECT_TREE_DEPTH = 3
    api = personas.admin.api
    second = make(api, "second", make(api, "first"))
    third = make(api, "third", second)
    refused = api.post(f"{V3}/projects", {"project": {"name": "fourth", "parent_id": third}})
    assert refused.status_code == 403
    assert Ancestor.objects.filter(project_id=third).count() == 2


def test_a_project_stays_where_it_was_made(personas, tree):
    top, _middle, leaf = tree
    assert personas.admin.api.patch(f"{V3}/projects/{leaf}", {"project": {"parent_id": top}}).status_code == 403
    assert personas.admin.api.delete(f"{V3}/projects/{top}").status_code == 403


def test_switches_respect_the_tree(personas, tree):
    top, middle, leaf = tree
    api = personas.admin.api

    def switch(key, enabled):
        return api.patch(f"{V3}/projects/{key}", {"project": {"enabled": enabled}}).status_code

    assert switch(top, False) == 403
    assert [switch(key, False) for key in (leaf, middle, top)] == [200, 200, 200]
    assert switch(leaf, True) == 403
    assert api.post(f"{V3}/projects", {"project": {"name": "late", "parent_id": top}}).status_code == 403
    assert [switch(key, True) for key in (top, middle, leaf)] == [200, 200, 200]


def test_tags_are_set_found_and_removed(personas):
    api = personas.admin.api
    red, blue = make(api, "red", tags=["warm", "bright"]), make(api, "blue", tags=["bright"])
    assert api.get(f"{V3}/projects/{red}").json()["project"]["tags"] == ["bright", "warm"]

    def found(query):
        return {row["name"] for row in api.get(f"{V3}/projects?{query}").json()["projects"]} & {"red", "blue", "lab"}

    assert found("tags=bright,warm") == {"red"}
    assert found("tags-any=bright,warm") == {"red", "blue"}
    assert found("not-tags=bright,warm") == {"blue", "lab"}
    assert found("not-tags-any=bright") == {"lab"}
    address = f"{V3}/projects/{blue}/tags"
    assert api.put(f"{address}/cold").status_code == 201
    assert api.head(f"{address}/cold").status_code == 204
    assert api.get(address).json()["tags"] == ["bright", "cold"]
    assert api.put(address, {"tags": ["x", "y"]}).json()["tags"] == ["x", "y"]
    assert api.delete(f"{address}/x").status_code == 204
    assert api.delete(f"{address}/x").status_code == 404
    assert api.delete(address).status_code == 204
    assert api.get(address).json()["tags"] == []
    assert api.put(f"{address}/a,b").status_code == 400
    assert api.put(address, {"tags": "x"}).status_code == 400
    assert personas.member.api.put(f"{V3}/projects/{personas.lab.pk}/tags/mine").status_code == 403
    assert personas.member.api.get(f"{V3}/projects/{personas.lab.pk}/tags").status_code == 200
    assert personas.member.api.get(address).status_code == 403


@pytest.mark.parametrize("at", ["domain", "project"])
def test_a_domain_has_tags_under_both_its_addresses(personas, at):
    api = personas.admin.api
    body = {"name": "acme", "tags": ["west", "east"], **({"is_domain": True} if at == "project" else {})}
    made = api.post(f"{V3}/{at}s", {at: body}).json()[at]
    assert made["tags"] == ["east", "west"]
    address = f"{V3}/{at}s/{made['id']}"
    assert api.patch(address, {at: {"description": "x"}}).json()[at]["tags"] == ["east", "west"]
    assert api.patch(address, {at: {"tags": ["north"]}}).json()[at]["tags"] == ["north"]
    for other in ("domain", "project"):
        assert api.get(f"{V3}/{other}s/{made['id']}").json()[other]["tags"] == ["north"]
    for wrong in (5, "x", ["a,b"], ["a/b"], ["x", "x"], [""], [3], ["y" * 256], [f"t{n}" for n in range(81)]):
        assert api.patch(address, {at: {"tags": wrong}}).status_code == 400, wrong
        assert api.post(f"{V3}/{at}s", {at: {**body, "name": "b", "tags": wrong}}).status_code == 400, wrong


def test_domains_are_found_by_their_tags(personas, django_assert_max_num_queries):
    api = personas.admin.api
    for name, tags in (("red", ["warm", "bright"]), ("blue", ["bright"]), ("grey", [])):
        assert api.post(f"{V3}/domains", {"domain": {"name": name, "tags": tags}}).status_code == 201

    def found(query):
        rows = api.get(f"{V3}/domains?{query}").json()["domains"]
        alike = api.get(f"{V3}/projects?is_domain=true&{query}").json()["projects"]
        assert [row["id"] for row in rows] == [row["id"] for row in alike]
        return {row["name"] for row in rows} & {"red", "blue", "grey"}

    assert found("tags=bright,warm") == {"red"}
    assert found("tags-any=bright,warm") == {"red", "blue"}
    assert found("not-tags=bright,warm") == {"blue", "grey"}
    assert found("not-tags-any=bright") == {"grey"}
    with django_assert_max_num_queries(6):
        assert len(api.get(f"{V3}/domains").json()["domains"]) >= 4


def test_the_tags_of_a_domain_are_changed_at_the_address_of_a_project(personas):
    domain = DomainFactory()
    api, address = personas.admin.api, f"{V3}/projects/{domain.pk}/tags"
    assert api.put(f"{address}/cold").status_code == 201
    assert api.put(f"{address}/cold").status_code == 201
    assert api.head(f"{address}/cold").status_code == 204
    assert api.get(address).json()["tags"] == ["cold"]
    assert api.put(address, {"tags": ["x", "y"]}).json()["tags"] == ["x", "y"]
    assert api.delete(f"{address}/x").status_code == 204
    assert api.delete(f"{address}/x").status_code == 404
    assert api.delete(address).status_code == 204
    assert api.get(address).json()["tags"] == []
    for who in ("manager", "member", "reader", "stranger"):
        other = getattr(personas, who).api
        assert other.put(f"{address}/mine").status_code == 403
        assert other.get(address).status_code == 403
    assert api.put(f"{V3}/projects/nothing/tags/x").status_code == 404
    assert personas.member.api.put(f"{V3}/projects/nothing/tags/x").status_code == 403
    domain.options = {"immutable": True}
    domain.save()
    assert api.put(f"{address}/late").status_code == 403


def test_a_domain_stands_below_nothing(personas):
    api, domain, other = personas.admin.api, DomainFactory(), DomainFactory()
    address = f"{V3}/projects/{domain.pk}"
    assert api.patch(address, {"project": {"parent_id": other.pk}}).status_code == 403
    assert api.patch(address, {"project": {"domain_id": other.pk}}).status_code == 400
    assert api.patch(address, {"project": {"is_domain": False}}).status_code == 400
    assert api.patch(address, {"project": {"parent_id": None, "domain_id": None, "is_domain": True}}).status_code == 200
    assert api.patch(f"{V3}/projects/{personas.lab.pk}", {"project": {"is_domain": True}}).status_code == 400
    below = {"project": {"name": "x", "is_domain": True, "parent_id": other.pk}}
    assert api.post(f"{V3}/projects", below).status_code == 400
    shown = api.patch(f"{V3}/domains/{domain.pk}", {"domain": {"parent_id": other.pk}}).json()["domain"]
    assert "parent_id" not in shown


def test_a_domain_is_also_a_project_that_acts_as_one(personas):
    api = personas.admin.api
    made = api.post(f"{V3}/projects", {"project": {"name": "acme", "is_domain": True}}).json()["project"]
    assert (made["domain_id"], made["parent_id"], made["is_domain"]) == (None, None, True)
    address = f"{V3}/projects/{made['id']}"
    assert api.get(address).json()["project"] == made
    assert made["id"] in {row["id"] for row in api.get(f"{V3}/projects?is_domain=true").json()["projects"]}
    assert made["id"] not in {row["id"] for row in api.get(f"{V3}/projects").json()["projects"]}
    assert api.delete(address).status_code == 403
    assert api.patch(address, {"project": {"enabled": False}}).json()["project"]["enabled"] is False
    assert api.delete(address).status_code == 204
    assert not Domain.objects.filter(pk=made["id"]).exists()


def inherit(api, where, actor, role, method="put"):
    return api(method, f"{V3}/OS-INHERIT/{where}/{actor}/roles/{role.pk}/inherited_to_projects").status_code


def test_a_role_handed_down_acts_below_and_not_on_the_place_itself(personas, tree):
    top, middle, leaf = (Project.objects.get(pk=key) for key in tree)
    api, user, role = personas.admin.api, UserFactory(), personas.roles["member"]
    assert inherit(api, f"projects/{top.pk}", f"users/{user.pk}", role) == 204
    assert inherit(api, f"projects/{top.pk}", f"users/{user.pk}", role, "head") == 204
    for project in (middle, leaf):
        token, grant = tokens.issue(user=user, methods=["password"], scope=Scope(project=project))
        assert {row.name for row in grant.roles} == {"member", "reader"}
    with pytest.raises(Unauthorized):
        tokens.issue(user=user, methods=["password"], scope=Scope(project=top))
    assert inherit(api, f"projects/{top.pk}", f"users/{user.pk}", role, "delete") == 204
    with pytest.raises(Unauthorized):
        tokens.validate(token)


def test_a_role_handed_down_from_a_domain_acts_on_all_its_projects_and_no_other(personas, tree):
    api, group, role = personas.admin.api, GroupFactory(), personas.roles["reader"]
    user = UserFactory()
    group.members.add(user)
    elsewhere = Project.objects.create(name="elsewhere", domain=DomainFactory())
    assert inherit(api, "domains/default", f"groups/{group.pk}", role) == 204
    for project in Project.objects.filter(domain_id="default"):
        assert tokens.issue(user=user, methods=["password"], scope=Scope(project=project))[1].roles == [role]
    for scope in (Scope(project=elsewhere), Scope(domain=Domain.objects.get(pk="default"))):
        with pytest.raises(Unauthorized):
            tokens.issue(user=user, methods=["password"], scope=scope)


def assigned(api, query):
    rows = api.get(f"{V3}/role_assignments?{query}").json()["role_assignments"]
    return {(row["user"]["id"], row["role"]["id"], row["scope"].get("project", {}).get("id")) for row in rows}


def test_what_is_held_in_the_end_names_every_way(personas, tree):
    top, middle, leaf = tree
    api, group, roles = personas.admin.api, GroupFactory(), personas.roles
    user = UserFactory()
    group.members.add(user)
    AssignmentFactory(user=None, group=group, role=roles["member"], project_id=top, system=None, inherited=True)
    member, reader = roles["member"].pk, roles["reader"].pk
    assert assigned(api, f"user.id={user.pk}") == set()
    wanted = {(user.pk, role, place) for role in (member, reader) for place in (middle, leaf)}
    assert assigned(api, f"user.id={user.pk}&effective") == wanted
    assert assigned(api, f"effective&scope.project.id={leaf}&role.id={reader}") == {(user.pk, reader, leaf)}
    assert assigned(api, f"effective&include_subtree&scope.project.id={middle}") == wanted
    rows = api.get(f"{V3}/role_assignments?user.id={user.pk}&effective&scope.project.id={leaf}").json()["role_assignments"]
    links = next(row["links"] for row in rows if row["role"]["id"] == reader)
    assert links["assignment"].endswith(f"OS-INHERIT/projects/{top}/groups/{group.pk}/roles/{member}/inherited_to_projects")
    assert links["membership"].endswith(f"/groups/{group.pk}/users/{user.pk}")
    assert links["prior_role"].endswith(f"/roles/{member}/implies/{reader}")
    given = api.get(f"{V3}/role_assignments?scope.OS-INHERIT:inherited_to=projects").json()["role_assignments"]
    assert given[0]["scope"] == {"project": {"id": top}, "OS-INHERIT:inherited_to": "projects"}
    contradictions = ("user.id=x&group.id=y", "scope.system=all&scope.project.id=x", "scope.domain.id=x&scope.project.id=y")
    for query in ("effective&group.id=x", "include_subtree", "scope.OS-INHERIT:inherited_to=domains", *contradictions):
        assert api.get(f"{V3}/role_assignments?{query}").status_code == 400


def test_a_role_on_a_parent_does_not_leak_to_its_children_nor_an_admin_to_another_domain(personas, tree):
    top, _middle, leaf = (Project.objects.get(pk=key) for key in tree)
    boss = UserFactory()
    AssignmentFactory(user=boss, role=personas.roles["admin"], project=top)
    with pytest.raises(Unauthorized):
        tokens.issue(user=boss, methods=["password"], scope=Scope(project=leaf))
    domain, other = DomainFactory(), DomainFactory()
    chief = UserFactory(domain=domain)
    AssignmentFactory(user=chief, role=personas.roles["manager"], domain=domain)
    api = persona(chief, domain=domain).api
    assert api.post(f"{V3}/projects", {"project": {"name": "ours"}}).status_code == 201
    assert api.post(f"{V3}/projects", {"project": {"name": "theirs", "domain_id": other.pk}}).status_code == 403
    assert api.post(f"{V3}/users", {"user": {"name": "theirs", "domain_id": other.pk}}).status_code == 403
