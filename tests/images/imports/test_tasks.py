"""The tasks of imports, and the older way to ask for one."""

import pytest

from images.models import Image
from images.states import ImageStatus, TaskStatus
from tests.images import web
from tests.images.factories import qcow2
from tests.images.imports.steps import DIRECT, ask, work

pytestmark = pytest.mark.django_db


def test_only_operators_use_the_tasks_api(personas, staged):
    ask(personas.member, staged, DIRECT)
    task = work()
    for path in ("/image/v2/tasks", f"/image/v2/tasks/{task.pk}"):
        assert personas.member.api.get(path).status_code == 403
    listed = personas.admin.api.get("/image/v2/tasks?limit=1&type=api_image_import&status=success").json()
    assert [row["id"] for row in listed["tasks"]] == [task.pk]
    assert "input" not in listed["tasks"][0]
    one = personas.admin.api.get(f"/image/v2/tasks/{task.pk}").json()
    assert (one["status"], one["progress"], one["result"]) == ("success", 100, {"image_id": staged.pk})
    assert personas.admin.api.delete(f"/image/v2/tasks/{task.pk}").status_code == 405
    assert personas.admin.api.get("/image/v2/tasks/unknown").status_code == 404
    for query in ("status=odd", "type=odd", "sort_key=odd", "sort_dir=odd", "limit=-1"):
        assert personas.admin.api.get(f"/image/v2/tasks?{query}").status_code == 400


def older(uri):
    properties = {"name": "older", "disk_format": "qcow2", "container_format": "bare"}
    given = {"import_from": uri, "import_from_format": "qcow2", "image_properties": properties}
    return {"type": "import", "input": given}


def test_the_older_task_makes_its_image(personas):
    with web.serving(web.of(qcow2())) as port:
        response = personas.admin.api.post("/image/v2/tasks", older(f"http://127.0.0.1:{port}/"))
        assert response.status_code == 201, response.content
        task = work()
    image = Image.objects.get(pk=task.result["image_id"])
    assert (image.name, image.status) == ("older", ImageStatus.ACTIVE)
    assert task.input["image_properties"]["name"] == "older"


def test_and_takes_it_along_when_it_fails(personas):
    with web.serving(web.of(b"no qcow2 at all")) as port:
        personas.admin.api.post("/image/v2/tasks", older(f"http://127.0.0.1:{port}/"))
        assert work().status == TaskStatus.FAILURE
    assert not Image.objects.present().exists()


@pytest.mark.parametrize(
    "wanted", [[], {}, {"type": "import"}, {"type": "export", "input": {}}, {"type": "import", "input": {}}]
)
def test_a_task_that_makes_no_sense_is_refused(personas, wanted):
    assert personas.admin.api.post("/image/v2/tasks", wanted).status_code == 400
    assert personas.admin.api.post("/image/v2/tasks", older("file:///etc/passwd")).status_code == 400
    assert not Image.objects.exists()
