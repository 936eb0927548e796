"""Imports whose image is deleted, that die, are killed or forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from images.models import ImageLocation, ImageTask
from images.services import registry as images
from images.services import tasks
from images.services.imports import outcomes, runs, sweeps
from images.states import TaskStatus
from images.stores import registry as stores
from tests.images.imports.steps import DIRECT, area, ask, commits, held, shown, work

pytestmark = pytest.mark.django_db


def test_a_deleted_image_takes_its_import_along(personas, staged):
    ask(personas.member, staged, {**DIRECT, "all_stores": True})
    with commits():
        assert personas.member.api.delete(f"/image/v2/images/{staged.pk}").status_code == 204
    assert area() == []
    task = work()
    assert (task.status, task.message) == ("failure", "The image was deleted.")
    assert held() == {"memory": {}, "slow": {}}


def test_an_image_deleted_in_the_middle_leaves_nothing(personas, staged, monkeypatch):
    ask(personas.member, staged, {**DIRECT, "all_stores": True})
    real = runs.copy

    def copy_and_delete(image, source, store, *rest, **more):
        content = real(image, source, store, *rest, **more)
        if store == "memory":
            images.delete(ctx=personas.member.ctx, image=image)
        return content

    monkeypatch.setattr(runs, "copy", copy_and_delete)
    work()
    assert held() == {"memory": {}, "slow": {}}
    assert area() == []
    assert not ImageLocation.objects.exists()


def die(monkeypatch, where):
    """Let the run end as a process does that is told to."""

    def dying(*_args, **_more):
        raise SystemExit

    monkeypatch.setattr(runs, where, dying)


def test_a_run_that_ends_with_its_process_is_begun_anew(personas, staged, monkeypatch):
    ask(personas.member, staged, DIRECT)
    with monkeypatch.context() as patch:
        die(patch, "copy")
        with pytest.raises(SystemExit):
            work()
    row = ImageTask.objects.get()
    assert (row.status, row.tries) == (TaskStatus.PENDING, 0)
    assert work().status == TaskStatus.SUCCESS


def test_a_fault_of_ours_ends_an_import_after_a_few_runs(personas, staged, monkeypatch):
    def faulty(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(runs, "copy", faulty)
    ask(personas.member, staged, DIRECT)
    for _try in range(outcomes.MOST_TRIES):
        assert ImageTask.objects.get().status == TaskStatus.PENDING
        with pytest.raises(ZeroDivisionError), commits():
            work()
    assert ImageTask.objects.get().status == TaskStatus.FAILURE
    assert shown(personas.member, staged)["status"] == "queued"


def killed(task, image):
    """Make the row and the stores look as a process leaves them that was killed while it wrote."""
    assert ImageTask.objects.begin(task.pk, image.pk)
    stores.get("memory").writer(image.pk, image.pk).write(b"half")
    stores.staging().writer(image.pk, image.pk).write(b"half")
    ImageTask.objects.filter(pk=task.pk).update(seen_at=timezone.now() - timedelta(hours=1))


def test_a_killed_run_is_begun_anew_and_in_the_end_given_up(personas, staged):
    ask(personas.member, staged, DIRECT)
    task = ImageTask.objects.get()
    for _try in range(outcomes.MOST_TRIES):
        killed(task, staged)
        with commits():
            assert sweeps.reclaim() == 1
        assert stores.get("memory").parts == {}
    task.refresh_from_db()
    assert (task.status, "3 times" in task.message) == ("failure", True)
    assert shown(personas.member, staged)["status"] == "queued"
    assert area() == []


def test_what_a_killed_run_of_a_deleted_image_left_goes(personas, staged):
    ask(personas.member, staged, DIRECT)
    killed(ImageTask.objects.get(), staged)
    with commits():
        images.delete(ctx=personas.member.ctx, image=staged)
        assert sweeps.reclaim() == 1
    assert sweeps.reclaim() == 0
    assert held()["memory"] == {}
    assert area() == []


def test_a_slow_run_that_was_replaced_writes_nothing(personas, staged, monkeypatch):
    ask(personas.member, staged, DIRECT)
    real = runs.copy

    def replaced(*args, **more):
        ImageTask.objects.update(run_id=staged.pk)
        return real(*args, **more)

    monkeypatch.setattr(runs, "copy", replaced)
    work()
    assert shown(personas.member, staged)["status"] == "importing"
    assert area() == [staged.pk]
    assert not ImageLocation.objects.exists()


def test_a_task_that_nobody_began_is_sent_again(personas, staged):
    ask(personas.member, staged, DIRECT)
    assert sweeps.recast() == 0
    ImageTask.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    assert sweeps.recast() == 1


def test_tasks_expire(personas, staged):
    ask(personas.member, staged, DIRECT)
    task = work()
    assert task.expires_at > timezone.now() + timedelta(hours=47)
    ImageTask.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    assert personas.member.api.get(f"/image/v2/images/{staged.pk}/tasks").json()["tasks"] == []
    assert tasks.forget_expired() == 1
