"""The conductor's part: a message becomes a run, a run tells that it is alive, and ends with its process."""

import threading

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries, ShutdownNotifications

from images.conductor import actors
from images.models import Image, ImageTask
from images.services import tasks
from images.services.imports import pulse, runs
from images.states import ImageStatus, TaskStatus, TaskType
from images.stores import registry as stores
from images.stores.base import put
from portal.core import broker as brokers
from tests.images.factories import ImageFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker():
    made = StubBroker(middleware=[Retries(max_retries=0), ShutdownNotifications()])
    actors.declare(made)
    yield made
    made.close()


@pytest.fixture
def task():
    """A task that imports six staged bytes."""
    made = ImageTask.objects.create(
        type=TaskType.API_IMAGE_IMPORT, input={"import_req": {"method": {"name": "glance-direct"}}, "backend": ["memory"]}
    )
    image = ImageFactory(owner=None, status=ImageStatus.IMPORTING, import_task_id=made.pk, size=6)
    ImageTask.objects.filter(pk=made.pk).update(image_id=image.pk)
    put(stores.staging(), image.pk, image.pk, [b"staged"])
    return made


def deliver(broker, **payload):
    """Send a message and let a worker take it."""
    brokers.send(broker, tasks.QUEUE, tasks.ACTOR, payload)
    worker = dramatiq.Worker(broker, queues={tasks.QUEUE}, worker_timeout=50, worker_threads=1)
    worker.start()
    try:
        broker.join(tasks.QUEUE, timeout=20_000)
        worker.join()
    finally:
        worker.stop()


def test_a_message_becomes_a_run(broker, task):
    deliver(broker, task_id=task.pk, request_id="req-1")
    task.refresh_from_db()
    assert (task.status, task.tries) == (TaskStatus.SUCCESS, 1)
    assert Image.objects.get().status == ImageStatus.ACTIVE


@pytest.mark.parametrize("payload", [{}, {"task_id": 7, "request_id": "x"}, {"task_id": "x", "request_id": "x", "odd": 1}])
def test_a_message_that_makes_no_sense_is_dropped(broker, task, payload):
    deliver(broker, **payload)
    assert ImageTask.objects.get().status == TaskStatus.PENDING


def test_a_run_tells_that_it_is_alive_and_hears_that_it_is_lost(task, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_S", 0.05)
    heard = threading.Event()

    def slow(run, _method):
        before = ImageTask.objects.get().seen_at
        run.report(1, 2)
        while ImageTask.objects.get().seen_at == before:
            heard.wait(0.05)
        assert ImageTask.objects.get().progress == 25
        ImageTask.objects.cancel(task.pk, "No more.")
        while not heard.wait(0.05):
            run.report(1, 2)

    monkeypatch.setattr(runs.methods, "obtain", slow)
    runs.perform(task.pk)
    row = ImageTask.objects.get()
    assert (row.status, row.message, row.run_id) == (TaskStatus.FAILURE, "No more.", None)
    assert stores.get("memory").data == {}
