"""Namespaces of metadata definitions over the API: made whole, shown, listed, written anew, deleted."""

import json

import pytest

from images.models import MetadefNamespace, MetadefProperty, MetadefResourceType
from images.states import NamespaceVisibility
from tests.images.metadefs.factories import AssociationFactory, NamespaceFactory, full_namespace

pytestmark = pytest.mark.django_db

LIST = "/image/v2/metadefs/namespaces"
SPACES = "/v2/metadefs/namespaces"
WHOLE = {
    "namespace": "Our::Limits",
    "display_name": "Limits",
    "description": "What a guest may use",
    "visibility": "public",
    "resource_type_associations": [{"name": "OS::Nova::Flavor", "prefix": "hw:"}],
    "properties": {"low": {"title": "Lowest", "type": "integer", "minimum": 0, "default": 1}},
    "objects": [{"name": "Range", "required": ["low"], "properties": {"low": {"title": "Lowest", "type": "integer"}}}],
    "tags": [{"name": "red"}],
}


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["namespace"] for row in answer.json()["namespaces"]]


def test_a_namespace_is_made_with_all_that_is_in_it(personas):
    answer = personas.admin.api.post(LIST, WHOLE)
    assert answer.status_code == 201
    assert answer["Location"] == f"http://testserver{LIST}/Our::Limits"
    shown = personas.reader.api.get(f"{LIST}/Our::Limits").json()
    assert answer.json() == shown
    assert shown["owner"] == personas.lab.pk
    assert shown["protected"] is False
    assert (shown["self"], shown["schema"]) == (f"{SPACES}/Our::Limits", "/v2/schemas/metadefs/namespace")
    assert shown["properties"] == WHOLE["properties"]
    assert shown["tags"] == WHOLE["tags"]
    assert shown["resource_type_associations"][0].items() >= WHOLE["resource_type_associations"][0].items()
    assert shown["objects"][0].items() >= WHOLE["objects"][0].items()
    assert shown["objects"][0]["self"] == f"{SPACES}/Our::Limits/objects/Range"
    assert shown["created_at"].endswith("Z")


def test_what_is_empty_is_left_out(personas):
    shown = personas.admin.api.post(LIST, {"namespace": "Bare"}).json()
    assert set(shown) == {"namespace", "visibility", "protected", "owner", "self", "schema", "created_at", "updated_at"}
    assert shown["visibility"] == "private"


def test_a_namespace_that_cannot_be_made_whole_is_not_made(personas):
    twice = WHOLE | {"tags": [{"name": "red"}, {"name": "red"}]}
    assert personas.admin.api.post(LIST, twice).status_code == 409
    assert not MetadefNamespace.objects.exists()
    assert not MetadefResourceType.objects.exists()


def test_a_name_is_taken_once(personas):
    assert personas.admin.api.post(LIST, {"namespace": "One"}).status_code == 201
    answer = personas.admin.api.post(LIST, {"namespace": "One"})
    assert answer.status_code == 409
    assert answer.json()["message"] == "The metadata definition namespace=One already exists."
    assert personas.admin.api.post(LIST, {"namespace": "ONE"}).status_code == 201


BAD = (
    [],
    "text",
    {},
    {"namespace": ""},
    {"namespace": 5},
    {"namespace": "a/b"},
    {"namespace": ".."},
    {"namespace": "x\x00"},
    {"namespace": "x\n"},
    {"namespace": "x" * 81},
    {"namespace": "x", "description": "\x00"},
    {"namespace": "x", "description": "d" * 501},
    {"namespace": "x", "visibility": "shared"},
    {"namespace": "x", "protected": "yes"},
    {"namespace": "x", "surprise": 1},
    {"namespace": "x", "owner": "o" * 256},
    {"namespace": "x", "properties": {"p": {"title": "P"}}},
    {"namespace": "x", "properties": {"p": {"title": "P", "type": "wish"}}},
    {"namespace": "x", "properties": {"p": {"title": "P", "type": "string", "surprise": 1}}},
    {"namespace": "x", "properties": {"p": {"title": "P", "type": "string", "minLength": -1}}},
    {"namespace": "x", "properties": {"p" * 81: {"title": "P", "type": "string"}}},
    {"namespace": "x", "properties": {"p": {"title": "P", "type": "integer", "maximum": 10**30}}},
    {"namespace": "x", "properties": {"p": {"title": "P", "type": "array", "default": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}}},
    {"namespace": "x", "objects": [{"description": "nameless"}]},
    {"namespace": "x", "objects": [{"name": "o", "required": ["a", "a"]}]},
    {"namespace": "x", "objects": [{"name": "o" * 81}]},
    {"namespace": "x", "tags": [{}]},
    {"namespace": "x", "tags": [{"name": "t" * 81}]},
    {"namespace": "x", "tags": ["red"]},
    {"namespace": "x", "resource_type_associations": [{"prefix": "hw:"}]},
    {"namespace": "x", "resource_type_associations": [{"name": "n", "prefix": "p" * 81}]},
)


def test_what_does_not_fit_the_schema_is_refused(personas):
    for body in BAD:
        answer = personas.admin.api("post", LIST, json.dumps(body))
        assert answer.status_code == 400, (body, answer.content)
        assert answer.json()["message"]
    assert not MetadefNamespace.objects.exists()


def test_what_the_service_writes_is_read_only(personas):
    for name in ("self", "schema", "created_at", "updated_at"):
        answer = personas.admin.api.post(LIST, {"namespace": "x", name: "y"})
        assert answer.status_code == 403
        assert answer.json()["message"] == f"Attribute '{name}' is read-only."


def test_an_operator_without_a_project_names_the_owner(personas):
    assert personas.operator.api.post(LIST, {"namespace": "x"}).status_code == 400
    answer = personas.operator.api.post(LIST, {"namespace": "x", "owner": personas.lab.pk})
    assert answer.status_code == 201
    assert answer.json()["owner"] == personas.lab.pk


def test_writing_anew_sets_what_is_not_named_to_its_default(personas):
    namespace = full_namespace(owner=personas.lab.pk, visibility="public", description="old", protected=True)
    answer = personas.admin.api.put(f"{LIST}/{namespace}", {"namespace": "Renamed", "display_name": "New"})
    assert answer.status_code == 200
    shown = personas.admin.api.get(f"{LIST}/Renamed").json()
    assert (shown["visibility"], shown["protected"], shown["display_name"]) == ("private", False, "New")
    assert "description" not in shown
    assert set(shown["properties"]) == {"low"}
    assert personas.admin.api.get(f"{LIST}/{namespace}").status_code == 404


def test_a_rename_onto_another_is_a_conflict(personas):
    one, other = NamespaceFactory(owner=personas.lab.pk), NamespaceFactory(owner=personas.lab.pk)
    assert personas.admin.api.put(f"{LIST}/{one}", {"namespace": str(other)}).status_code == 409
    assert personas.admin.api.get(f"{LIST}/{one}").status_code == 200


def test_deleting_takes_all_that_is_in_it(personas):
    namespace = full_namespace(owner=personas.lab.pk)
    assert personas.admin.api.delete(f"{LIST}/{namespace}").status_code == 204
    assert personas.admin.api.get(f"{LIST}/{namespace}").status_code == 404
    assert not MetadefProperty.objects.exists()
    assert MetadefResourceType.objects.exists()


@pytest.mark.parametrize(
    ("rest", "what"),
    [
        ("", "namespace {0}"),
        ("/objects", "namespace {0}"),
        ("/properties", "namespace {0}"),
        ("/tags", "namespace {0}"),
        ("/objects/Limits", "object Limits"),
        ("/properties/low", "property low"),
        ("/tags/red", "tag red"),
        ("/resource_types/OS::Glance::Image", "resource-type-association OS::Glance::Image"),
    ],
)
def test_nothing_in_a_protected_namespace_is_deleted(personas, rest, what):
    namespace = full_namespace(owner=personas.lab.pk, protected=True)
    answer = personas.admin.api.delete(f"{LIST}/{namespace}{rest}")
    assert answer.status_code == 403
    said = f"Metadata definition {what.format(namespace)} is protected and cannot be deleted."
    assert answer.json()["message"] == said
    assert {"objects", "properties", "tags", "resource_type_associations"} <= set(
        personas.admin.api.get(f"{LIST}/{namespace}").json()
    )


def test_keys_bear_the_prefix_of_the_resource_type(personas):
    namespace = full_namespace(owner=personas.lab.pk)
    shown = personas.reader.api.get(f"{LIST}/{namespace}?resource_type=OS::Glance::Image").json()
    assert set(shown["properties"]) == {"hw_low"}
    assert shown["objects"][0]["required"] == ["hw_low"]
    assert set(shown["objects"][0]["properties"]) == {"hw_low"}
    plain = personas.reader.api.get(f"{LIST}/{namespace}?resource_type=OS::Nova::Flavor").json()
    assert set(plain["properties"]) == {"low"}


# -- lists ------------------------------------------------------------------------------------------------------------


def test_a_list_shows_own_and_public_ones(personas):
    own = NamespaceFactory(owner=personas.lab.pk)
    public = NamespaceFactory(visibility=NamespaceVisibility.PUBLIC)
    hidden = NamespaceFactory()
    assert names(personas.reader.api.get(LIST)) == [str(public), str(own)]
    assert names(personas.stranger.api.get(LIST)) == [str(public)]
    assert names(personas.admin.api.get(LIST)) == [str(hidden), str(public), str(own)]
    assert names(personas.reader.api.get(f"{LIST}?visibility=private")) == [str(own)]


def test_a_list_tells_what_each_is_meant_for_and_filters_by_it(personas):
    image, flavor, _neither = (NamespaceFactory(owner=personas.lab.pk) for _each in range(3))
    AssociationFactory(namespace=image, prefix="hw_")
    AssociationFactory(namespace=flavor, resource_type__name="OS::Nova::Flavor")
    AssociationFactory(namespace=flavor, resource_type__name="OS::Nova::Server")
    answer = personas.reader.api.get(f"{LIST}?resource_types=OS::Glance::Image")
    assert names(answer) == [str(image)]
    meant = answer.json()["namespaces"][0]["resource_type_associations"]
    assert [(row["name"], row["prefix"]) for row in meant] == [("OS::Glance::Image", "hw_")]
    asked = "OS::Nova::Flavor,OS::Nova::Server"
    assert names(personas.reader.api.get(f"{LIST}?resource_types={asked}")) == [str(flavor)]
    assert names(personas.reader.api.get(f"{LIST}?resource_types=Nothing")) == []


def test_pages_follow_each_other(personas):
    made = [str(NamespaceFactory(owner=personas.lab.pk)) for _each in range(5)]
    address, seen = f"{LIST}?limit=2&sort_key=namespace&sort_dir=asc&visibility=private", []
    while address:
        answer = personas.reader.api.get(address)
        page = names(answer)
        assert len(page) <= 2
        seen += page
        after = answer.json().get("next")
        assert after is None or after.startswith("/v2/metadefs/namespaces?limit=2")
        address = f"/image{after}" if after else ""
    assert seen == made
    assert answer.json()["first"] == f"{SPACES}?limit=2&sort_key=namespace&sort_dir=asc&visibility=private"


def test_without_a_limit_a_page_has_25(personas):
    for _each in range(26):
        NamespaceFactory(owner=personas.lab.pk)
    answer = personas.reader.api.get(LIST)
    assert len(names(answer)) == 25
    assert answer.json()["next"] == f"{SPACES}?marker={names(answer)[-1].replace('::', '%3A%3A')}"


@pytest.mark.parametrize(
    ("key", "expected"), [("display_name", [1, 2, 0]), ("namespace", [0, 1, 2]), ("created_at", [0, 1, 2])]
)
def test_a_list_is_sorted_by_any_key(personas, key, expected):
    rows = [NamespaceFactory(owner=personas.lab.pk, display_name=name) for name in ("c", "a", "b")]
    wanted = [str(rows[index]) for index in expected]
    assert names(personas.reader.api.get(f"{LIST}?sort_key={key}&sort_dir=asc")) == wanted
    assert names(personas.reader.api.get(f"{LIST}?sort_key={key}&sort_dir=desc")) == wanted[::-1]


def test_a_query_that_cannot_be_read_is_refused(personas):
    for query, status in (
        ("limit=x", 400),
        ("limit=-1", 400),
        ("sort_key=secret", 400),
        ("sort_dir=sideways", 400),
        ("visibility=shared", 400),
        ("marker=unknown", 404),
        ("marker=%00", 400),
        ("resource_types=%00", 400),
        ("limit=0", 200),
    ):
        assert personas.reader.api.get(f"{LIST}?{query}").status_code == status, query


def test_another_projects_private_namespace_is_no_marker(personas):
    assert personas.stranger.api.get(f"{LIST}?marker={NamespaceFactory(owner=personas.lab.pk)}").status_code == 404


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_and_a_namespace_take_a_fixed_number_of_queries(personas, django_assert_max_num_queries, count):
    spaces = [full_namespace(owner=personas.lab.pk) for _each in range(count)]
    api = personas.reader.api
    api.get(LIST)
    with django_assert_max_num_queries(7):
        assert len(names(api.get(LIST))) == count
    with django_assert_max_num_queries(11):
        api.get(f"{LIST}/{spaces[0]}")
