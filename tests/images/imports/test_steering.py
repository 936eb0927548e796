"""Steering imports: what runs is ended, what failed is tried again, and neither disturbs the other."""

from types import SimpleNamespace

import pytest

from images.models import Image, ImageTask
from images.services.imports import outcomes, requests, runs, steering, sweeps
from images.states import ImageStatus, TaskStatus
from images.stores import registry as stores
from images.stores.base import put
from portal.core.errors import Conflict, Forbidden
from tests.images import web
from tests.images.factories import ActiveImageFactory, ImageFactory
from tests.images.imports.steps import area, commits, held, work

pytestmark = pytest.mark.django_db
RUN = "11111111-1111-4111-8111-111111111111"
ADDRESS = "http://127.0.0.1:9/disk.raw"


@pytest.fixture
def image(personas):
    return ImageFactory(owner=personas.lab.pk, disk_format="raw", container_format="bare")


def begin(person, image, method, **wanted):
    """Ask for an import and return its task."""
    image.refresh_from_db()
    with commits():
        return requests.ask(ctx=person.ctx, image=image, wanted={"method": method, **wanted})


def begin_web(person, image, uri=ADDRESS, **wanted):
    return begin(person, image, {"name": "web-download", "uri": uri}, **wanted)


def call(service, person, image, **more):
    image.refresh_from_db()
    with commits():
        return service(ctx=person.ctx, image=image, **more)


def at_work(task):
    """Let a run take a task, as the conductor does, without doing anything yet."""
    assert ImageTask.objects.begin(task.pk, RUN)
    return ImageTask.objects.get(pk=task.pk)


def state(image):
    image.refresh_from_db()
    return SimpleNamespace(status=image.status, task=image.import_task_id, size=image.size, held=image.upload_bytes)


def test_what_waits_ends_at_once_and_the_image_is_queued_again(personas, image):
    task = begin_web(personas.member, image)
    call(steering.cancel, personas.member, image)

    task.refresh_from_db()
    assert (task.status, task.message) == (TaskStatus.FAILURE, "The import was cancelled.")
    assert vars(state(image)) == {"status": "queued", "task": None, "size": None, "held": 0}
    runs.perform(task.pk)  # the message comes late
    assert state(image).status == "queued"


def test_what_was_staged_goes_with_a_cancelled_import(personas, image):
    put(stores.staging(), image.pk, image.pk, [b"staged"])
    Image.objects.filter(pk=image.pk).update(status=ImageStatus.UPLOADING, size=6, upload_bytes=6)
    begin(personas.member, image, {"name": "glance-direct"})
    call(steering.cancel, personas.member, image)

    assert area() == []
    assert vars(state(image)) == {"status": "queued", "task": None, "size": None, "held": 0}


def test_a_run_at_work_keeps_the_image_until_it_lets_go(personas, image):
    """Else its last bytes would meet those of a new import."""
    task = at_work(begin_web(personas.member, image))
    put(stores.staging(), image.pk, RUN, [b"half"])
    call(steering.cancel, personas.member, image)

    assert state(image).status == "importing"
    with pytest.raises(Conflict):
        begin_web(personas.member, image)
    with commits():
        outcomes.let_go(task, RUN)
    assert vars(state(image)) == {"status": "queued", "task": None, "size": None, "held": 0}
    assert area() == []


def test_a_cancelled_run_cannot_make_the_image_active(personas, image):
    task = at_work(begin_web(personas.member, image))
    call(steering.cancel, personas.member, image)

    with pytest.raises(outcomes.Lost):
        outcomes.succeed(task, RUN)


def test_a_run_that_fails_after_it_was_cancelled_frees_the_image_too(personas, image):
    task = at_work(begin_web(personas.member, image))
    call(steering.cancel, personas.member, image)
    with commits():
        outcomes.fail(task, RUN, "The other side went away.")

    task.refresh_from_db()
    assert (task.message, task.run_id) == (steering.CANCELLED, None)
    assert state(image).status == "queued"


def test_a_run_that_died_after_it_was_cancelled_is_swept(personas, image):
    at_work(begin_web(personas.member, image))
    call(steering.cancel, personas.member, image)
    ImageTask.objects.update(seen_at="2020-01-01T00:00:00Z")
    with commits():
        sweeps.reclaim()

    assert state(image).status == "queued"
    assert ImageTask.objects.get().status == TaskStatus.FAILURE


def test_a_second_cancel_is_a_conflict(personas, image):
    at_work(begin_web(personas.member, image))
    call(steering.cancel, personas.member, image)
    with pytest.raises(Conflict, match="ended already"):
        call(steering.cancel, personas.member, image)


def test_nothing_runs_so_nothing_ends(personas, image):
    with pytest.raises(Conflict):
        call(steering.cancel, personas.member, image)
    with pytest.raises(Conflict):
        call(steering.retry, personas.member, image)


def test_who_may_not_ask_may_not_end(personas, image):
    begin_web(personas.member, image)
    with pytest.raises(Forbidden):
        call(steering.cancel, personas.reader, image)
    assert state(image).status == "importing"


def test_a_retry_asks_for_the_same_again(personas, image):
    begin_web(personas.member, image, stores=["slow"])
    call(steering.cancel, personas.member, image)
    with web.serving(web.of(b"hello")) as port:
        address = f"http://127.0.0.1:{port}/disk.raw"
        ImageTask.objects.update(input={**ImageTask.objects.get().input, "import_req": {
            "method": {"name": "web-download", "uri": address}, "stores": ["slow"]}})  # fmt: skip
        again = call(steering.retry, personas.member, image)
        assert again.input["import_req"]["method"]["uri"] == address
        work()

    assert state(image).status == "active"
    assert held() == {"memory": {}, "slow": {image.pk: b"hello"}}


def test_what_went_well_is_not_tried_again(personas, image):
    with web.serving(web.of(b"hello")) as port:
        begin_web(personas.member, image, f"http://127.0.0.1:{port}/disk.raw")
        work()
    with pytest.raises(Conflict):
        call(steering.retry, personas.member, image)


def test_a_cancelled_copy_leaves_the_image_as_it_was(personas):
    image = ActiveImageFactory(owner=personas.lab.pk)
    call(steering.copy, personas.admin, image, store="slow")
    with pytest.raises(Forbidden):
        call(steering.cancel, personas.member, image)
    call(steering.cancel, personas.admin, image)

    assert (state(image).status, state(image).task) == ("active", None)
    assert call(steering.retry, personas.admin, image).input["backend"] == ["slow"]


def test_only_stores_without_a_copy_can_take_one(personas):
    image = ActiveImageFactory(owner=personas.lab.pk)
    assert steering.several_stores()
    assert steering.copy_targets(image) == [name for name in ("memory", "slow") if name not in image.store_names]
