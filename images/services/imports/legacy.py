"""The older way to import: a task that makes its image and fetches the bytes from an address.

Follows the Image API reference, "Create task". If the import fails the image goes with it.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from images.models import ImageTask
from images.services import registry
from images.services.imports import requests
from images.states import TaskType
from images.stores import registry as stores
from portal.core.context import RequestContext
from portal.core.errors import BadRequest


@transaction.atomic
def ask(*, ctx: RequestContext, wanted: Any) -> ImageTask:
    """Make an image and begin the import of its bytes; raises BadRequest for a task of another kind."""
    given, properties = _input(wanted)
    requests.check_address(given["import_from"])
    image = registry.create(ctx=ctx, wanted=properties)
    method = {"name": requests.WEB, "uri": given["import_from"]}
    task = requests.begin(ctx=ctx, image=image, kind=TaskType.IMPORT, wanted={"method": method}, targets=[stores.names()[0]])
    ImageTask.objects.filter(pk=task.pk).update(input={**task.input, **given})
    task.refresh_from_db()
    return task


def _input(wanted: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(wanted, dict):
        raise BadRequest("Request body must be a JSON object.")
    for name in ("type", "input"):
        if name not in wanted:
            raise BadRequest(f"Task '{name}' is required")
    given = wanted["input"]
    if wanted["type"] != TaskType.IMPORT or not isinstance(given, dict):
        raise BadRequest("A task must be of type import and have its input.")
    for name in ("import_from", "import_from_format", "image_properties"):
        if name not in given:
            raise BadRequest(f"Input does not contain '{name}' field")
    if not isinstance(given["image_properties"], dict):
        raise BadRequest("'image_properties' must be an object.")
    unknown = set(given) - {"import_from", "import_from_format", "image_properties"}
    if unknown:
        raise BadRequest(f"Input has a field that is not known: {min(unknown)[:64]}")
    properties = {"disk_format": given["import_from_format"], "container_format": "bare", **given["image_properties"]}
    return given, properties
