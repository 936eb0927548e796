"""What is done to an image in the background, in the words of a page."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from images.models import Image, ImageTask
from images.services.imports import steering
from images.services.imports.requests import COPY, DIRECT, GLANCE, WEB
from images.states import ImageStatus, TaskStatus, TaskType
from portal.dashboard.kit.words import Status


@dataclass(frozen=True)
class Progress:
    """How far an import is, or why the last one failed. ``percent`` is None while nothing can be counted."""

    busy: bool
    words: str = ""
    percent: int | None = None
    stores: str = ""
    fault: str = ""


def progress_of(image: Image) -> Progress:
    """Return what to show beside the status of an image whose latest task is marked."""
    task = image.latest_task
    if image.import_task_id and task is not None:
        if task.status != TaskStatus.PROCESSING:
            return Progress(True, _("Cancelling") if task.status == TaskStatus.FAILURE else _("Waiting for its turn"))
        return Progress(True, _phase(image, task), task.progress, _stores(image))
    busy = image.status in (ImageStatus.SAVING, ImageStatus.IMPORTING) or image.upload_id is not None
    if (
        not busy
        and task is not None
        and task.status == TaskStatus.FAILURE
        and (steering.can_retry(image) or not image.has_data)
    ):
        said = _(task.message)
        return Progress(False, said) if task.message == steering.CANCELLED else Progress(False, fault=said)
    return Progress(busy)


def _phase(image: Image, task: ImageTask) -> str:
    method = steering.method_of(task)
    if method == COPY:
        return _("Copying")
    if task.type == TaskType.LOCATION_IMPORT:
        return _("Reading the data where it lies")
    targets = len(task.input.get("backend", []))
    if method == DIRECT or (task.progress + 1) * (targets + 1) >= 100:
        return _("Writing")
    if method == WEB:
        return _("Fetching from %(host)s") % {"host": host_of(task)}
    return _("Reading another image")


def _stores(image: Image) -> str:
    return ", ".join((image.importing_to_stores or "").split(",")) if steering.several_stores() else ""


def host_of(task: ImageTask) -> str:
    """Return the machine that an import fetches from; the rest of the address may be nobody else's to know."""
    return urlsplit(str(task.input["import_req"]["method"].get("uri", ""))).hostname or "–"


def title_of(task: ImageTask) -> str:
    """Return what a task does."""
    method = steering.method_of(task)
    if method == WEB:
        return _("Import from %(host)s") % {"host": host_of(task)}
    known = {
        DIRECT: _("Import of the data that was sent"),
        GLANCE: _("Import from another image"),
        COPY: _("Copy to %(stores)s") % {"stores": ", ".join(task.input.get("backend", []))},
    }
    return known.get(method, _("Location added"))


def task_status(task: ImageTask) -> Status:
    """Return a task's status as pages show it."""
    known = {
        TaskStatus.PENDING: Status(_("Waiting"), "clock", "warn"),
        TaskStatus.PROCESSING: Status(_("Running %(percent)d%%") % {"percent": task.progress}, "loader-2", "busy"),
        TaskStatus.SUCCESS: Status(_("Done"), "circle-check", "good"),
        TaskStatus.FAILURE: Status(_("Failed"), "alert-circle", "bad"),
    }
    if task.message == steering.CANCELLED:
        return Status(_("Cancelled"), "ban", "off")
    return known[TaskStatus(task.status)]
