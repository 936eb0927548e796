"""The list of images: who sees which, filters, order, pages, and its number of queries."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from guardian.models import UserObjectPermission

from images import selectors
from images.models import Image
from images.states import Visibility
from portal.core.errors import NotFound
from tests.images.factories import ActiveImageFactory, ImageFactory, MemberFactory, PropertyFactory, TagFactory

pytestmark = pytest.mark.django_db


def get(person, query=""):
    return person.api.get(f"/image/v2/images{query}")


def names(person, query=""):
    response = get(person, query)
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["images"]]


@pytest.fixture
def world(personas):
    """One image of each visibility in each project."""
    for project, whose in ((personas.lab, "lab"), (personas.other, "other")):
        for visibility in Visibility:
            ImageFactory(owner=project.pk, name=f"{whose}-{visibility}", visibility=visibility)


def test_who_sees_which(personas, world):
    own = {f"lab-{visibility}" for visibility in Visibility}
    assert set(names(personas.member)) == own | {"other-public"}
    assert set(names(personas.member, "?visibility=community")) == {"lab-community", "other-community"}
    assert set(names(personas.member, "?visibility=private")) == {"lab-private"}
    assert set(names(personas.member, "?visibility=all")) == own | {"other-public", "other-community"}
    assert len(names(personas.operator, "?visibility=all")) == 8
    assert get(personas.nobody).status_code == 403


def test_grants_on_one_image_are_respected(personas, world):
    image = Image.objects.get(name="lab-private")
    with pytest.raises(NotFound):
        selectors.get_image(personas.stranger.ctx, image.pk)
    permission = Permission.objects.get(codename="view_image", content_type__app_label="images")
    UserObjectPermission.objects.assign_perm(permission, personas.stranger.user, image)
    assert selectors.get_image(personas.stranger.ctx, image.pk) == image
    assert "lab-private" in names(personas.stranger)


@pytest.fixture
def several(personas):
    rows = [
        ("a", "qcow2", 10, "2026-01-01"),
        ("b", "raw", 20, "2026-01-02"),
        ("c,d", "raw", 30, "2026-01-03"),
    ]
    for name, disk_format, size, day in rows:
        when = datetime.fromisoformat(f"{day}T12:00:00.5").replace(tzinfo=UTC)
        ActiveImageFactory(
            owner=personas.lab.pk, name=name, disk_format=disk_format, size=size, created_at=when, updated_at=when
        )
    queued = ImageFactory(owner=personas.lab.pk, name=None, disk_format=None, container_format="ova", protected=True)
    PropertyFactory(image=queued, name="os_distro", value="debian")
    TagFactory(image=queued, name="t1")
    TagFactory(image=queued, name="t2")
    ImageFactory(owner=personas.lab.pk, name="hidden", os_hidden=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [None, "c,d", "b", "a"]),
        ("?name=a", ["a"]),
        ("?name=in:a,b", ["b", "a"]),
        ('?name=in:"c,d",a', ["c,d", "a"]),
        ("?status=queued", [None]),
        ("?status=in:queued,active", [None, "c,d", "b", "a"]),
        ("?disk_format=raw", ["c,d", "b"]),
        ("?container_format=in:ova", [None]),
        ("?size_min=20", ["c,d", "b"]),
        ("?size_min=20&size_max=29", ["b"]),
        ("?tag=t1&tag=t2", [None]),
        ("?tag=t1&tag=t3", []),
        ("?os_hidden=true", ["hidden"]),
        ("?protected=true", [None]),
        ("?os_distro=debian", [None]),
        ("?os_distro=fedora", []),
        ("?created_at=gt:2026-01-02T12:00:00Z&created_at=lt:2026-02-01T00:00:00Z", ["c,d"]),
        ("?created_at=gte:2026-01-02T12:00:00Z&status=active", ["c,d", "b"]),
        ("?created_at=lte:2026-01-02T12:00:00Z", ["b", "a"]),
        ("?created_at=lt:2026-01-02T12:00:00Z", ["a"]),
        ("?created_at=lte:9999-12-31T23:59:59Z&size_min=20", ["c,d", "b"]),
        ("?updated_at=eq:2026-01-02T12:00:00Z", ["b"]),
        ("?updated_at=2026-01-02T12:00:00Z", ["b"]),
        ("?updated_at=neq:2026-01-02T12:00:00Z", [None, "c,d", "a"]),
        ("?name=eq:a", ["a"]),
        ("?name=a:b", []),
        ("?min_ram=0&size=10", ["a"]),
        ("?status=active&disk_format=in:raw,iso&size_max=20", ["b"]),
        ("?created_at=neq:2026-01-02T12:00:00Z&status=active", ["c,d", "a"]),
        ("?owner=nobody", []),
        ("?id=x", []),
        ("?sort=name:asc", [None, "a", "b", "c,d"]),
        ("?sort=disk_format:desc,size:asc", ["b", "c,d", "a", None]),
        ("?sort_key=size&sort_dir=asc", [None, "a", "b", "c,d"]),
        ("?sort_key=disk_format&sort_key=name&sort_dir=asc&sort_dir=desc", [None, "a", "c,d", "b"]),
        ("?limit=2", [None, "c,d"]),
        ("?limit=0", []),
    ],
)
def test_filters_and_order(personas, several, query, expected):
    assert names(personas.member, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=x", "limit=1e9", "marker=unknown", "sort_key=owner_secret", "sort_dir=up", "sort=name:asc&sort_key=id",
        "sort=", "sort_dir=asc&sort_dir=asc", "size_min=x", "size_max=-1", "size_min=99999999999999999999",
        "size_min=00000000000000000000" + "9" * 5000, "created_at=0001-01-01T00:00:00%2B23:59", "updated_at=9999-12-31T23:59:59-01:00",
        "protected=maybe", "os_hidden=2", "visibility=secret", "member_status=odd", "created_at=gt:yesterday", "created_at=foo", "created_at=in:x",
        'name=in:"a', "name=gt:a", "changes-since=2026-01-01T00:00:00Z", "&".join(["tag=x"] * 65), "name=in:", "name=a%00b", "created_at=gt:9999-99-99T00:00:00Z",
        "&".join(f"p{number}=x" for number in range(17)),
    ],
)  # fmt: skip
def test_a_malformed_query_is_refused(personas, query):
    response = get(personas.member, f"?{query}")
    assert response.status_code == 400
    assert response.json()["message"]


@pytest.mark.parametrize(
    "order", ["", "&sort=name:asc", "&sort=size:desc", "&sort_key=disk_format&sort_dir=asc", "&sort=status"]
)
def test_pages_join_to_the_whole(personas, several, order):
    whole = names(personas.member, f"?limit=100{order}")
    paged, query = [], f"?limit=1{order}"
    while query:
        body = get(personas.member, query).json()
        paged += [row["name"] for row in body["images"]]
        assert body["first"].startswith("/v2/images?")
        assert "marker" not in body["first"]
        query = body.get("next", "").removeprefix("/v2/images")
    assert paged == whole


def test_a_foreign_image_is_no_marker(personas, world):
    foreign = Image.objects.get(name="other-private")
    theirs, unknown = get(personas.member, f"?marker={foreign.pk}"), get(personas.member, "?marker=unknown")
    assert theirs.status_code == unknown.status_code == 400
    assert theirs.json()["message"].replace(foreign.pk, "unknown") == unknown.json()["message"]
    assert get(personas.stranger, f"?marker={foreign.pk}").status_code == 200


def test_a_list_says_where_it_stands(personas):
    body = get(personas.member).json()
    assert body == {"images": [], "first": "/v2/images", "schema": "/v2/schemas/images"}


def test_the_number_of_queries_does_not_grow(personas, django_assert_num_queries):
    ctx = personas.member.ctx
    counts = []
    for _round in range(2):
        for _each in range(3):
            row = ActiveImageFactory(owner=personas.other.pk, visibility=Visibility.SHARED)
            MemberFactory(image=row, member=personas.lab.pk, status="accepted")
            PropertyFactory(image=row, name="k", value="v")
            TagFactory(image=row, name="t")
        rows = selectors.images_visible(ctx).with_details()
        from images.api.v2 import shapes

        with django_assert_num_queries(1) as seen:
            found = list(rows)
            sight = shapes.Sight(ctx, found)
            assert len([shapes.image(row, sight) for row in found]) == 3 * (_round + 1)
        counts.append(len(seen))
    assert counts == [1, 1]


def test_a_list_request_has_a_fixed_number_of_queries(personas, django_assert_max_num_queries):
    get(personas.member)
    for _each in range(10):
        PropertyFactory(image=ImageFactory(owner=personas.lab.pk), name="k", value="v")
    with django_assert_max_num_queries(10) as few:
        assert len(names(personas.member)) == 10
    for _each in range(10):
        PropertyFactory(image=ImageFactory(owner=personas.lab.pk), name="k", value="v")
    with django_assert_max_num_queries(len(few)):
        assert len(names(personas.member)) == 20
