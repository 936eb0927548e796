"""Images by the compute API, for older clients."""

from images.models import Image, ImageProperty
from tests.kit.api import Row, check, matrix
from tests.kit.compute import make_image

IMAGES = "/compute/v2.1/images"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def with_properties(image, **properties):
    for name, value in properties.items():
        ImageProperty.objects.create(image=image, name=name, value=value)
    return image


def names(api, query):
    return sorted(image["name"] for image in api.get(f"{IMAGES}?{query}").json()["images"])


def test_images_are_listed_and_shown_until_2_35(personas, cloud):
    path = f"{IMAGES}/{cloud.image.pk}"
    listed = check(personas, *matrix("get", IMAGES, ok=200, stranger=200))[-1].json()["images"]
    assert [set(image) for image in listed] == [{"id", "name", "links"}]
    assert [link["rel"] for link in listed[0]["links"]] == ["self", "bookmark", "alternate"]
    detail = check(personas, *matrix("get", f"{IMAGES}/detail", ok=200, stranger=200))[-1].json()["images"][0]
    assert detail == check(personas, *matrix("get", path, ok=200, stranger=200))[-1].json()["image"]
    assert (detail["status"], detail["progress"], detail["OS-EXT-IMG-SIZE:size"]) == ("ACTIVE", 100, 1024)
    check(
        personas,
        Row("member", "get", f"{IMAGES}/{MADE_UP}", 404, says="Image not found."),
        *(Row("member", "get", each, 404, version="2.36") for each in (IMAGES, f"{IMAGES}/detail", path)),
    )


def test_a_snapshot_names_its_server(personas, cloud):
    image = with_properties(cloud.image, instance_uuid=cloud.server.pk, auto_disk_config="True")
    shown = personas.member.api.get(f"{IMAGES}/{image.pk}").json()["image"]
    assert (shown["server"]["id"], shown["OS-DCF:diskConfig"]) == (cloud.server.pk, "AUTO")
    link = shown["server"]["links"][0]["href"]
    assert names(personas.member.api, f"server={link}") == names(personas.member.api, f"server={cloud.server.pk}") == ["tiny"]
    assert names(personas.member.api, f"server={MADE_UP}") == []


def test_lists_are_narrowed(personas, cloud):
    lab = personas.lab.pk
    with_properties(make_image(owner=lab, name="snap", visibility="private", min_ram=64), image_type="snapshot", os_distro="x")
    make_image(owner=lab, name="empty", status="queued", size=None)
    make_image(owner=personas.other.pk, name="theirs", visibility="private")
    Image.objects.filter(name="tiny").update(updated_at="2001-01-01T00:00:00Z")
    api = personas.member.api
    assert names(api, "") == ["empty", "snap", "tiny"]
    assert names(api, "status=ACTIVE") == ["snap", "tiny"]
    assert names(api, "name=snap") == names(api, "type=snapshot") == names(api, "property-os_distro=x") == ["snap"]
    assert names(api, "minRam=64") == ["snap"]
    assert names(api, "changes-since=2010-01-01T00:00:00Z") == ["empty", "snap"]
    check(
        personas,
        Row("member", "get", f"{IMAGES}?minRam=x", 400),
        Row("member", "get", f"{IMAGES}?minDisk=99999999999", 400),
        Row("member", "get", f"{IMAGES}?changes-since=never", 400),
        Row("member", "get", f"{IMAGES}?marker={MADE_UP}", 400),
        Row("member", "get", f"{IMAGES}?name=%00", 400),
    )
    page = api.get(f"{IMAGES}/detail?limit=2").json()
    rest = api.get(page["images_links"][0]["href"].removeprefix("http://testserver")).json()
    assert sorted(image["name"] for image in page["images"] + rest["images"]) == ["empty", "snap", "tiny"]


def test_an_image_is_deleted(personas, cloud):
    path = f"{IMAGES}/{make_image(owner=personas.lab.pk, visibility='private').pk}"
    check(personas, *matrix("delete", path, ok=204, weak="reader"))
    check(personas, Row("member", "get", path, 404))


def test_properties_are_changed_until_2_38(personas, cloud):
    image = with_properties(make_image(owner=personas.lab.pk, visibility="private"), one="1", two="2")
    path = f"{IMAGES}/{image.pk}/metadata"
    bad = [{}, {"metadata": []}, {"metadata": {"k": 1}}, {"metadata": {"k": "v" * 256}}]

    def now():
        return check(personas, Row("member", "get", path, 200, version="2.38"))[0].json()["metadata"]

    added = check(personas, *matrix("post", path, body={"metadata": {"three": "3"}}, ok=200, weak="reader", malformed=bad))[-1]
    assert added.json()["metadata"] == now() == {"one": "1", "two": "2", "three": "3"}
    check(personas, *matrix("put", path, body={"metadata": {"two": "zwei"}}, ok=200, weak="reader", malformed=bad))
    assert now() == {"two": "zwei"}
    item = f"{path}/one"
    check(
        personas,
        *matrix(
            "put", item, body={"meta": {"one": "1"}}, ok=200, weak="reader", malformed=[{"meta": {"two": "1"}}, {"meta": {}}]
        ),
        *matrix("get", item, ok=200),
        *matrix("delete", item, ok=204, weak="reader"),
        Row("member", "get", item, 404, says="Metadata item was not found"),
        Row("member", "delete", item, 404),
        Row("member", "get", f"{IMAGES}/{MADE_UP}/metadata", 404),
        Row("member", "get", path, 404, version="2.39"),
        Row(
            "member", "post", path, 403, {"metadata": {f"k{n}": "v" for n in range(129)}}, says="Image metadata limit exceeded"
        ),
    )
    assert now() == {"two": "zwei"}
