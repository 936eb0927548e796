"""An import whose conductor is killed in the middle comes to its end all the same, and leaves nothing behind."""

import os
import signal
import time

import pytest

from tests.e2e.cloud import Cloud
from tests.images import web
from tests.kit.waiting import wait_for

MIB = 1 << 20
SETTINGS = '[fetch]\nallowed_ports = []\nallowed_networks = ["127.0.0.0/8"]\n'


def trickle(request):
    """Send 40 MiB in about ten seconds."""
    request.send_response(200)
    request.send_header("Content-Length", str(40 * MIB))
    request.end_headers()
    for _each in range(40):
        request.wfile.write(bytes(MIB))
        time.sleep(0.25)


@pytest.fixture
def cloud():
    made = Cloud(driver="fake")
    (made.state / "images.toml").write_text(SETTINGS)
    with made.running():
        yield made


@pytest.mark.real
def test_an_import_survives_the_death_of_its_process(cloud):
    http = cloud.client("demo")
    body = {"name": "slow", "disk_format": "raw", "container_format": "bare"}
    image = http.post("/image/v2/images", json=body).json()["id"]
    path = f"/image/v2/images/{image}"

    with web.serving(trickle) as port:
        method = {"name": "web-download", "uri": f"http://127.0.0.1:{port}/"}
        assert http.post(f"{path}/import", json={"method": method}).status_code == 202
        wait_for("a part in the staging area", lambda: list((cloud.state / "staging").glob(".*.part")))
        os.kill(cloud.pid("conductor"), signal.SIGKILL)
        wait_for("the image", lambda: http.get(path).json()["status"] == "active", seconds=150)

    assert http.get(path).json()["size"] == 40 * MIB
    assert http.get(f"{path}/file").content == bytes(40 * MIB)
    task = http.get(f"{path}/tasks").json()["tasks"][0]
    assert (task["status"], task["progress"]) == ("success", 100)
    wait_for("an empty staging area", lambda: not list((cloud.state / "staging").iterdir()), seconds=30)
    assert not list((cloud.state / "images").glob(".*.part"))
