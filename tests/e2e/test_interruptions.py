"""Processes of a whole installation killed with every kind of action under way: all of them end, each as its table says."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import httpx
import pytest

from compute.interruptions import abandoned
from compute.states import Action, status
from portal.core import faults
from portal.core.faults import Point, Process
from tests.e2e.cloud import Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

POWER_TIMEOUT_S = 30
OTHER = "resized"
IMAGE = "blank"  # a pretended host starts whatever there is
# what is asked for, where it ends, and what leads back to where it began
ROUND = {
    "os-stop": (None, "SHUTOFF", ("os-start", None)),
    "reboot": ({"type": "SOFT"}, "ACTIVE", None),
    "pause": (None, "PAUSED", ("unpause", None)),
    "suspend": (None, "SUSPENDED", ("resume", None)),
    "rescue": (None, "RESCUE", ("unrescue", None)),
    "rebuild": ({}, "ACTIVE", None),
    "createImage": ({"name": "copy"}, "ACTIVE", None),
    "createBackup": ({"name": "backup", "backup_type": "daily", "rotation": 1}, "ACTIVE", None),
    "resize": ({"flavorRef": OTHER}, "VERIFY_RESIZE", ("revertResize", None)),
    "shelve": (None, "SHELVED_OFFLOADED", ("unshelve", None)),
}
DEATHS = [
    {Process.COMPUTE: Point.RECEIVED, Process.CONDUCTOR: Point.OUTCOME_HEARD},
    {Process.COMPUTE: Point.WORKED, Process.CONDUCTOR: Point.OUTCOME_WRITTEN},
    {Process.COMPUTE: Point.TOLD, Process.CONDUCTOR: Point.OUTCOME_DONE, Process.WEB: Point.SENT},
]
QUEUE_DIES_AFTER_S = (0.1, 0.6)  # while all of it is asked for, and while hosts are at work


@pytest.fixture(scope="module")
def armed() -> Iterator[Path]:
    """Where processes are armed: web and conductor are another user's than the tests."""
    with tempfile.TemporaryDirectory(prefix="nebulet-armed-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@pytest.fixture(scope="module")
def cloud(armed: Path) -> Iterator[Cloud]:
    limits = {"NEBULET_POWER_TIMEOUT_S": str(POWER_TIMEOUT_S), "NEBULET_COPY_TIMEOUT_S": "90", "NEBULET_BUILD_TIMEOUT_S": "90"}
    with Cloud(driver="fake", extra={"NEBULET_FAULTS": str(armed), **limits}).running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Iterator[Api]:
    admin = Api(cloud, "admin")
    flavor = {"flavor": {"name": OTHER, "ram": 128, "vcpus": 1, "disk": 1, "id": OTHER}}
    assert admin.http.post("/compute/v2.1/flavors", json=flavor).status_code == 200
    project = admin.http.get("/identity/v3/projects", params={"name": "demo"}).json()["projects"][0]["id"]
    quota = {"quota_set": {"instances": -1, "cores": -1, "ram": -1}}
    assert admin.http.put(f"/compute/v2.1/os-quota-sets/{project}", json=quota).status_code == 200
    api = Api(cloud)
    image = {"name": IMAGE, "disk_format": "raw", "container_format": "bare"}
    made = api.http.post("/image/v2/images", json=image).json()
    content = {"content": b"\0" * 4096, "headers": {"Content-Type": "application/octet-stream"}}
    assert api.http.put(f"/image/v2/images/{made['id']}/file", **content).status_code == 204
    yield api


def create(api: Api, name: str) -> str:
    return api.create(name, image=IMAGE)


def through(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Return the first answer; a web process that was killed gives none until it is there again."""

    def probe() -> httpx.Response | None:
        try:
            return call()
        except httpx.HTTPError:
            return None

    return wait_for("an answer", probe, 30)


def ask(api: Api, server_id: str, action: str, value: object) -> None:
    """Ask until it is accepted, or a request whose answer was lost turns out to have been."""
    if action == "rebuild":
        images = through(lambda: api.http.get("/image/v2/images", params={"name": IMAGE})).json()["images"]
        value = {"imageRef": images[0]["id"]}
    answer = through(lambda: api.act(server_id, action, value))
    assert answer.status_code in (200, 202, 204, 409), answer.text


def rests(api: Api, server_id: str, word: str) -> bool:
    server = through(lambda: api.http.get(f"/compute/v2.1/servers/{server_id}")).json()["server"]
    assert server["status"] != "ERROR", server["fault"]
    return server["status"] == word and server["OS-EXT-STS:task_state"] is None


def test_every_kind_of_action_outlives_the_death_of_every_process(cloud: Cloud, api: Api, armed: Path):
    servers = {action: create(api, f"on-{action}") for action in ROUND}
    for server_id in servers.values():
        api.wait(server_id)
    for death in DEATHS:
        there_and_back(api, servers, [faults.arm(armed, process, point) for process, point in death.items()])
    for pause_s in QUEUE_DIES_AFTER_S:
        queue = cloud.pid("queue")
        death = Timer(pause_s, os.kill, (queue, signal.SIGKILL))
        death.start()
        there_and_back(api, servers, [])
        death.join()
        assert cloud.pid("queue") != queue
    for server_id in servers.values():
        assert api.http.delete(f"/compute/v2.1/servers/{server_id}").status_code == 204
    for server_id in servers.values():
        api.wait_gone(server_id)
    nothing_is_left(cloud)


def there_and_back(api: Api, servers: dict[str, str], files: list[Path]) -> None:
    """Ask for everything at once while processes are to die of it; then for what leads back."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(ROUND)) as threads:
        list(threads.map(lambda action: ask(api, servers[action], action, ROUND[action][0]), ROUND))
    newcomer = through_create(api)
    wait_for("the deaths", lambda: not any(file.exists() for file in files), 40)
    for action, (_value, word, _back) in ROUND.items():
        wait_for(f"{action} to end in {word}", lambda a=action, w=word: rests(api, servers[a], w), 90)
    api.wait(newcomer)
    assert time.monotonic() - begun < 90
    api.delete(newcomer)
    for action, (_value, _word, back) in ROUND.items():
        if back is not None:
            ask(api, servers[action], *back)
    for server_id in servers.values():
        wait_for("it to be as it was", lambda one=server_id: rests(api, one, "ACTIVE"), 60)


def through_create(api: Api) -> str:
    made: list[str] = []

    def probe() -> bool:
        try:
            made.append(create(api, "newcomer"))
        except httpx.HTTPError:
            return False
        return True

    wait_for("a new server", probe, 30)
    return made[0]


@pytest.mark.parametrize("point", [Point.RECEIVED, Point.WORKED])
def test_a_password_that_a_killed_host_was_to_set_is_refused_at_once(cloud: Cloud, api: Api, armed: Path, point: Point):
    server_id = create(api, "password")
    api.wait(server_id)
    file = faults.arm(armed, Process.COMPUTE, point, server_id)
    answer = api.act(server_id, "changePassword", {"adminPass": "another-one-1"})
    assert (answer.status_code, file.exists()) == (503, False), answer.text
    assert rests(api, server_id, "ACTIVE")
    api.delete(server_id)


def test_a_password_change_whose_web_process_died_is_given_up(cloud: Cloud, api: Api, armed: Path):
    server_id = create(api, "password")
    api.wait(server_id)
    faults.arm(armed, Process.WEB, Point.COMMITTED, server_id)
    with pytest.raises(httpx.HTTPError):
        api.act(server_id, "changePassword", {"adminPass": "another-one-1"})
    assert abandoned(Action.CHANGE_PASSWORD) is None
    wait_for("it to be as it was", lambda: rests(api, server_id, status("active", None)), POWER_TIMEOUT_S + 20)
    api.delete(server_id)


def test_a_queue_that_forgot_its_last_second_is_told_again(cloud: Cloud, api: Api):
    servers = [create(api, f"queue-{number}") for number in range(4)]
    os.kill(cloud.pid("queue"), signal.SIGKILL)
    for server_id in servers:
        api.wait(server_id, seconds=90)
        api.delete(server_id)
    nothing_is_left(cloud)


def nothing_is_left(cloud: Cloud) -> None:
    folders = [entry.name for entry in (cloud.state / "instances").iterdir() if len(entry.name) == 36]
    assert folders == []
    wait_for("true invariants", lambda: cloud.nebulet("manage", "invariants", check=False).returncode == 0, 40, every=2)
    healed = cloud.nebulet("manage", "heal", check=False)
    assert healed.returncode == 0, healed.stdout
    assert "All is well." in healed.stdout
