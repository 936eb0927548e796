"""Rules of the image service: the engine's answer is Django's answer, and the file may change it."""

import json

import pytest

from images import policies, selectors
from images.models import Image
from images.states import Visibility
from portal.core.policy import allowed, registry
from portal.core.policy.engine import reset
from tests.images.factories import ImageFactory, MemberFactory

pytestmark = pytest.mark.django_db

WITH_PERM = [rule for rule in registry.of("image").values() if rule.perm]


@pytest.fixture
def pictures(personas):
    rows = [ImageFactory(owner=personas.lab.pk, visibility=visibility) for visibility in Visibility]
    shared = ImageFactory(owner=personas.lab.pk, visibility=Visibility.SHARED, name="shared-on")
    MemberFactory(image=shared, member=personas.other.pk)
    return [*rows, shared]


@pytest.mark.parametrize("rule", WITH_PERM, ids=lambda rule: rule.name)
@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin", "stranger", "nobody", "operator"])
def test_a_permission_is_its_rule(personas, pictures, who, rule):
    person = getattr(personas, who)
    for image in pictures:
        selectors.mark_membership(person.ctx, image)
        assert person.user.has_perm(rule.perm, image) == allowed(person.ctx, rule, image), image.visibility


def test_every_permission_is_one_of_the_image_model():
    assert all(rule.perm.startswith("images.") and rule.perm.endswith("_image") for rule in WITH_PERM)


def test_the_policy_file_changes_what_is_allowed(personas, pictures, settings, tmp_path):
    path = tmp_path / "policy.json"
    settings.POLICY_FILES = settings.POLICY_FILES | {"image": path}
    reset()
    try:
        own = Image.objects.filter(visibility=Visibility.PRIVATE).get()
        assert allowed(personas.member.ctx, policies.DELETE_IMAGE, own)
        path.write_text(json.dumps({"delete_image": "role:admin", "publicize_image": ""}))
        assert not allowed(personas.member.ctx, policies.DELETE_IMAGE, own)
        assert personas.member.api.delete(f"/image/v2/images/{own.pk}").status_code == 403
        assert personas.member.api.post("/image/v2/images", {"visibility": "public"}).status_code == 201
    finally:
        reset()
