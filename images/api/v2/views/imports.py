"""Imports and the tasks they make.

Follows the Image API reference, "Interoperable image import" and "Tasks".
"""

from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from images import policies, selectors
from images.api.v2 import shapes
from images.api.v2.views.base import ImageView
from images.models import ImageTask
from images.models.task import TaskQuerySet
from images.services import tasks
from images.services.imports import legacy, requests
from images.states import TaskStatus, TaskType
from portal.core.api import paging
from portal.core.errors import BadRequest, CloudError
from portal.core.policy import authorize

DEFAULT_LIMIT = 25
MAX_LIMIT = 1000
SORT_KEYS = ("created_at", "updated_at", "id", "type", "status")


class NotForTasks(CloudError):
    """Tasks go by themselves."""

    status = 405
    title = "Method Not Allowed"


class ImportImageView(ImageView):
    """POST /v2/images/{image_id}/import"""

    def post(self, request: Request, image_id: str) -> Response:
        if not isinstance(request.data, dict):
            raise BadRequest("Request body must be a JSON object.")
        image = selectors.get_image(self.ctx, image_id)
        requests.ask(ctx=self.ctx, image=image, wanted=request.data, store=request.headers.get("X-Image-Meta-Store"))
        return Response(status=202)


class ImageTasksView(ImageView):
    """GET /v2/images/{image_id}/tasks"""

    def get(self, request: Request, image_id: str) -> Response:
        image = selectors.get_image(self.ctx, image_id)
        authorize(self.ctx, policies.GET_TASKS)
        rows = ImageTask.objects.current().filter(image_id=image.pk)
        return Response({"tasks": [shapes.task(row) for row in rows]})


class TasksView(ImageView):
    """GET and POST /v2/tasks"""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.TASKS_API)
        authorize(self.ctx, policies.GET_TASKS)
        found, more = self._page(_filtered(tasks.visible(self.ctx), request))
        body = {
            "tasks": [shapes.task_stub(row) for row in found],
            "first": _address(request, None),
            "schema": shapes.SCHEMA_TASKS,
        }
        if more:
            body["next"] = _address(request, found[-1].pk)
        return Response(body)

    def post(self, request: Request) -> Response:
        authorize(self.ctx, policies.TASKS_API)
        task = legacy.ask(ctx=self.ctx, wanted=request.data)
        response = Response(shapes.task(task), status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path.rstrip('/')}/{task.pk}")
        return response

    def _page(self, rows: TaskQuerySet) -> tuple[list[ImageTask], bool]:
        params = self.request.query_params
        key, direction = params.get("sort_key", "created_at"), params.get("sort_dir", "desc")
        if key not in SORT_KEYS:
            raise BadRequest(f"Invalid sort key {key[:64]!r}: it must be one of {', '.join(SORT_KEYS)}.")
        if direction not in ("asc", "desc"):
            raise BadRequest(f"Invalid sort direction: {direction[:64]}")
        marker = tasks.get(self.ctx, params["marker"]) if "marker" in params else None
        limit = paging.limit_of(params, MAX_LIMIT) if "limit" in params else DEFAULT_LIMIT
        order = [(key, direction == "desc")] + ([("id", direction == "desc")] if key != "id" else [])
        found = list(paging.after_marker(rows, marker, order)[: limit + 1])
        return found[:limit], limit > 0 and len(found) > limit


class TaskView(ImageView):
    """GET and DELETE /v2/tasks/{task_id}"""

    def get(self, request: Request, task_id: str) -> Response:
        authorize(self.ctx, policies.TASKS_API)
        task = tasks.get(self.ctx, task_id)
        authorize(self.ctx, policies.GET_TASK, task)
        return Response(shapes.task(task))

    def delete(self, request: Request, task_id: str) -> Response:
        authorize(self.ctx, policies.TASKS_API)
        raise NotForTasks("Tasks cannot be deleted: they go by themselves at the time that their expires_at tells.")


def _filtered(rows: TaskQuerySet, request: Request) -> TaskQuerySet:
    for name, words in (("status", TaskStatus), ("type", TaskType)):
        asked = request.query_params.get(name)
        if asked is not None and asked not in list(words):
            raise BadRequest(f"Invalid {name} value: {asked[:64]}")
        if asked is not None:
            rows = rows.filter(**{name: asked})
    return rows


def _address(request: Request, marker: str | None) -> str:
    params: dict[str, Any] = dict(request.query_params.lists())
    params.pop("marker", None)
    if marker:
        params["marker"] = [marker]
    return f"/v2/tasks?{urlencode(params, doseq=True)}" if params else "/v2/tasks"
