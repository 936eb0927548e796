"""Imports on pages: begun by a form, seen while they run, ended, tried again, and copied to more stores."""

import html
from functools import partial

import pytest
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from images.models import Image, ImageTask
from images.services.imports import runs
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import put
from tests.dashboard.test_commands import parse, printed, read_curl
from tests.images import web
from tests.kit.compute import make_image

HTMX = {"HX-Request": "true"}
ADDRESS = "https://example.org/disk.raw"
RUN = "11111111-1111-4111-8111-111111111111"
FIELDS = {"name": "fetched", "disk_format": "raw", "visibility": "private", "min_disk": "0", "min_ram": "0", "file": ""}
commits = partial(TestCase.captureOnCommitCallbacks, execute=True)


@pytest.fixture(autouse=True)
def two_stores(settings):
    """Two stores that take images."""
    memory = "images.stores.memory.MemoryStore"
    settings.IMAGE_DEFAULT_STORE = "memory"
    settings.IMAGE_STORES = {"memory": {"driver": memory}, "slow": {"driver": memory}}
    settings.IMAGE_FETCH = web.rules()
    stores.reset()


@pytest.fixture
def fetched(world, browse):
    """An image whose data the form has asked for."""
    answer = browse("member").post("/images/new/", {**FIELDS, "address": ADDRESS})
    image = Image.objects.get(name="fetched")
    assert answer.url == at(image, "detail")
    return image


def at(image, kind, *name):
    return reverse(f"images:{kind}", args=[image.pk, *name])


def running(image, progress=0):
    """Let a run be at work."""
    task = ImageTask.objects.get(image_id=image.pk)
    assert ImageTask.objects.begin(task.pk, RUN)
    ImageTask.objects.filter(pk=task.pk).update(progress=progress)
    return task


def failed(image, message="The other side went away."):
    ImageTask.objects.filter(image_id=image.pk).update(status=TaskStatus.FAILURE, message=message)
    Image.objects.filter(pk=image.pk).update(status=ImageStatus.QUEUED, import_task_id=None, failed_import="memory")


def test_an_address_makes_the_record_and_begins_its_import(fetched):
    task = ImageTask.objects.get()
    assert (fetched.status, fetched.import_task_id) == ("importing", task.pk)
    assert task.input["import_req"]["method"] == {"name": "web-download", "uri": ADDRESS}


@pytest.mark.parametrize("address", ["ftp://example.org/x", "https://me:secret@example.org/x", "file:///etc/passwd", "x"])
def test_an_address_that_the_api_refuses_stands_on_the_form(world, browse, address):
    answer = browse("member").post("/images/new/", {**FIELDS, "address": address})

    assert answer.status_code == 400
    assert "does not pass filtering" in answer.text
    assert 'value="fetched"' in answer.text
    assert not Image.objects.filter(name="fetched").exists()


def test_a_file_and_an_address_are_too_much(world, browse):
    answer = browse("member", Accept="application/json").post("/images/new/", {**FIELDS, "address": ADDRESS})

    assert (answer.status_code, Image.objects.filter(name="fetched").exists()) == (400, False)
    assert "either a file or an address" in answer.json()["message"]


def test_an_installation_that_fetches_nothing_does_not_offer_it(world, browse, settings):
    settings.IMAGE_IMPORT_METHODS = ["glance-direct"]
    client = browse("member")

    assert 'name="address"' not in client.get("/images/new/").text
    assert client.post("/images/new/", {**FIELDS, "address": ADDRESS}).status_code == 400


def test_a_form_without_a_file_or_an_address_makes_the_record(world, browse):
    assert browse("member").post("/images/new/", {**FIELDS, "address": ""}).status_code == 302
    assert Image.objects.get(name="fetched").status == "queued"


def test_a_reader_is_refused_on_the_form(world, browse):
    answer = browse("reader").post("/images/new/", {**FIELDS, "address": ADDRESS})
    assert (answer.status_code, Image.objects.filter(name="fetched").exists()) == (400, False)


def test_the_commands_follow_the_form(world, browse):
    part = browse("member", **HTMX).post("/images/new/commands/", {**FIELDS, "min_disk": "3", "address": ADDRESS})
    forms = printed(part.text)

    made, imported = forms["openstack"].split("\n\n")
    assert parse(made).min_disk == 3
    assert parse(imported).uri == ADDRESS
    assert [read_curl(each)[3] for each in forms["curl"].split("\n\n")][1]["method"]["uri"] == ADDRESS
    assert "web_download" in forms["terraform"]


def test_the_row_and_the_page_tell_how_far_it_is(fetched, browse):
    client = browse("member", **HTMX)
    assert "Waiting for its turn" in client.get("/images/rows/", {"ids": fetched.pk}).text

    running(fetched, progress=20)
    for answer in (client.get("/images/rows/", {"ids": fetched.pk}), client.get(at(fetched, "live"))):
        assert f'data-busy="{fetched.pk}"' in answer.text
        assert "Fetching from example.org" in answer.text
        assert "to memory" in answer.text
        assert 'aria-valuenow="20"' in answer.text
    ImageTask.objects.update(progress=70)
    assert "Writing" in client.get(at(fetched, "live")).text


def test_an_end_makes_the_page_another_one(world, browse):
    with web.serving(web.of(b"hello")) as port:
        client = browse("member", **HTMX)
        client.post("/images/new/", {**FIELDS, "address": f"http://127.0.0.1:{port}/disk.raw"})
        image = Image.objects.get(name="fetched")
        assert client.get(at(image, "live"))["X-View"] == "import"
        with commits():
            runs.perform(ImageTask.objects.get().pk)
    after = client.get(at(image, "live"))

    assert after["X-View"] == "data"
    assert "Import from 127.0.0.1" in after.text
    assert "data-busy" not in after.text


def test_an_upload_does_not_make_its_page_another_one(world, browse):
    image = make_image(owner=world.people.lab.pk, status="queued", size=None)
    before = browse("member").get(at(image, "live"))["X-View"]
    Image.objects.filter(pk=image.pk).update(status="saving")
    assert browse("member").get(at(image, "live"))["X-View"] == before


def test_cancelling_puts_the_image_back(fetched, browse):
    answer = browse("member", **HTMX).post(at(fetched, "action", "cancel-import"), {"from": "row"})

    assert "Waiting for data" in answer.text
    assert "The import was cancelled." in answer.text
    fetched.refresh_from_db()
    assert fetched.status == "queued"


def test_a_run_at_work_is_shown_as_cancelling_until_it_lets_go(fetched, browse):
    running(fetched)
    client = browse("member", **HTMX)
    answer = client.post(at(fetched, "action", "cancel-import"), {"from": "head"})

    assert answer.text.strip().startswith(f'<section id="head-{fetched.pk}"')
    assert "Cancelling" in answer.text
    assert "It is being cancelled already." in client.get(at(fetched, "why", "cancel-import")).text


def test_a_failure_is_told_and_tried_again(fetched, browse):
    failed(fetched)
    client = browse("member", **HTMX)
    for page in (client.get("/images/").text, client.get(at(fetched, "detail")).text):
        assert "The other side went away." in page
        assert at(fetched, "action", "retry-import") in page

    answer = client.post(at(fetched, "action", "retry-import"), {"from": "head"})

    assert "Waiting for its turn" in answer.text
    assert "went away" not in answer.text
    assert ImageTask.objects.filter(status=TaskStatus.PENDING).count() == 1


def test_an_old_failure_is_silent_once_there_is_data(fetched, browse):
    failed(fetched)
    Image.objects.filter(pk=fetched.pk).update(status="active", size=5, failed_import="")
    assert "The other side went away." not in browse("member").get("/images/").text


def test_a_reader_sees_grey_buttons_with_the_reason(fetched, browse):
    client = browse("reader", **HTMX)
    page = client.get(at(fetched, "detail")).text

    assert at(fetched, "why", "cancel-import") in page
    assert f'formaction="{at(fetched, "action", "cancel-import")}"' not in page
    assert "You are reader in lab." in client.get(at(fetched, "why", "cancel-import")).text
    assert client.post(at(fetched, "action", "cancel-import"), {"from": "dialog"}).status_code == 403
    assert Image.objects.get(pk=fetched.pk).status == "importing"


@pytest.mark.parametrize("name", ["cancel-import", "retry-import", "copy"])
def test_another_projects_image_is_not_there(fetched, browse, name):
    client = browse("stranger", **HTMX)
    for kind in ("action", "why", "command"):
        assert client.get(at(fetched, kind, name)).status_code == 404
    assert client.post(at(fetched, "action", name), {"store": "slow"}).status_code == 404
    assert client.get(at(fetched, "live")).status_code == 404


def stored(world, **fields):
    """Return an image of the project with its data in one store."""
    image = make_image(owner=world.people.lab.pk, name="kept", size=5, disk_format="raw", os_hash_algo=None, **fields)
    put(stores.get("memory"), image.pk, image.pk, [b"hello"])
    image.locations.create(store="memory")
    return image


def test_an_operator_copies_to_another_store(world, browse):
    image = stored(world)
    client = browse("admin", **HTMX)
    asked = client.get(at(image, "action", "copy")).text
    assert '<option value="slow">' in asked
    assert '<option value="memory">' not in asked

    with commits():
        assert client.post(at(image, "action", "copy"), {"from": "dialog", "store": "slow"}).status_code == 204
    assert "Waiting for its turn" in client.get("/images/").text
    with commits():
        runs.perform(ImageTask.objects.get().pk)

    assert stores.get("slow").data == {image.pk: b"hello"}
    assert "Every store has a copy of kept." in client.get(at(image, "why", "copy")).text
    assert "Copy to slow" in client.get(at(image, "detail")).text


@pytest.mark.parametrize("store", ["", "memory", "moon"])
def test_a_store_that_cannot_take_it_is_refused_in_words(world, browse, store):
    image = stored(world)
    answer = browse("admin", **HTMX).post(at(image, "action", "copy"), {"from": "dialog", "store": store})

    assert answer.status_code in (400, 409)
    assert 'class="alert alert-danger"' in answer.text
    assert not ImageTask.objects.exists()


def test_copying_is_grey_for_who_may_not_and_absent_with_one_store(world, browse, settings):
    image = stored(world)
    client = browse("member")
    assert at(image, "why", "copy") in client.get(at(image, "detail")).text

    settings.IMAGE_STORES = {"memory": settings.IMAGE_STORES["memory"]}
    stores.reset()
    assert "actions/copy/" not in client.get(at(image, "detail")).text


@pytest.mark.parametrize(("who", "told"), [("member", False), ("admin", True)])
def test_addresses_of_copies_are_for_operators(world, browse, who, told):
    image = stored(world)
    page = browse(who).get(at(image, "detail")).text

    assert "<dt>memory</dt>" in page
    assert (html.escape(stores.get("memory").url(image.pk)) in page) == told


def test_the_commands_of_the_buttons_are_read(world, fetched, browse):
    failed(fetched)
    client = browse("member", **HTMX)
    again = printed(client.get(at(fetched, "command", "retry-import")).text)
    assert parse(again["openstack"]).uri == ADDRESS
    copied = printed(client.get(at(stored(world), "command", "copy")).text)
    assert parse(copied["openstack"]).stores == ["slow"]
    assert "The API has no call for this." in client.get(at(fetched, "command", "cancel-import")).text


def test_a_list_with_imports_asks_the_database_as_often_as_a_short_one(world, browse):
    def begin(number):
        browse("member").post("/images/new/", {**FIELDS, "name": f"import-{number}", "address": ADDRESS})

    client = browse("member")
    begin(0)
    client.get("/images/")
    with CaptureQueriesContext(connection) as few:
        client.get("/images/")
    for number in range(1, 5):
        begin(number)
    with CaptureQueriesContext(connection) as many:
        client.get("/images/")
    assert len(many) == len(few)


def test_a_store_that_is_away_does_not_take_the_pages_with_it(world, fetched, browse, settings, tmp_path):
    (tmp_path / "file").touch()
    away = {"driver": "images.stores.filesystem.FilesystemStore", "path": str(tmp_path / "file" / "below")}
    settings.IMAGE_STORES = {**settings.IMAGE_STORES, "away": away}
    stores.reset()
    running(fetched)
    client = browse("admin", **HTMX)

    assert client.get("/images/").status_code == 200
    assert client.get(at(fetched, "detail")).status_code == 200
    assert "away" not in client.get(at(stored(world), "action", "copy")).text
