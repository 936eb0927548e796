"""Images over the API: who gets which answer."""

import json

import pytest

from accounts.services import quotas
from images.models import Image, ImageMember, ImageProperty
from images.services import limits
from images.states import ImageStatus, MemberStatus, Visibility
from images.stores.base import put
from portal.settings.images import METHODS
from tests.accounts.factories import ServiceFactory
from tests.images.factories import ActiveImageFactory, ImageFactory, MemberFactory, PropertyFactory, TagFactory

pytestmark = pytest.mark.django_db

PATCH = "application/openstack-images-v2.1-json-patch"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk, name="mine")


def of(image, rest=""):
    return f"/image/v2/images/{image.pk}{rest}"


def patch(person, image, *changes, media=PATCH):
    return person.api.client.patch(
        of(image), json.dumps(changes), content_type=media, headers={"X-Auth-Token": person.token} if person.token else {}
    )


REQUESTS = [
    ("get", "/image/v2/images", None),
    ("post", "/image/v2/images", {}),
    ("get", "/image/v2/images/{id}", None),
    ("delete", "/image/v2/images/{id}", None),
    ("put", "/image/v2/images/{id}/tags/x", None),
    ("delete", "/image/v2/images/{id}/tags/x", None),
    ("get", "/image/v2/images/{id}/members", None),
    ("post", "/image/v2/images/{id}/members", {"member": "p"}),
    ("get", "/image/v2/images/{id}/members/p", None),
    ("put", "/image/v2/images/{id}/members/p", {"status": "accepted"}),
    ("delete", "/image/v2/images/{id}/members/p", None),
    ("post", "/image/v2/images/{id}/actions/deactivate", None),
    ("post", "/image/v2/images/{id}/actions/reactivate", None),
    ("get", "/image/v2/schemas/image", None),
    ("get", "/image/v2/info/stores", None),
    ("get", "/image/v2/info/usage", None),
    ("get", "/image/v2/info/import", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_nobody_gets_in_without_a_token(personas, image, method, path, body):
    from tests.kit.identity import Api

    for token in (None, "nonsense"):
        response = Api(token)(method, path.format(id=image.pk), body)
        assert response.status_code == 401
        assert response.json()["message"]
        assert response["X-OpenStack-Request-ID"].startswith("req-")


@pytest.mark.parametrize(("method", "path", "body"), [entry for entry in REQUESTS if "{id}" in entry[1]])
def test_another_projects_image_is_not_found(personas, image, method, path, body):
    theirs = personas.stranger.api(method, path.format(id=image.pk), body)
    unknown = personas.stranger.api(method, path.format(id=UNKNOWN), body)
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.json()["message"].replace(image.pk, UNKNOWN) == unknown.json()["message"]


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("delete", "", None),
        ("put", "/tags/x", None),
        ("delete", "/tags/x", None),
        ("post", "/members", {"member": "p"}),
        ("post", "/actions/deactivate", None),
    ],
)
def test_a_reader_only_reads(personas, method, rest, body):
    image = ActiveImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED)
    assert personas.reader.api(method, of(image, rest), body).status_code == 403
    assert patch(personas.reader, image, {"op": "replace", "path": "/name", "value": "x"}).status_code == 403
    assert personas.reader.api.post("/image/v2/images", {"name": "x"}).status_code == 403
    assert personas.reader.api.get(of(image)).status_code == 200


def test_create_shows_the_image(personas):
    body = {
        "name": "a",
        "disk_format": "qcow2",
        "container_format": "bare",
        "tags": ["x", "x"],
        "os_distro": "debian",
        "min_ram": 5,
    }
    response = personas.member.api.post("/image/v2/images", body)
    assert response.status_code == 201
    shape = response.json()
    assert response["Location"] == f"http://testserver/image/v2/images/{shape['id']}"
    assert response["OpenStack-image-store-ids"] == "memory"
    assert response["OpenStack-image-import-methods"] == ",".join(METHODS)
    expected = body | {
        "tags": ["x"],
        "owner": personas.lab.pk,
        "status": "queued",
        "visibility": "shared",
        "size": None,
        "checksum": None,
        "protected": False,
        "os_hidden": False,
        "self": f"/v2/images/{shape['id']}",
        "file": f"/v2/images/{shape['id']}/file",
        "schema": "/v2/schemas/image",
    }
    assert {name: shape[name] for name in expected} == expected
    assert personas.member.api.get(f"/image/v2/images/{shape['id']}").json() == shape


def test_a_client_may_choose_the_id_once(personas):
    body = {"id": UNKNOWN}
    assert personas.member.api.post("/image/v2/images", body).json()["id"] == UNKNOWN
    assert personas.member.api.post("/image/v2/images", body).status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"name": 1}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "a\0b"}, 400),
        ({"id": "../../etc/passwd"}, 400),
        ({"disk_format": "floppy"}, 400),
        ({"container_format": "box"}, 400),
        ({"disk_format": "aki", "container_format": "bare"}, 400),
        ({"min_ram": -1}, 400),
        ({"min_ram": 2**31}, 400),
        ({"min_disk": True}, 400),
        ({"protected": "yes"}, 400),
        ({"visibility": "secret"}, 400),
        ({"tags": "x"}, 400),
        ({"tags": ["x" * 256]}, 400),
        ({"custom": 1}, 400),
        ({"custom": None}, 400),
        ({"kernel_id": "../../etc/passwd"}, 400),
        ({"ramdisk_id": ""}, 400),
        ({"x" * 256: "v"}, 400),
        ({f"p{number}": "v" for number in range(129)}, 413),
        ({"tags": [f"t{number}" for number in range(129)]}, 413),
        ({"status": "active"}, 403),
        ({"checksum": "0" * 32}, 403),
        ({"size": 1}, 403),
        ({"os_hash_value": "0"}, 403),
        ({"locations": []}, 403),
        ({"os_glance_import_task": "x"}, 403),
        ({"deleted": "x"}, 403),
        ({"store": "x"}, 403),
        ({"owner": "someone else"}, 403),
        ({"owner": None}, 403),
        ({"visibility": "public"}, 403),
    ],
)
def test_a_create_that_is_refused(personas, body, status):
    response = personas.member.api.post("/image/v2/images", body)
    assert response.status_code == status
    assert response.json()["message"]
    assert not Image.objects.exists()


def test_broken_json_is_refused(personas):
    for body in ("{", '{"a":' * 5000, b"\xff"):
        response = personas.member.api.client.post(
            "/image/v2/images", body, content_type="application/json", headers={"X-Auth-Token": personas.member.token}
        )
        assert response.status_code == 400


def test_an_operator_creates_for_others_and_for_all(personas):
    response = personas.admin.api.post("/image/v2/images", {"owner": personas.other.pk, "visibility": "public"})
    assert response.status_code == 201
    assert response.json()["owner"] == personas.other.pk


def test_the_number_of_images_is_limited(personas):
    ServiceFactory(type="image")
    quotas.set_limits(personas.lab.pk, {limits.IMAGES: 1})
    assert personas.member.api.post("/image/v2/images", {}).status_code == 201
    assert personas.member.api.post("/image/v2/images", {}).status_code == 413


def test_patch_changes_fields_properties_and_tags(personas, image):
    PropertyFactory(image=image, name="old", value="1")
    PropertyFactory(image=image, name="a/b", value="1")
    response = patch(
        personas.member,
        image,
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "add", "path": "/kernel_id", "value": UNKNOWN},
        {"op": "remove", "path": "/old"},
        {"op": "replace", "path": "/a~1b", "value": "2"},
        {"op": "replace", "path": "/tags", "value": ["b", "a"]},
        {"op": "replace", "path": "/os_hidden", "value": True},
        {"op": "replace", "path": "/visibility", "value": "community"},
    )
    assert response.status_code == 200
    shape = response.json()
    assert (shape["name"], shape["kernel_id"], shape["a/b"], shape["tags"]) == ("new", UNKNOWN, "2", ["a", "b"])
    assert "old" not in shape
    assert shape["os_hidden"] is True
    assert shape["visibility"] == "community"


def test_the_older_patch_form_is_understood(personas, image):
    response = patch(
        personas.member, image, {"replace": "/name", "value": "new"}, media="application/openstack-images-v2.0-json-patch"
    )
    assert response.json()["name"] == "new"


def test_the_older_patch_form_adds_only_what_is_not_there(personas, image):
    PropertyFactory(image=image, name="old", value="1")
    media = "application/openstack-images-v2.0-json-patch"
    for name, status in (("old", 409), ("name", 409), ("more", 200)):
        assert patch(personas.member, image, {"add": f"/{name}", "value": "2"}, media=media).status_code == status
    assert patch(personas.member, image, {"op": "add", "path": "/old", "value": "2"}).json()["old"] == "2"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"op": "replace", "path": "/missing", "value": "x"}, 409),
        ({"op": "remove", "path": "/missing"}, 409),
        ({"op": "remove", "path": "/name"}, 403),
        ({"op": "remove", "path": "/tags"}, 403),
        ({"op": "move", "path": "/a", "from": "/b"}, 400),
        ({"op": "add", "path": "/a"}, 400),
        ({"op": "add", "path": "a", "value": "x"}, 400),
        ({"op": "add", "path": "/a/b", "value": "x"}, 400),
        ({"op": "add", "path": "/a~2", "value": "x"}, 400),
        ({"op": "add", "path": "/", "value": "x"}, 400),
        ({"op": "add", "path": 3, "value": "x"}, 400),
        ({"op": "add", "path": "/a", "value": 3}, 400),
        ({"op": "add", "path": "/kernel_id", "value": "kernel"}, 400),
        ("x", 400),
        ({"op": "replace", "path": "/id", "value": UNKNOWN}, 403),
        ({"op": "replace", "path": "/owner", "value": "other"}, 403),
        ({"op": "replace", "path": "/visibility", "value": "public"}, 403),
        ({"op": "replace", "path": "/checksum", "value": "0"}, 403),
        ({"op": "replace", "path": "/status", "value": "active"}, 403),
        ({"op": "add", "path": "/os_glance_x", "value": "0"}, 403),
        ({"op": "add", "path": "/locations/-", "value": "file:///etc/shadow"}, 403),
        ({"op": "replace", "path": "/locations", "value": []}, 403),
    ],
)
def test_a_patch_that_is_refused_changes_nothing(personas, image, change, status):
    response = patch(personas.member, image, {"op": "add", "path": "/other", "value": "x"}, change)
    assert response.status_code == status
    assert not ImageProperty.objects.exists()


def test_formats_are_settled_once_data_is_there(personas):
    image = ActiveImageFactory(owner=personas.lab.pk)
    assert patch(personas.member, image, {"op": "replace", "path": "/disk_format", "value": "qcow2"}).status_code == 403


def test_patch_needs_its_media_type(personas, image):
    response = patch(personas.member, image, media="application/json")
    assert response.status_code == 415
    assert response["Accept-Patch"].split(", ") == [PATCH, "application/openstack-images-v2.0-json-patch"]
    assert patch(personas.stranger, image).status_code == 404


def test_delete_removes_record_and_data(personas, store, django_capture_on_commit_callbacks):
    image = ActiveImageFactory(owner=personas.lab.pk)
    put(store, image.pk, UNKNOWN, [b"abc"])
    with django_capture_on_commit_callbacks(execute=True):
        assert personas.member.api.delete(of(image)).status_code == 204
    assert store.data == {}
    assert Image.objects.get().status == ImageStatus.DELETED
    assert personas.member.api.get(of(image)).status_code == 404
    assert personas.member.api.delete(of(image)).status_code == 404


def test_a_protected_image_stays(personas):
    image = ImageFactory(owner=personas.lab.pk, protected=True)
    assert personas.admin.api.delete(of(image)).status_code == 403
    assert personas.member.api.get(of(image)).status_code == 200


def test_deactivate_and_reactivate(personas, image):
    assert personas.member.api.post(of(image, "/actions/deactivate"), None).status_code == 403
    active = ActiveImageFactory(owner=personas.lab.pk)
    for word, status in (("deactivate", "deactivated"), ("deactivate", "deactivated"), ("reactivate", "active")):
        assert personas.member.api.post(of(active, f"/actions/{word}"), None).status_code == 204
        assert personas.member.api.get(of(active)).json()["status"] == status


def test_tags(personas, image):
    for _twice in range(2):
        assert personas.member.api.put(of(image, "/tags/blue")).status_code == 204
    assert personas.member.api.get(of(image)).json()["tags"] == ["blue"]
    assert personas.member.api.delete(of(image, "/tags/blue")).status_code == 204
    assert personas.member.api.delete(of(image, "/tags/blue")).status_code == 404
    assert personas.member.api.put(of(image, f"/tags/{'x' * 256}")).status_code == 400
    for number in range(128):
        TagFactory(image=image, name=f"t{number}")
    assert personas.member.api.put(of(image, "/tags/more")).status_code == 413


def test_a_file_address_has_no_other_methods(personas, image):
    for part, allowed in (("/file", {"GET", "PUT", "DELETE"}), ("/stage", {"PUT"})):
        response = personas.member.api.post(of(image, part), {})
        assert response.status_code == 405
        assert allowed <= set(response["Allow"].split(", "))


@pytest.mark.parametrize(("method", "part"), [("get", "file"), ("put", "file"), ("delete", "file"), ("put", "stage")])
def test_what_is_no_id_has_no_data(personas, method, part):
    assert personas.member.api(method, f"/image/v2/images/x/{part}").status_code == 404
    assert personas.member.api(method, f"/image/v2/images/x%00/{part}").status_code == 404


def test_a_create_without_a_body_is_refused(personas):
    person, media = personas.member, "application/json"
    response = person.api.client.post("/image/v2/images", "", content_type=media, headers={"X-Auth-Token": person.token})
    assert response.status_code == 400
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "images/%00", 404),
        ("delete", "images/%00", 404),
        ("post", "images/%00/import", 404),
        ("put", "images/{id}/tags/%00", 404),
        ("delete", "images/{id}/tags/%00", 404),
        ("delete", "stores/memory/%00", 404),
        ("get", "tasks/%00", 404),
        ("get", "tasks?marker=%00", 400),
        ("get", "images?marker=%00", 400),
        ("get", "images?owner=%00", 400),
        ("get", "images?%00=1", 400),
    ],
)
def test_a_null_character_is_in_no_address(personas, image, method, path, status):
    """PostgreSQL takes none in a question."""
    assert personas.admin.api(method, "/image/v2/" + path.format(id=image.pk), {}).status_code == status


def test_an_owner_is_no_longer_than_its_column(personas):
    assert personas.admin.api.post("/image/v2/images", {"owner": "o" * 64}).status_code == 201
    assert personas.admin.api.post("/image/v2/images", {"owner": "o" * 65}).status_code == 400


def test_versions_and_services(personas, client):
    response = client.get("/image/")
    assert response.status_code == 300
    first = response.json()["versions"][0]
    assert first["status"] == "CURRENT"
    assert first["links"] == [{"rel": "self", "href": "http://testserver/image/v2/"}]
    assert client.get("/image").status_code == 300
    assert client.get("/image/versions").json() == client.get("/image/v2/").json() == response.json()
    assert personas.reader.api.get("/image/v2/info/stores").json() == {"stores": [{"id": "memory", "default": "true"}]}
    assert personas.reader.api.get("/image/v2/info/stores/detail").status_code == 403
    assert personas.admin.api.get("/image/v2/info/stores/detail").json()["stores"][0]["type"] == "memory"
    assert personas.reader.api.get("/image/v2/info/import").json()["import-methods"]["value"] == METHODS
    for name in ("image", "images", "member", "members"):
        assert personas.reader.api.get(f"/image/v2/schemas/{name}").json()["name"] == name


@pytest.mark.parametrize("path", ["/image/nothing", "/image/v1/images", "/image/v2/nothing", "/image/v2/images/x/nothing"])
def test_an_address_that_is_none_is_a_fault_of_this_service(personas, client, path):
    assert client.get(path).status_code == 401
    for method in ("get", "post", "delete"):
        answer = getattr(personas.reader.api, method)(path, **({"body": {}} if method == "post" else {}))
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert "could not be found" in answer.json()["message"]


def test_a_project_sees_what_it_takes_of_its_quotas(personas, image):
    ServiceFactory(type="image")
    quotas.set_limits(personas.lab.pk, {limits.IMAGES: 5})
    ImageFactory(owner="somebody else")
    usage = personas.reader.api.get("/image/v2/info/usage").json()["usage"]
    assert usage.pop(limits.IMAGES) == {"usage": 1, "limit": 5}
    assert {name: row["usage"] for name, row in usage.items()} == {
        limits.UPLOADS: 0,
        limits.TOTAL_MIB: 0,
        limits.STAGED_MIB: 0,
    }


def test_sharing_from_end_to_end(personas):
    image = ImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED)
    other = personas.other.pk
    members = of(image, "/members")
    assert personas.stranger.api.get(of(image)).status_code == 404
    response = personas.member.api.post(members, {"member": other})
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    assert personas.member.api.post(members, {"member": other}).status_code == 409
    assert personas.member.api.post(members, {"person": other}).status_code == 400
    assert personas.member.api.put(f"{members}/{other}", {"status": "accepted"}).status_code == 403
    assert personas.stranger.api.get(of(image)).status_code == 200
    assert listed(personas.stranger) == []
    assert listed(personas.stranger, "?member_status=pending") == [image.name]
    assert personas.stranger.api.put(f"{members}/{other}", {"status": "maybe"}).status_code == 400
    response = personas.stranger.api.put(f"{members}/{other}", {"status": "accepted"})
    assert (response.status_code, response.json()["status"]) == (200, "accepted")
    assert response.json()["schema"] == "/v2/schemas/member"
    assert listed(personas.stranger) == [image.name]
    assert personas.stranger.api.delete(of(image)).status_code == 403
    assert personas.stranger.api.delete(f"{members}/{other}").status_code == 403
    assert patch(personas.stranger, image, {"op": "add", "path": "/a", "value": "b"}).status_code == 403
    assert personas.stranger.api.post(members, {"member": "more"}).status_code == 403
    assert personas.member.api.delete(f"{members}/{other}").status_code == 204
    assert personas.member.api.delete(f"{members}/{other}").status_code == 404
    assert personas.stranger.api.get(of(image)).status_code == 404


def test_a_member_sees_only_itself_among_members(personas):
    image = ImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED)
    MemberFactory(image=image, member=personas.other.pk)
    MemberFactory(image=image, member="third")
    seen = [row["member_id"] for row in personas.stranger.api.get(of(image, "/members")).json()["members"]]
    assert seen == [personas.other.pk]
    assert personas.stranger.api.get(of(image, "/members/third")).status_code == 404
    assert personas.stranger.api.put(of(image, "/members/third"), {"status": "accepted"}).status_code == 404
    assert len(personas.member.api.get(of(image, "/members")).json()["members"]) == 2
    assert personas.reader.api.get(of(image, "/members/third")).json()["status"] == MemberStatus.PENDING


def test_only_shared_images_have_members(personas, image):
    MemberFactory(image=image, member=personas.other.pk)
    assert personas.member.api.get(of(image, "/members")).status_code == 403
    assert personas.member.api.post(of(image, "/members"), {"member": "p"}).status_code == 403
    assert personas.stranger.api.get(of(image)).status_code == 404


def test_members_stay_behind_when_an_image_is_shared_no_more(personas):
    image = ImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED)
    MemberFactory(image=image, member=personas.other.pk, status=MemberStatus.ACCEPTED)
    member = of(image, f"/members/{personas.other.pk}")
    assert listed(personas.stranger) == [image.name]
    for visibility, seen in (("private", 404), ("community", 200), ("shared", 200)):
        assert patch(personas.member, image, {"op": "replace", "path": "/visibility", "value": visibility}).status_code == 200
        assert personas.stranger.api.get(of(image)).status_code == seen
        assert personas.member.api.get(member).status_code == (200 if visibility == "shared" else 404)
        assert personas.member.api.delete(of(image, "/members/x")).status_code == (404 if visibility == "shared" else 403)
    assert listed(personas.stranger) == [image.name]


def test_the_number_of_members_is_limited(personas):
    image = ImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED)
    ImageMember.objects.bulk_create(ImageMember(image=image, member=f"p{number}") for number in range(128))
    assert personas.member.api.post(of(image, "/members"), {"member": "one-more"}).status_code == 413


def listed(person, query=""):
    return [row["name"] for row in person.api.get(f"/image/v2/images{query}").json()["images"]]
