"""Images on the operators' site."""

import pytest

from images.models import Image
from images.states import ImageStatus
from tests.images.factories import ActiveImageFactory, ImageFactory, PropertyFactory

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
