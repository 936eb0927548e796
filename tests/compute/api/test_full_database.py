"""SQLite's file on a disk that is full: what cannot be written is refused in the client's form, and nothing half of it stays."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection

from compute.states import VmState

pytestmark = pytest.mark.django_db(transaction=True)

SERVERS = "/compute/v2.1/servers"


def pragma(words: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {words}")
        return int(cursor.fetchone()[0])


@pytest.fixture
def room() -> Iterator[object]:
    """A function that leaves the database so many pages to grow by."""
    assert connection.vendor == "sqlite"
    most = pragma("max_page_count")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages of deleted rows would be used first
    yield lambda pages: pragma(f"max_page_count = {pragma('page_count') + pages}")
    pragma(f"max_page_count = {most}")


def rows() -> dict[str, list]:
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


def test_a_request_that_a_full_database_ends_is_a_fault_and_leaves_no_row(personas, cloud, room):
    files = [{"path": "/etc/motd", "contents": "eHh4" * 1000}]
    body = {"server": {"name": "new", "flavorRef": "1", "imageRef": cloud.image.pk, "networks": "auto", "personality": files}}
    api, before, faults = personas.member.api, rows(), 0
    for pages in range(60):
        room(pages)
        answer = api.post(SERVERS, body, OpenStack_API_Version="compute 2.37")
        if answer.status_code == 202:
            break
        faults += 1
        assert answer.status_code == 500
        assert answer.json()["computeFault"]["code"] == 500
        assert rows() == before, f"with {pages} pages left"
    assert answer.status_code == 202
    assert faults


def test_what_is_there_is_still_shown_and_goes_on_when_there_is_room_again(personas, cloud, room):
    api = personas.member.api
    room(0)
    assert api.get(f"{SERVERS}/{cloud.server.pk}").json()["server"]["status"] == "ACTIVE"
    room(100)
    assert api.post(f"{SERVERS}/{cloud.server.pk}/action", {"os-stop": None}).status_code == 202
    cloud.server.refresh_from_db()
    assert (cloud.server.vm_state, cloud.server.task_state) == (VmState.ACTIVE, "powering-off")
