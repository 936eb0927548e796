"""Images on the operators' site."""

import pytest

from images.models import Image
from images.states import ImageStatus
from tests.images.factories import ActiveImageFactory, ImageFactory, MemberFactory, PropertyFactory, TagFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/images/image/"


@pytest.fixture
def operator(personas, client):
    return personas.admin.sign_in(client)


def test_only_operators_see_images(personas, client):
    assert personas.member.sign_in(client).get(LIST).status_code in (302, 403)


def test_images_are_shown_and_not_edited(operator):
    image = ImageFactory(name="shown")
    PropertyFactory(image=image, name="os_distro", value="<b>debian</b>")
    assert b"shown" in operator.get(LIST).content
    page = operator.get(f"{LIST}{image.pk}/change/")
    assert b"os_distro" in page.content
    assert b"<b>debian" not in page.content
    assert operator.post(f"{LIST}{image.pk}/change/", {"name": "changed"}).status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("word", ["id", "owner", "checksum", "tag", "member", "name"])
def test_images_are_found_by_what_an_operator_knows(operator, word):
    image = ActiveImageFactory(name="wanted-one", owner="a" * 32, checksum="c" * 32)
    TagFactory(image=image, name="red")
    MemberFactory(image=image, member="b" * 32)
    ActiveImageFactory(name="another")
    known = {"id": image.pk, "owner": "a" * 32, "checksum": "c" * 32, "tag": "red", "member": "b" * 32, "name": "wanted"}
    page = operator.get(LIST, {"q": known[word]}).content
    assert b"wanted-one" in page
    assert b"another" not in page


def test_images_are_filtered(operator):
    ActiveImageFactory(name="guarded", protected=True)
    ImageFactory(name="another")
    page = operator.get(LIST, {"protected__exact": "1", "status": "active"}).content
    assert b"guarded" in page
    assert b"another" not in page


@pytest.mark.parametrize(
    ("action", "status", "protected"),
    [
        ("deactivate", ImageStatus.DEACTIVATED, False),
        ("delete_images", ImageStatus.DELETED, False),
        ("delete_images", ImageStatus.ACTIVE, True),
        ("reactivate", ImageStatus.ACTIVE, False),
    ],
)
def test_actions_go_through_services(operator, action, status, protected):
    image = ActiveImageFactory(protected=protected)
    response = operator.post(LIST, {"action": action, "_selected_action": [image.pk]}, follow=True)
    assert response.status_code == 200
    assert Image.objects.get(pk=image.pk).status == status
