"""What lies in a namespace: objects, properties, tags and resource types over the API."""

import json

import pytest

from images.models import MetadefTag
from tests.images.metadefs.factories import (
    AssociationFactory,
    NamespaceFactory,
    ObjectFactory,
    TagFactory,
    full_namespace,
)

pytestmark = pytest.mark.django_db

TIMES = {"created_at", "updated_at"}


@pytest.fixture
def space(personas):
    return full_namespace(owner=personas.lab.pk)


@pytest.fixture
def empty(personas):
    return NamespaceFactory(owner=personas.lab.pk)


@pytest.fixture
def api(personas):
    return personas.admin.api


def of(namespace, rest=""):
    return f"/image/v2/metadefs/namespaces/{namespace}{rest}"


# -- objects ----------------------------------------------------------------------------------------------------------


def test_an_object_is_made_shown_written_anew_and_deleted(api, empty):
    body = {
        "name": "Range",
        "description": "From, to",
        "required": ["low"],
        "properties": {"low": {"title": "L", "type": "number"}},
    }
    made = api.post(of(empty, "/objects"), body)
    assert made.status_code == 201
    assert made.json().items() >= body.items()
    assert made.json()["self"] == f"/v2/metadefs/namespaces/{empty}/objects/Range"
    assert made.json()["schema"] == "/v2/schemas/metadefs/object"
    assert api.get(of(empty, "/objects/Range")).json() == made.json()
    written = api.put(of(empty, "/objects/Range"), {"name": "Span"})
    assert written.status_code == 200
    assert api.get(of(empty, "/objects/Range")).status_code == 404
    shown = api.get(of(empty, "/objects/Span")).json()
    assert (shown["required"], shown["properties"]) == ([], {})
    assert "description" not in shown
    assert api.delete(of(empty, "/objects/Span")).status_code == 204
    assert api.get(of(empty, "/objects")).json() == {"objects": [], "schema": "v2/schemas/metadefs/objects"}


def test_objects_have_pages_and_an_order(api, empty):
    for name in ("a", "c", "b"):
        ObjectFactory(namespace=empty, name=name)
    listed = api.get(of(empty, "/objects?sort_key=name&sort_dir=asc&limit=2")).json()["objects"]
    assert [row["name"] for row in listed] == ["a", "b"]
    listed = api.get(of(empty, "/objects?sort_key=name&sort_dir=asc&limit=2&marker=b")).json()["objects"]
    assert [row["name"] for row in listed] == ["c"]
    assert api.get(of(empty, "/objects?marker=unknown")).status_code == 404


# -- properties -------------------------------------------------------------------------------------------------------


def test_a_property_is_made_shown_written_anew_and_deleted(api, empty):
    body = {
        "name": "mode",
        "title": "Mode",
        "type": "string",
        "description": "How",
        "enum": ["a", "b"],
        "operators": ["<or>"],
        "default": "a",
        "readonly": False,
        "pattern": "^[a-z]$",
        "minLength": 1,
        "maxLength": 9,
    }
    made = api.post(of(empty, "/properties"), body)
    assert (made.status_code, made.json()) == (201, body)
    assert api.get(of(empty, "/properties/mode")).json() == body
    assert api.get(of(empty, "/properties")).json() == {"properties": {"mode": {k: v for k, v in body.items() if k != "name"}}}
    anew = {"name": "kind", "title": "Kind", "type": "array", "items": {"type": "string", "enum": ["a"]}, "uniqueItems": True}
    assert api.put(of(empty, "/properties/mode"), anew).json() == anew
    assert api.get(of(empty, "/properties/mode")).status_code == 404
    assert api.delete(of(empty, "/properties/kind")).status_code == 204
    assert api.get(of(empty, "/properties")).json() == {"properties": {}}


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("low", "", 200),
        ("hw_low", "", 404),
        ("hw_low", "?resource_type=OS::Glance::Image", 200),
        ("low", "?resource_type=OS::Glance::Image", 404),
        ("low", "?resource_type=OS::Nova::Server", 404),
        ("low", "?resource_type=OS::Nova::Flavor", 404),
        ("low", "?resource_type=%00", 400),
        ("%00", "", 404),
    ],
)
def test_a_property_is_shown_under_its_name_on_a_resource_type(api, space, name, query, status):
    AssociationFactory(namespace=space, resource_type__name="OS::Nova::Server")
    answer = api.get(of(space, f"/properties/{name}{query}"))
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["name"] == "low"


# -- tags -------------------------------------------------------------------------------------------------------------


def tags(api, namespace, query="?sort_key=name&sort_dir=asc"):
    return [row["name"] for row in api.get(of(namespace, f"/tags{query}")).json()["tags"]]


def test_a_tag_is_made_shown_renamed_and_deleted(api, empty):
    made = api.post(of(empty, "/tags/red"), None)
    assert made.status_code == 201
    assert set(made.json()) == {"name"} | TIMES
    assert api.get(of(empty, "/tags/red")).json() == made.json()
    assert api.put(of(empty, "/tags/red"), {"name": "blue"}).json()["name"] == "blue"
    assert tags(api, empty) == ["blue"]
    assert api.delete(of(empty, "/tags/blue")).status_code == 204
    assert tags(api, empty) == []


@pytest.mark.parametrize(
    ("append", "expected"), [(None, ["blue"]), ("False", ["blue"]), ("True", ["blue", "red"]), ("1", ["blue", "red"])]
)
def test_several_tags_take_the_place_of_others_unless_appended(api, space, append, expected):
    headers = {"X-Openstack-Append": append} if append else {}
    answer = api.post(of(space, "/tags"), {"tags": [{"name": "blue"}]}, **headers)
    assert (answer.status_code, answer.json()) == (201, {"tags": [{"name": "blue"}]})
    assert tags(api, space) == expected


def test_several_tags_are_written_all_or_none(api, space):
    for body, append in (([{"name": "a"}, {"name": "a"}], "0"), ([{"name": "a"}, {"name": "red"}], "1")):
        answer = api.post(of(space, "/tags"), {"tags": body}, **{"X-Openstack-Append": append})
        said = f"A metadata definition tag with name={body[-1]['name']} already exists in namespace={space}."
        assert (answer.status_code, answer.json()["message"]) == (409, said)
        assert tags(api, space) == ["red"]


def test_many_tags_take_a_fixed_number_of_statements(api, empty, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        assert api.post(of(empty, "/tags"), {"tags": [{"name": f"t{n}"} for n in range(200)]}).status_code == 201


def test_no_tags_leave_those_that_are_there(api, space):
    assert api.post(of(space, "/tags"), {"tags": []}).status_code == 201
    assert tags(api, space) == ["red"]


def test_tags_have_pages_and_an_order(api, empty):
    for name in ("a", "c", "b"):
        TagFactory(namespace=empty, name=name)
    assert tags(api, empty, "") == ["b", "c", "a"]
    assert tags(api, empty, "?limit=2&sort_key=name&sort_dir=asc") == ["a", "b"]
    assert tags(api, empty, "?limit=2&sort_key=name&sort_dir=asc&marker=b") == ["c"]
    assert api.get(of(empty, "/tags?marker=unknown")).status_code == 404


# -- resource types ---------------------------------------------------------------------------------------------------


def test_a_namespace_is_meant_for_resource_types(api, empty):
    body = {"name": "OS::Nova::Server", "prefix": "x:", "properties_target": "metadata"}
    made = api.post(of(empty, "/resource_types"), body)
    assert made.status_code == 201
    assert made.json().items() >= body.items()
    assert set(made.json()) == set(body) | TIMES
    assert api.get(of(empty, "/resource_types")).json() == {"resource_type_associations": [made.json()]}
    assert api.post(of(empty, "/resource_types"), body).status_code == 409
    assert [row["name"] for row in api.get("/image/v2/metadefs/resource_types").json()["resource_types"]] == [body["name"]]
    assert api.delete(of(empty, "/resource_types/OS::Nova::Server")).status_code == 204
    gone = api.delete(of(empty, "/resource_types/OS::Nova::Server"))
    assert gone.status_code == 404
    assert gone.json()["message"] == "Failed to find resource type OS::Nova::Server to delete"
    assert api.get("/image/v2/metadefs/resource_types").json()["resource_types"]


# -- all kinds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("/objects", {"name": "Limits"}),
        ("/properties", {"name": "low", "title": "L", "type": "string"}),
        ("/tags/red", None),
        ("/resource_types", {"name": "OS::Glance::Image"}),
    ],
)
def test_a_name_is_taken_once(api, space, rest, body):
    answer = api.post(of(space, rest), body)
    assert answer.status_code == 409
    assert f"already exists in namespace={space}" in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("objects", {"name": "Limits"}),
        ("properties", {"name": "low", "title": "L", "type": "string"}),
        ("tags", {"name": "red"}),
    ],
)
def test_a_rename_onto_another_is_a_conflict(api, space, kind, body):
    if kind == "tags":
        api.post(of(space, "/tags/other"), None)
    else:
        api.post(of(space, f"/{kind}"), body | {"name": "other"})
    assert api.put(of(space, f"/{kind}/other"), body).status_code == 409
    assert api.get(of(space, f"/{kind}/other")).status_code == 200


@pytest.mark.parametrize(("kind", "left"), [("objects", "objects"), ("properties", "properties"), ("tags", "tags")])
def test_a_namespace_is_emptied_of_one_kind(api, space, kind, left):
    assert api.delete(of(space, f"/{kind}")).status_code == 204
    shown = api.get(of(space)).json()
    assert left not in shown
    assert len({"objects", "properties", "tags"} & set(shown)) == 2
    assert api.delete(of(space, f"/{kind}")).status_code == 204


def test_what_is_not_there_is_not_found(api, space):
    for rest in ("/objects/none", "/properties/none", "/tags/none"):
        for method in ("get", "put", "delete"):
            answer = api(method, of(space, rest), {"name": "x"} if method == "put" else None)
            assert answer.status_code == 404, (method, rest)
            assert "name=none was not found in namespace=" in answer.json()["message"]


BAD = (
    ("post", "/objects", {}, 400),
    ("post", "/objects", {"name": "a/b"}, 400),
    ("post", "/objects", {"name": "x", "properties": {"p": {}}}, 400),
    ("post", "/objects", {"name": "x", "self": "y"}, 403),
    ("put", "/objects/Limits", {"description": "nameless"}, 400),
    ("post", "/properties", {"name": "x", "type": "string"}, 400),
    ("post", "/properties", {"title": "x", "type": "string"}, 400),
    ("post", "/properties", {"name": "x", "title": "x", "type": "wish"}, 400),
    ("post", "/properties", {"name": "x", "title": "x", "type": "string", "created_at": "now"}, 403),
    ("post", "/properties", {"name": "x", "title": "x", "type": "string", "enum": "a"}, 400),
    ("put", "/properties/low", [], 400),
    ("post", "/tags", {}, 400),
    ("post", "/tags", {"tags": [{"name": ""}]}, 400),
    ("post", "/tags", {"tags": [{"name": "x", "colour": "red"}]}, 400),
    ("post", "/tags", {"tags": "red"}, 400),
    ("post", f"/tags/{'x' * 81}", None, 400),
    ("post", "/tags/%00", None, 404),
    ("put", "/tags/red", {"name": 5}, 400),
    ("post", "/resource_types", {"prefix": "hw:"}, 400),
    ("post", "/resource_types", {"name": "x", "prefix": "p" * 81}, 400),
    ("get", "/objects?limit=x", None, 400),
    ("get", "/tags?sort_dir=x", None, 400),
    ("get", "/tags?sort_key=namespace_id", None, 400),
)


def test_what_does_not_fit_the_schema_is_refused(api, space):
    for method, rest, body, status in BAD:
        answer = api(method, of(space, rest), None if body is None else json.dumps(body))
        assert answer.status_code == status, (method, rest, body, answer.content)
        assert answer.json()["message"]
    assert MetadefTag.objects.filter(namespace=space).count() == 1


def test_schemas_are_published(personas):
    names = dict.fromkeys(("namespace", "namespaces", "object", "objects", "property", "properties", "tag", "tags"))
    names |= {"resource_type": "resource_type_association", "resource_types": "resource_type_associations"}
    for name, called in names.items():
        shown = personas.reader.api.get(f"/image/v2/schemas/metadefs/{name}").json()
        assert shown["name"] == (called or name)
        assert shown["properties"]
