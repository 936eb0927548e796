"""A real guest asks 169.254.169.254 about itself, and its host about more than it should."""

import base64
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

SERVICE = "http://169.254.169.254"
SCRIPT = f"""#!/bin/sh
echo uuid $(wget -q -O - {SERVICE}/openstack/latest/meta_data.json | tr , '\\n' | grep uuid)
echo address $(wget -q -O - {SERVICE}/latest/meta-data/local-ipv4)
echo script $(wget -q -O - {SERVICE}/latest/user-data | head -n 1)
echo forged $(wget -q --header "X-Forwarded-For: 127.0.0.1" --header "X-Instance-ID: 1" -O - {SERVICE}/latest/meta-data/local-ipv4)
echo password $(wget -q --post-data sealed -O - {SERVICE}/openstack/latest/password) $?
echo kept $(wget -q -O - {SERVICE}/openstack/latest/password)
echo again $(wget -q --post-data other -O - {SERVICE}/openstack/latest/password || echo refused)
for door in {{doors}}; do echo door $door: $(timeout 4 wget -q -O - http://$door/ || echo closed); done
echo names $(nslookup nobody {{gateway}} 2>&1)
echo asked everything
"""


class Service(BaseHTTPRequestHandler):
    """A service of the host that whoever asks gets an answer from."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"open")


@contextmanager
def listening(port: int) -> Iterator[int]:
    """Yield the port of a service that listens at every address of this machine, as one does by ``NEBULET_BIND=0.0.0.0``."""
    with ThreadingHTTPServer(("0.0.0.0", port), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def other_address() -> str:
    """Return an address of this machine that is no network's of the cloud."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@pytest.fixture(scope="module")
def said(cloud: Cloud) -> Iterator[tuple[str, str, str]]:
    """What a guest found out: its id, its address, and its console log."""
    api = Api(cloud)
    network = api.http.get("/network/v2.0/networks", params={"name": "private"}).json()["networks"][0]
    gateway = api.http.get(f"/network/v2.0/subnets/{network['subnets'][0]}").json()["subnet"]["gateway_ip"]
    with listening(int(cloud.extra["NEBULET_GUESTS_MAY_REACH"].partition("/")[2])) as opened, listening(0) as closed:
        doors = f"{gateway}:{opened} {gateway}:{closed} {other_address()}:{closed}"
        script = SCRIPT.format(doors=doors, gateway=gateway)
        server_id = api.create("curious", user_data=base64.b64encode(script.encode()).decode(), config_drive=False)
        try:
            address = api.wait(server_id)["addresses"]["private"][0]["addr"]
            wait_for("the script's end", lambda: "asked everything" in api.log(server_id), 120, every=1)
            yield server_id, address, api.log(server_id).replace(str(opened), "OPENED").replace(str(closed), "CLOSED")
        finally:
            api.delete(server_id)


def test_a_guest_learns_about_itself_from_the_famous_address(said):
    server_id, address, log = said

    assert "metadata read from http://169.254.169.254/openstack/latest" in log
    assert "curious login:" in log
    assert f'"uuid": "{server_id}"' in log
    assert f"address {address}" in log
    assert "script #!/bin/sh" in log
    assert f"forged {address}" in log
    assert "kept sealed" in log
    assert "again refused" in log


def test_a_guest_reaches_of_its_host_what_it_needs_and_what_the_operator_opened(said):
    *_others, log = said

    assert re.findall(r"door \S+:(OPENED|CLOSED): (\w+)", log) == [
        ("OPENED", "open"),
        ("CLOSED", "closed"),
        ("CLOSED", "closed"),
    ]
    assert "can't find nobody" in log, "names are told"
