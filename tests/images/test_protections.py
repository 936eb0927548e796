"""Protected properties: the operator's file says which roles may do what with which names."""

import json

import pytest

from images.models import ImageProperty
from tests.images.factories import ImageFactory, PropertyFactory
from tests.images.test_api import of, patch

pytestmark = pytest.mark.django_db

RULES = {
    "^bill_": {"create": ["admin"], "read": ["admin", "member"], "update": ["admin"], "delete": ["admin"]},
    "^secret_": {"create": ["admin"], "read": ["admin"], "update": ["admin"], "delete": ["admin"]},
    "^free_": {"create": ["*"], "read": ["*"], "update": ["*"], "delete": ["*"]},
    "_fixed$": {"create": ["member"], "read": ["*"]},
}


@pytest.fixture
def rules(settings, tmp_path):
    """The operator's file."""
    settings.IMAGE_PROTECTED_PROPERTIES = tmp_path / "properties.json"
    settings.IMAGE_PROTECTED_PROPERTIES.write_text(json.dumps(RULES))
    return settings.IMAGE_PROTECTED_PROPERTIES


@pytest.fixture
def image(personas):
    image = ImageFactory(owner=personas.lab.pk)
    for name in ("bill_to", "secret_a", "free_a", "other"):
        PropertyFactory(image=image, name=name, value="1")
    return image


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("reader", {"free_a", "other"}),
        ("member", {"bill_to", "free_a", "other"}),
        ("admin", {"bill_to", "secret_a", "free_a", "other"}),
    ],
)
def test_each_role_sees_what_it_may(personas, rules, image, who, seen):
    person = getattr(personas, who)
    names = {"bill_to", "secret_a", "free_a", "other"}
    assert names & set(person.api.get(of(image)).json()) == seen
    assert names & set(person.api.get("/image/v2/images").json()["images"][0]) == seen
    for name in names:
        assert len(person.api.get(f"/image/v2/images?{name}=1").json()["images"]) == (name in seen)


def test_the_page_of_an_image_shows_no_more(personas, rules, image, client, settings):
    settings.ROOT_URLCONF = "portal.urls"
    page = personas.member.sign_in(client).get(f"/images/{image.pk}/").content.decode()
    assert "bill_to" in page
    assert "secret_a" not in page


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"op": "add", "path": "/free_b", "value": "2"}, 200),
        ({"op": "add", "path": "/other", "value": "2"}, 200),
        ({"op": "remove", "path": "/other"}, 200),
        ({"op": "add", "path": "/a_fixed", "value": "2"}, 200),
        ({"op": "add", "path": "/bill_more", "value": "2"}, 403),
        ({"op": "replace", "path": "/bill_to", "value": "2"}, 403),
        ({"op": "remove", "path": "/bill_to"}, 403),
        ({"op": "add", "path": "/secret_a", "value": "2"}, 403),
        ({"op": "remove", "path": "/secret_a"}, 403),
    ],
)
def test_a_member_changes_what_he_may(personas, rules, image, change, status):
    response = patch(personas.member, image, change)
    assert response.status_code == status
    assert "secret_a" not in response.json()
    assert patch(personas.admin, image, {"op": "replace", "path": "/bill_to", "value": "3"}).status_code == 200
    assert ImageProperty.objects.get(image=image, name="secret_a").value == "1"


def test_what_may_be_made_but_not_changed_stays(personas, rules, image):
    for value, status in (("1", 200), ("2", 403)):
        assert patch(personas.member, image, {"op": "add", "path": "/a_fixed", "value": value}).status_code == status


def test_a_create_with_a_protected_property_is_refused(personas, rules):
    response = personas.member.api.post("/image/v2/images", {"bill_to": "me"})
    assert (response.status_code, response.json()["message"]) == (403, "Property 'bill_to' is protected.")
    assert personas.admin.api.post("/image/v2/images", {"bill_to": "me"}).status_code == 201


def test_a_broken_file_keeps_the_last_good_rules(personas, rules, image):
    assert "secret_a" not in personas.member.api.get(of(image)).json()
    rules.write_text("{")
    assert "secret_a" not in personas.member.api.get(of(image)).json()
    rules.write_text("{}")
    assert "secret_a" in personas.member.api.get(of(image)).json()


@pytest.mark.parametrize("text", ["[]", '{"(": {}}', '{"a": {"read": "admin"}}', '{"a": {"write": ["admin"]}}', "\x00"])
def test_nobody_sees_properties_before_a_broken_file_was_ever_good(personas, rules, image, text):
    rules.write_text(text)
    shape = personas.admin.api.get(of(image)).json()
    assert shape["id"] == image.pk
    assert not {"bill_to", "other"} & set(shape)
