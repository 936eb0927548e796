"""Imports: from staging, from the web, to more stores, from another image."""

import pytest

from accounts.services import quotas
from images.models import Image, ImageLocation, ImageTask
from images.services.imports import runs
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import put
from tests.accounts.factories import ServiceFactory
from tests.images import web
from tests.images.factories import ActiveImageFactory, ImageFactory, PropertyFactory, qcow2
from tests.images.imports.steps import DIRECT, area, ask, held, shown, work

pytestmark = pytest.mark.django_db


def test_methods_and_stores_are_told(personas):
    api = personas.member.api
    methods = api.get("/image/v2/info/import").json()["import-methods"]["value"]
    assert methods == ["glance-direct", "web-download", "copy-image", "glance-download"]
    assert api.get("/image/v2/info/stores").json()["stores"] == [
        {"id": "memory", "default": "true"},
        {"id": "slow", "description": "cheap"},
        {"id": "web", "read-only": "true"},
    ]
    assert api.get("/image/v2/info/stores/detail").status_code == 403
    detail = personas.admin.api.get("/image/v2/info/stores/detail").json()["stores"]
    assert [(row["type"], row["weight"]) for row in detail] == [("memory", 0), ("memory", -1), ("http", 0)]


def test_what_was_staged_enters_its_store(personas, staged):
    asked = ask(personas.member, staged, DIRECT)
    assert shown(personas.member, staged)["status"] == "importing"

    task = work()

    row = shown(personas.member, staged)
    assert (row["status"], row["size"], row["stores"]) == ("active", 6, "memory")
    assert (row["os_glance_importing_to_stores"], row["os_glance_failed_import"]) == ("", "")
    assert "os_glance_import_task" not in row
    assert held() == {"memory": {staged.pk: b"staged"}, "slow": {}}
    assert area() == []
    listed = personas.member.api.get(f"/image/v2/images/{staged.pk}/tasks").json()["tasks"]
    assert [each["id"] for each in listed] == [task.pk]
    assert listed[0]["status"] == "success"
    assert listed[0]["request_id"] == asked["x-openstack-request-id"]
    assert listed[0]["input"]["import_req"] == DIRECT


def test_an_import_enters_all_stores_that_take_images(personas, staged):
    ask(personas.member, staged, {**DIRECT, "all_stores": True})
    assert shown(personas.member, staged)["os_glance_importing_to_stores"] == "memory,slow"
    work()
    assert shown(personas.member, staged)["stores"] == "memory,slow"
    assert held() == {"memory": {staged.pk: b"staged"}, "slow": {staged.pk: b"staged"}}


def test_the_heaviest_store_comes_first(personas, staged, settings):
    settings.IMAGE_STORES["slow"]["weight"] = 5
    ask(personas.member, staged, {**DIRECT, "all_stores": True})
    work()
    assert shown(personas.member, staged)["stores"] == "slow,memory"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"method": {}}, 400),
        ({"method": "glance-direct"}, 400),
        ({"method": {"name": "by-pigeon"}}, 400),
        ({**DIRECT, "all_stores": "yes"}, 400),
        ({**DIRECT, "all_stores_must_succeed": 1}, 400),
        ({**DIRECT, "all_stores": True, "stores": ["slow"]}, 400),
        ({**DIRECT, "stores": "slow"}, 400),
        ({**DIRECT, "note": "\x00"}, 400),
        ({**DIRECT, "note": [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}, 400),
        ({**DIRECT, "stores": ["moon"]}, 409),
        ({**DIRECT, "stores": ["web"]}, 400),
        ({"method": {"name": "web-download", "uri": "http://example.org/"}}, 409),
        ({"method": {"name": "copy-image"}}, 403),
    ],
)
def test_what_makes_no_sense_is_refused(personas, staged, wanted, status):
    ask(personas.member, staged, wanted, status)
    assert not ImageTask.objects.exists()
    assert shown(personas.member, staged)["status"] == "uploading"


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("reader", 403), ("admin", 202)])
def test_who_may_import(personas, staged, who, status):
    ask(getattr(personas, who), staged, DIRECT, status)


def test_an_image_without_formats_or_bytes_is_not_imported(personas, image):
    ask(personas.member, image, DIRECT, 409)
    ask(personas.member, ActiveImageFactory(owner=personas.lab.pk), DIRECT, 409)
    bare = ImageFactory(owner=personas.lab.pk, disk_format=None)
    ask(personas.member, bare, {"method": {"name": "web-download", "uri": "http://example.org/"}}, 409)


def test_of_two_imports_at_once_one_wins(personas, staged):
    ask(personas.member, staged, DIRECT)
    ask(personas.member, staged, DIRECT, 409)
    assert ImageTask.objects.count() == 1


def test_a_message_that_comes_twice_does_nothing_the_second_time(personas, staged):
    ask(personas.member, staged, DIRECT)
    task = work()
    before = Image.objects.values().get(pk=staged.pk)
    runs.perform(task.pk)
    assert Image.objects.values().get(pk=staged.pk) == before


def test_bytes_that_are_not_what_they_claim_leave_the_image_queued(personas, staged):
    Image.objects.filter(pk=staged.pk).update(disk_format="qcow2")
    ask(personas.member, staged, {**DIRECT, "all_stores": True})
    task = work()
    assert task.status == TaskStatus.FAILURE
    assert "does not match its disk format" in task.message
    row = shown(personas.member, staged)
    assert (row["status"], row["size"], row["os_glance_failed_import"]) == ("queued", None, "memory,slow")
    assert held() == {"memory": {}, "slow": {}}
    assert area() == []


def test_a_store_that_does_not_answer_fails_the_import(personas, staged, broken):
    ask(personas.member, staged, {**DIRECT, "stores": ["memory", "broken"]})
    task = work()
    assert (task.status, task.message) == ("failure", "The image store broken does not answer.")
    assert shown(personas.member, staged)["status"] == "queued"
    assert held()["memory"] == {}
    assert not ImageLocation.objects.exists()


def test_a_store_that_is_away_takes_nothing_else_along(personas, staged, away):
    listed = personas.member.api.get("/image/v2/info/stores").json()["stores"]
    assert {"id": "away"} in listed
    told = personas.admin.api.get("/image/v2/info/stores/detail").json()["stores"]
    assert {"id": "away", "type": "file", "weight": 0, "properties": {}} in told
    ask(personas.member, staged, {**DIRECT, "stores": ["away"]}, status=503)
    ask(personas.member, staged, {**DIRECT, "all_stores": True, "all_stores_must_succeed": False})
    work()
    staged.refresh_from_db()
    assert (staged.status, staged.failed_import) == (ImageStatus.ACTIVE, "away")


def test_or_only_its_own_copy_where_not_all_must_succeed(personas, staged, broken):
    ask(personas.member, staged, {**DIRECT, "stores": ["memory", "broken"], "all_stores_must_succeed": False})
    assert work().status == TaskStatus.SUCCESS
    row = shown(personas.member, staged)
    assert (row["status"], row["stores"], row["os_glance_failed_import"]) == ("active", "memory", "broken")


def from_web(uri, **more):
    return {"method": {"name": "web-download", "uri": uri}, **more}


def test_an_image_comes_from_the_web(personas):
    image = ImageFactory(owner=personas.lab.pk, disk_format="qcow2")
    with web.serving(web.of(qcow2())) as port:
        ask(personas.member, image, from_web(f"http://127.0.0.1:{port}/a.qcow2", all_stores=True))
        assert work().message == ""
    row = shown(personas.member, image)
    assert (row["status"], row["size"], row["virtual_size"]) == ("active", len(qcow2()), 10 << 20)
    assert area() == []


@pytest.mark.parametrize(
    "uri", [None, "", "file:///etc/passwd", "http://u:p@example.org/", "http://169.254.169.254/", "http://0x7f.1/"]
)
def test_an_address_that_leads_inside_is_refused_at_once(personas, image, uri):
    response = ask(personas.member, image, from_web(uri), 400)
    assert "does not pass filtering" in response.content.decode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (web.leading_to("http://169.254.169.254/"), "does not pass filtering"),
        (web.leading_to("/", 404), "status 404"),
        (web.of(b"x", Content_Encoding="gzip"), "compressed"),
    ],
)
def test_a_web_that_gives_nothing_leaves_the_image_queued(personas, image, answer, words):
    with web.serving(answer) as port:
        ask(personas.member, image, from_web(f"http://127.0.0.1:{port}/"))
        task = work()
    assert task.status == TaskStatus.FAILURE
    assert words in task.message
    assert shown(personas.member, image)["status"] == "queued"
    assert area() == []


def test_no_more_is_fetched_than_is_allowed(personas, image, settings):
    settings.IMAGE_MAX_BYTES = 1000

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65536)

    for answer in (web.of(b"x" * 1001), endless):
        with web.serving(answer) as port:
            ask(personas.member, image, from_web(f"http://127.0.0.1:{port}/"))
            task = work()
        assert task.status == TaskStatus.FAILURE
        assert "1000" in task.message
        assert area() == []


def test_an_operator_copies_an_image_to_more_stores(personas):
    image = ActiveImageFactory(owner=personas.lab.pk)
    put(stores.get("memory"), image.pk, image.pk, [b"abc"])
    Image.objects.filter(pk=image.pk).update(os_hash_algo=None)
    ask(personas.member, image, {"method": {"name": "copy-image"}, "all_stores": True}, 403)
    ask(personas.admin, image, {"method": {"name": "copy-image"}, "stores": ["memory"]}, 400)
    ask(personas.admin, image, {"method": {"name": "copy-image"}, "all_stores": True})
    assert shown(personas.member, image)["status"] == "active"
    assert work().status == TaskStatus.SUCCESS
    assert shown(personas.member, image)["stores"] == "memory,slow"
    assert held()["slow"] == {image.pk: b"abc"}
    ask(personas.admin, image, {"method": {"name": "copy-image"}, "all_stores": True})
    assert ImageTask.objects.count() == 1


def test_a_copy_needs_room_for_what_lies_here_alone(personas):
    image = ActiveImageFactory(owner=personas.lab.pk, size=1 << 20, os_hash_algo=None)
    put(stores.get("memory"), image.pk, image.pk, [b"abc"])
    ImageLocation.objects.create(image=image, store="web", address="http://192.0.2.1/elsewhere")
    ServiceFactory(type="image", name="glance")
    quotas.set_limits(personas.lab.pk, {"image_size_total": 2})
    ask(personas.admin, image, {"method": {"name": "copy-image"}, "stores": ["slow"]})
    assert work().message == ""
    assert held()["slow"] == {image.pk: b"abc"}


def test_a_copy_that_is_not_the_original_is_thrown_away(personas):
    image = ActiveImageFactory(owner=personas.lab.pk)
    put(stores.get("memory"), image.pk, image.pk, [b"rot"])
    ask(personas.admin, image, {"method": {"name": "copy-image"}, "stores": ["slow"]})
    assert "not what it was" in work().message
    row = shown(personas.member, image)
    assert (row["status"], row["stores"], row["os_glance_failed_import"]) == ("active", "memory", "slow")
    assert held()["slow"] == {}


def from_image(image_id, region="RegionOne", interface="public"):
    return {
        "method": {
            "name": "glance-download",
            "glance_image_id": image_id,
            "glance_region": region,
            "glance_service_interface": interface,
        }
    }


def test_an_image_comes_from_another_with_what_its_bytes_need(personas):
    source = ActiveImageFactory(owner=personas.lab.pk)
    put(stores.get("memory"), source.pk, source.pk, [b"abc"])
    for name, value in {"hw_cpu_cores": "5", "os_distro": "rhel", "speed": "88mph"}.items():
        PropertyFactory(image=source, name=name, value=value)
    image = ImageFactory(owner=personas.lab.pk, disk_format="iso", container_format="ovf")
    PropertyFactory(image=image, name="hw_cpu_cores", value="1")
    ask(personas.member, image, from_image(source.pk))
    assert work().message == ""
    row = shown(personas.member, image)
    assert (row["status"], row["disk_format"], row["container_format"]) == ("active", "raw", "bare")
    assert (row["hw_cpu_cores"], row["os_distro"], row.get("speed")) == ("5", "rhel", None)


@pytest.mark.parametrize("place", [("elsewhere", "public"), ("RegionOne", "odd")])
def test_an_image_of_nowhere_leaves_the_image_queued(personas, image, place):
    hidden = ActiveImageFactory(owner=personas.other.pk)
    ask(personas.member, image, from_image("foo"), 400)
    for wanted in (from_image(hidden.pk), from_image(hidden.pk, *place)):
        ask(personas.member, image, wanted)
        assert work().status == TaskStatus.FAILURE
        assert shown(personas.member, image)["status"] == "queued"
