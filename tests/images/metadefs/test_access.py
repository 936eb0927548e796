"""Who gets which answer on metadata definitions: strangers none, readers only what is open to them, members no writing."""

import json

import pytest

from images import metadef_policies as policies
from images import metadef_selectors as selectors
from images.models import MetadefNamespace
from images.states import NamespaceVisibility
from portal.core.policy import allowed
from portal.core.policy.engine import reset
from tests.images.metadefs.factories import NamespaceFactory, full_namespace
from tests.kit.identity import Api

pytestmark = pytest.mark.django_db

BASE = "/image/v2/metadefs"
PROPERTY = {"name": "high", "title": "Highest", "type": "integer"}
READS = [
    "",
    "/objects",
    "/objects/Limits",
    "/properties",
    "/properties/low",
    "/properties/hw_low?resource_type=OS::Glance::Image",
    "/tags",
    "/tags/red",
    "/resource_types",
]
WRITES = [
    ("put", "", {"namespace": "x", "owner": "f" * 32}),
    ("post", "/objects", {"name": "o"}),
    ("put", "/objects/Limits", {"name": "o"}),
    ("delete", "/objects/Limits", None),
    ("delete", "/objects", None),
    ("post", "/properties", PROPERTY),
    ("put", "/properties/low", PROPERTY),
    ("delete", "/properties/low", None),
    ("delete", "/properties", None),
    ("post", "/tags", {"tags": [{"name": "blue"}]}),
    ("post", "/tags/blue", None),
    ("put", "/tags/red", {"name": "blue"}),
    ("delete", "/tags/red", None),
    ("delete", "/tags", None),
    ("post", "/resource_types", {"name": "OS::Nova::Flavor"}),
    ("delete", "/resource_types/OS::Glance::Image", None),
    ("delete", "", None),
]
ALL = [("get", rest, None) for rest in READS] + WRITES


@pytest.fixture
def space(personas):
    return full_namespace(owner=personas.lab.pk)


def of(namespace, rest=""):
    return f"{BASE}/namespaces/{namespace}{rest}"


def test_without_a_token_there_is_nothing(space):
    for path in ("/namespaces", "/resource_types", "/namespaces/" + str(space)):
        for token in (None, "nonsense"):
            assert Api(token).get(BASE + path).status_code == 401
    for method, rest, body in ALL:
        answer = Api()(method, of(space, rest), body)
        assert answer.status_code == 401, (method, rest)
        assert answer.json()["message"]


def test_another_projects_private_namespace_is_not_found(personas, space):
    for method, rest, body in ALL:
        theirs = personas.stranger.api(method, of(space, rest), body)
        unknown = personas.stranger.api(method, of("Unknown", rest), body)
        assert theirs.status_code == unknown.status_code == 404, (method, rest)
        assert theirs.json()["message"].replace(str(space), "Unknown") == unknown.json()["message"]
    assert MetadefNamespace.objects.filter(pk=space.pk).exists()


def test_what_is_public_can_be_read_by_everybody_with_a_role(personas):
    public = full_namespace(visibility=NamespaceVisibility.PUBLIC)
    for rest in READS:
        assert personas.stranger.api.get(of(public, rest)).status_code == 200, rest
        assert personas.nobody.api.get(of(public, rest)).status_code == 404, rest
    for path in ("/namespaces", "/resource_types"):
        assert personas.nobody.api.get(BASE + path).status_code == 403


@pytest.mark.parametrize("who", ["reader", "member", "manager"])
def test_only_operators_write(personas, space, who):
    api = getattr(personas, who).api
    assert api.post(f"{BASE}/namespaces", {"namespace": "x"}).status_code == 403
    for method, rest, body in WRITES:
        answer = api(method, of(space, rest), body)
        assert answer.status_code == 403, (method, rest)
        assert answer.json()["message"].startswith("Policy doesn't allow")


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_operators_write_in_every_project(personas, who):
    for method, rest, body in WRITES:
        space = full_namespace(owner=personas.other.pk)
        answer = getattr(personas, who).api(method, of(space, rest), body)
        assert answer.status_code in (200, 201, 204), (method, rest, answer.content)


def test_other_methods_are_refused(personas):
    for method, path in (("patch", "/namespaces"), ("post", "/resource_types"), ("delete", "/namespaces")):
        assert personas.admin.api(method, BASE + path, {}).status_code == 405


@pytest.mark.parametrize("who", ["reader", "member", "admin", "stranger", "nobody", "operator"])
def test_the_list_agrees_with_the_rule(personas, who):
    rows = [
        NamespaceFactory(owner=owner.pk, visibility=each)
        for owner in (personas.lab, personas.other)
        for each in NamespaceVisibility
    ]
    person = getattr(personas, who)
    seen = set(selectors.namespaces_visible(person.ctx))
    assert seen == {row for row in rows if allowed(person.ctx, policies.GET_NAMESPACE, row)}


def test_the_policy_file_lets_members_write_their_own(personas, space, settings, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"metadef_admin": "rule:context_is_admin or rule:project_member"}))
    settings.POLICY_FILES = settings.POLICY_FILES | {"image": path}
    reset()
    try:
        foreign = full_namespace(visibility=NamespaceVisibility.PUBLIC)
        assert personas.member.api.post(of(space, "/tags/blue"), None).status_code == 201
        assert personas.member.api.post(of(foreign, "/tags/blue"), None).status_code == 403
        assert personas.member.api.post(f"{BASE}/namespaces", {"namespace": "Mine"}).status_code == 201
        theirs = {"namespace": "Theirs", "owner": personas.other.pk}
        assert personas.member.api.post(f"{BASE}/namespaces", theirs).status_code == 403
        assert personas.member.api.put(of("Mine"), theirs).status_code == 403
    finally:
        reset()


def test_even_an_open_rule_does_not_show_another_projects_private_namespace(personas, space, settings, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"get_metadef_namespace": "", "metadef_admin": ""}))
    settings.POLICY_FILES = settings.POLICY_FILES | {"image": path}
    reset()
    try:
        assert personas.stranger.api.get(of(space)).status_code == 404
        theirs = {"namespace": "Theirs", "owner": personas.lab.pk}
        answer = personas.stranger.api.post(f"{BASE}/namespaces", theirs)
        assert answer.status_code == 403
        assert "You are not permitted" in answer.json()["message"]
    finally:
        reset()
