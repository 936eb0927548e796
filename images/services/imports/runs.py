"""What a task says, done, in the conductor.

Everything that a run writes bears its own id until it is whole, so what a dead run left can be told and thrown away.
"""

import logging
from dataclasses import asdict

from django.db import transaction

from images.models import Image, ImageTask
from images.models.image import new_uuid
from images.services import limits, locations
from images.services.imports import hashing, methods, outcomes, steps
from images.services.imports.copies import copy, reason_of
from images.services.imports.outcomes import Lost
from images.services.imports.pulse import Pulse
from images.services.imports.requests import COPY
from images.services.ingest import Content
from images.states import ImageStatus, TaskType
from images.stores import registry as stores
from images.stores.base import Reader, StoreError
from images.stores.filesystem import FileReader
from portal.core.errors import CloudError

LOG = logging.getLogger(__name__)


class Run:
    """One try at a task: what it works at, and how it tells how far it is."""

    def __init__(self, task: ImageTask, run_id: str) -> None:
        self.task = task
        self.id = run_id
        self.phases = 1
        self.phase = 0
        self.pulse = Pulse(task.pk, run_id)

    @property
    def image(self) -> Image:
        """The image as it is now; raises Lost when it is not this task's any more."""
        found = Image.objects.present().with_details().filter(pk=self.task.image_id, import_task_id=self.task.pk).first()
        if found is None:
            raise Lost
        return found

    def report(self, done: int, total: int) -> None:
        """Note how far the present phase is; raises Lost."""
        percent = int(100 * (self.phase + (done / total if total else 0)) / self.phases)
        self.pulse.progress = min(percent, 99)
        if self.pulse.lost:
            raise Lost

    def change_image(self, **changes: object) -> None:
        """Change the image; raises Lost when it is not this task's any more."""
        if not Image.objects.change_import(str(self.task.image_id), self.task.pk, **changes):
            raise Lost


def perform(task_id: str) -> None:
    """Do a task that waits; one that another run has, or that has ended, is left alone."""
    run_id = new_uuid()
    if not ImageTask.objects.begin(task_id, run_id):
        return
    run = Run(ImageTask.objects.get(pk=task_id), run_id)
    run.pulse.start()
    try:
        _FLOWS[TaskType(run.task.type)](run)
    except Lost:
        LOG.info("Task %s of image %s was taken from its run", task_id, run.task.image_id)
        outcomes.let_go(run.task, run_id)
    except (CloudError, StoreError) as error:
        outcomes.fail(run.task, run_id, reason_of(error))
    except Exception:  # a fault of ours, or a database that is away: the next run may come through
        outcomes.begin_anew_or_fail(run.task, run_id)
        raise
    except BaseException:  # the process is told to end
        outcomes.begin_anew_or_fail(run.task, run_id, blameless=True)
        raise
    finally:
        run.pulse.stop()


def _import(run: Run) -> None:
    method = run.task.input["import_req"]["method"]
    if method["name"] == COPY:
        _copy_image(run)
        return
    targets = list(outcomes.targets_of(run.task))
    run.phases = len(targets) + 1
    methods.obtain(run, method)
    run.phase = 1
    path, disk_format = steps.prepare(run)
    source = FileReader.of(path)
    try:
        _distribute(run, source, targets, disk_format)
    finally:
        source.close()
        stores.staging().discard(run.image.pk, run.id)


def _distribute(run: Run, source: Reader, targets: list[str], disk_format: str) -> None:
    image = run.image
    with transaction.atomic():
        limits.admit_arrived(image.owner, source.size * len(targets), image.pk)
    must = run.task.input["import_req"].get("all_stores_must_succeed", True)
    content, done, failed = _copies(run, source, targets, must=must, disk_format=disk_format)
    if content is None:
        raise StoreError(f"The image could not be written to any of the stores {', '.join(targets)}.")
    with transaction.atomic():
        limits.admit_arrived(image.owner, content.size * len(done), image.pk)
        locations.forget_addresses(image.pk)
        locations.add(image.pk, done)
        changes = asdict(content) | {"disk_format": disk_format, "status": ImageStatus.ACTIVE, "upload_bytes": 0}
        outcomes.succeed(run.task, run.id, **changes, failed_import=",".join(failed))


def _copies(
    run: Run, source: Reader, targets: list[str], must: bool, disk_format: str
) -> tuple[Content | None, list[str], list[str]]:
    """Return what was measured, the stores that have a copy now and those that do not."""
    content: Content | None = None
    done: list[str] = []
    failed: list[str] = []
    for name in targets:
        try:
            content = copy(run.image, source, name, run.id, run.report, disk_format=disk_format)
            done.append(name)
        except StoreError as error:
            LOG.warning("Image %s does not enter store %s: %s", run.task.image_id, name, error)
            if must:
                raise
            failed.append(name)
        run.phase += 1
        waiting = targets[len(done) + len(failed) :]
        run.change_image(importing_to_stores=",".join(waiting), failed_import=",".join(failed))
    return content, done, failed


def _copy_image(run: Run) -> None:
    targets = list(outcomes.targets_of(run.task))
    run.phases = len(targets)
    source = locations.open_reader(run.image)
    try:
        content, done, failed = _copies(run, source, targets, must=False, disk_format=str(run.image.disk_format))
    finally:
        source.close()
    image = run.image
    if content is not None and image.os_hash_algo == content.os_hash_algo and image.os_hash_value != content.os_hash_value:
        raise StoreError("The data of the image is not what it was when it arrived.")
    if failed and run.task.input["import_req"].get("all_stores_must_succeed", True):
        raise StoreError(f"The image could not be copied to {', '.join(failed)}.")
    with transaction.atomic():
        limits.admit_arrived(image.owner, (image.size or 0) * (locations.copies(image) + len(done)), image.pk)
        locations.add(image.pk, done)
        outcomes.succeed(run.task, run.id, failed_import=",".join(failed))


_FLOWS = {
    TaskType.IMPORT: _import,
    TaskType.API_IMAGE_IMPORT: _import,
    TaskType.LOCATION_IMPORT: hashing.take_location,
}
