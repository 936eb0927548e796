"""Properties that the operator puts on what people bring in."""

import pytest

from images.services.steps.injection import inject
from tests.images.factories import ImageFactory, PropertyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wanted(settings):
    settings.IMAGE_INJECT_PROPERTIES = {"origin": "import", "hw_disk_bus": "virtio"}
    settings.IMAGE_INJECT_IGNORED_ROLES = ["admin"]


def test_a_members_image_gets_them_over_what_it_said_itself():
    image = ImageFactory()
    PropertyFactory(image=image, name="origin", value="trust me")
    inject(image=image, roles=["member", "reader"])
    assert image.custom == {"origin": "import", "hw_disk_bus": "virtio"}


def test_an_administrators_image_stays_as_it_is():
    image = ImageFactory()
    inject(image=image, roles=["admin", "member"])
    assert image.custom == {}
