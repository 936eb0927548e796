"""Metadata definitions on pages: what is known of a key, and what nobody should see."""

import pytest

from images.models import ImageProperty
from portal.dashboard.images.definitions import values_of
from tests.images.metadefs.factories import AssociationFactory, ObjectFactory, PropertyFactory, full_namespace

pytestmark = pytest.mark.django_db

PAGE = "/images/definitions/"


@pytest.fixture
def space(world):
    space = full_namespace(owner=world.people.lab.pk, namespace="Ours", display_name="Our limits", description="<b>Ours</b>")
    PropertyFactory(
        namespace=space, name="bus", schema={"title": "Bus", "type": "string", "description": "How.", "enum": ["a", "b"]}
    )
    ObjectFactory(namespace=space, name="More", properties={"deep": {"title": "Deep", "type": "boolean"}})
    AssociationFactory(namespace=space, resource_type__name="OS::Nova::Flavor", prefix="hw:")
    return space


def test_the_page_tells_keys_meanings_and_values(browse, space):
    text = browse("reader").get(PAGE).text
    for part in ("Our limits", "&lt;b&gt;Ours", "hw_bus", "How.", "a, b", "hw_low", "0 or more", "hw_deep", "true or false"):
        assert part in text, part
    assert "hw:bus" not in text


def test_another_resource_type_has_its_own_prefix(browse, space):
    text = browse("reader").get(f"{PAGE}?for=OS::Nova::Flavor").text
    assert "hw:bus" in text
    assert "hw_bus" not in text
    assert "Nothing is defined" in browse("reader").get(f"{PAGE}?for=<script>").text


def test_another_projects_private_definitions_are_not_shown(browse, space):
    assert "Our limits" not in browse("stranger").get(PAGE).text


def test_an_image_tells_what_its_properties_mean(browse, world, space):
    for name in ("hw_bus", "free"):
        ImageProperty.objects.create(image=world.image, name=name, value="a")
    text = browse("member").get(f"/images/{world.image.pk}/").text
    assert 'title="How."' in text
    assert ">Bus<" in text
    assert "free" in text


def test_values_are_told_in_words():
    told = {
        "1 to 5": {"type": "integer", "minimum": 1, "maximum": 5},
        "whole number": {"type": "integer"},
        "list": {"type": "array"},
        "text": {"type": None},
    }
    assert {values_of(schema) for schema in told.values()} == set(told)


@pytest.mark.parametrize("count", [1, 12])
def test_the_page_takes_a_fixed_number_of_queries(browse, world, django_assert_max_num_queries, count):
    for _each in range(count):
        full_namespace(owner=world.people.lab.pk)
    here = browse("reader")
    here.get(PAGE)
    with django_assert_max_num_queries(25):
        here.get(PAGE)
