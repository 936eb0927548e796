"""Imports asked for and carried out, and what they leave in stores."""

from functools import partial

from django.test import TestCase

from images.models import ImageTask
from images.services.imports import runs
from images.states import TaskStatus
from images.stores import registry as stores
from images.stores.base import StoreError
from images.stores.memory import MemoryStore

commits = partial(TestCase.captureOnCommitCallbacks, execute=True)

DIRECT = {"method": {"name": "glance-direct"}}


class BrokenStore(MemoryStore):
    """A store that does not answer."""

    def writer(self, image_id, upload_id, size=None):
        raise StoreError("The image store broken does not answer.")


def ask(person, image, wanted, status=202):
    with commits():
        response = person.api.post(f"/image/v2/images/{image.pk}/import", wanted)
    assert response.status_code == status, response.content
    return response


def work():
    """Do what the conductor does with every task that waits, and return the last."""
    for task in ImageTask.objects.filter(status=TaskStatus.PENDING):
        with commits():
            runs.perform(task.pk)
    return ImageTask.objects.order_by("created_at").last()


def shown(person, image):
    return person.api.get(f"/image/v2/images/{image.pk}").json()


def held():
    """Return which stores hold which bytes, leftovers included."""
    found = {name: dict(stores.get(name).data) for name in ("memory", "slow")}
    assert [stores.get(name).parts for name in found] == [{}, {}]
    return found


def area():
    return sorted(path.name for path in stores.staging().path.iterdir())
