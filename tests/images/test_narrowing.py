"""Lists among many images: whichever way the database goes, the same images come in the same order."""

from datetime import UTC, datetime, timedelta

import pytest

from images.models import Image, ImageMember, ImageProperty, ImageTag
from images.narrowing import FEW

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 2 * FEW + 100


@pytest.fixture
def rows(personas):
    """Many images of the caller, many that are open to him, many that are not; each tenth is another."""
    images = [
        Image(
            name=f"image-{number}",
            owner=personas.lab.pk if number % 2 else personas.other.pk,
            visibility="private" if number % 4 else "public",
            disk_format="iso" if number % 10 == 1 else "raw",
            container_format="bare",
            size=number * 7919 % 10_007,
            protected=number % 100 == 1,
            created_at=BEGIN + timedelta(minutes=number),
            updated_at=BEGIN - timedelta(minutes=number),
        )
        for number in range(MANY)
    ]
    Image.objects.bulk_create(images)
    for image in images:
        word = "rare" if image.protected else "plain"
        image.word = word
    ImageTag.objects.bulk_create(ImageTag(image=image, name=image.word) for image in images)
    ImageProperty.objects.bulk_create(ImageProperty(image=image, name="word", value=image.word * 40) for image in images)
    return images[::-1]


def listed(person, query, limit=1000):
    response = person.api.get(f"/image/v2/images?limit={limit}&{query}")
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["images"]]


FILTERS = {
    "": lambda row: True,
    "name=image-11": lambda row: row.name == "image-11",
    "name=in:image-11,image-12,image-14": lambda row: row.name in ("image-11", "image-12", "image-14"),
    "disk_format=raw": lambda row: row.disk_format == "raw",
    "disk_format=in:raw,iso": lambda row: True,
    "disk_format=iso": lambda row: row.disk_format == "iso",
    "size_min=1": lambda row: row.size >= 1,
    "size_max=99": lambda row: row.size <= 99,
    "protected=true": lambda row: row.protected,
    "protected=false&disk_format=iso": lambda row: not row.protected and row.disk_format == "iso",
    "tag=plain": lambda row: row.word == "plain",
    "tag=rare": lambda row: row.word == "rare",
    "tag=rare&tag=plain": lambda row: False,
    f"word={'plain' * 40}": lambda row: row.word == "plain",
    f"word={'rare' * 40}": lambda row: row.word == "rare",
    f"word={'rare' * 39}": lambda row: False,
    "created_at=gt:2026-01-01T05:00:00Z": lambda row: row.created_at > BEGIN + timedelta(hours=5),
    "created_at=lte:2026-01-01T00:03:00Z": lambda row: row.created_at <= BEGIN + timedelta(minutes=3),
    "updated_at=gt:2025-12-31T23:00:00Z": lambda row: row.updated_at > BEGIN - timedelta(hours=1),
    "updated_at=neq:2026-01-01T00:00:00Z": lambda row: row.updated_at != BEGIN,
}


def test_each_filter_finds_the_same_with_few_and_with_many_images(personas, rows):
    reached = [row for row in rows if row.owner == personas.lab.pk or row.visibility == "public"]
    for query, holds in FILTERS.items():
        assert listed(personas.member, query) == [row.name for row in reached if holds(row)], query
        assert listed(personas.operator, query, limit=3) == [row.name for row in rows if holds(row)][:3], query


def test_pages_with_a_marker_go_on_where_they_ended(personas, rows):
    expected = [
        row.name for row in rows if (row.owner == personas.lab.pk or row.visibility == "public") and row.disk_format == "raw"
    ]
    marker = next(row for row in rows if row.name == expected[99])
    assert listed(personas.member, f"disk_format=raw&marker={marker.pk}", limit=5) == expected[100:105]


def test_whoever_reaches_few_images_gets_these(personas, rows):
    Image.objects.filter(visibility="public").update(visibility="private")
    Image.objects.exclude(owner=personas.lab.pk).update(owner="f" * 32)
    shared = Image.objects.get(name="image-30")
    Image.objects.filter(pk=shared.pk).update(visibility="shared")
    ImageMember.objects.create(image=shared, member=personas.other.pk, status="accepted")
    Image.objects.filter(name__in=["image-31", "image-32"]).update(owner=personas.other.pk)
    assert listed(personas.stranger, "") == ["image-32", "image-31", "image-30"]
    assert listed(personas.stranger, "disk_format=raw") == ["image-32", "image-30"]
    assert listed(personas.stranger, "member_status=pending") == ["image-32", "image-31"]


def test_the_number_of_queries_is_bounded(personas, rows, django_assert_max_num_queries):
    listed(personas.member, "")
    for query in FILTERS:
        with django_assert_max_num_queries(9):
            listed(personas.member, query)
