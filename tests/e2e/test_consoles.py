"""Consoles as people use them: in the page, with a viewer of their own, by the openstack command; on a host that pretends."""

import re
import resource
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosedError
from websockets.frames import CloseCode
from websockets.sync.client import connect

from compute.services.native_viewers import answer
from portal.core.connections import MOST_DESCRIPTORS
from tests.e2e.cloud import Api, Cloud, free_port
from tests.e2e.test_browser import SHOTS, kept_page, page, sign_in, wait_for_one_more_socket  # noqa: F401
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

USUAL_DESCRIPTORS = 1024  # what systemd and most shells give a process


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_DESCRIPTORS, hard))
    try:
        with Cloud(driver="fake", extra={"NEBULET_VIEWER_PORT": str(free_port())}).running() as cloud:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield cloud
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return Api(cloud)


@pytest.fixture(scope="module")
def server_id(api: Api) -> str:
    server_id = api.create("console-1")
    api.wait(server_id)
    return server_id


def beside(page: Page, url: str) -> Page:  # noqa: F811
    """Open one more page in the same session."""
    with page.expect_popup() as opened:
        page.evaluate("url => void window.open(url)", url)
    return opened.value


def test_screen_serial_and_log_on_one_page(cloud: Cloud, server_id: str, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/console/")
    expect(page.locator("#console-state")).to_contain_text("Connected")
    expect(page.locator("#screen canvas")).to_be_visible()
    page.get_by_role("button", name="Ctrl+Alt+Del").click()
    page.get_by_role("button", name="Paste text").click()
    page.get_by_label("Text to type").fill("echo 'Hello' | tr ~ @ # 你\n")
    page.get_by_role("button", name="Type it").click()
    expect(page.locator("#console-type")).to_contain_text("no key for them: 1")
    page.screenshot(path=SHOTS / "console-screen.png")

    page.get_by_role("link", name="Serial").click()
    expect(page.locator(".xterm-rows")).to_contain_text("console-1 login:")
    page.keyboard.type("uptime\n")
    expect(page.locator(".xterm-rows")).to_contain_text("uptime: this guest is pretended", timeout=30_000)
    page.get_by_role("button", name="Paste text").click()
    page.get_by_label("Text to type").fill("pasted words\n")
    page.get_by_role("button", name="Type it").click()
    expect(page.locator(".xterm-rows")).to_contain_text("pasted words: this guest is pretended")
    page.screenshot(path=SHOTS / "console-serial.png")

    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator("#log")).to_contain_text("pasted words: this guest is pretended")
    page.screenshot(path=SHOTS / "console-log.png")

    page.goto(f"{cloud.url}/instances/{server_id}/screen/?show=serial")
    expect(page.locator(".xterm-rows")).to_contain_text("console-1 login:")
    page.screenshot(path=SHOTS / "console-embedded.png")


def test_who_else_has_it_open_is_named(cloud: Cloud, server_id: str, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/console/")
    expect(page.locator("#console-state")).to_contain_text("Connected")
    expect(page.locator("#console-others")).to_be_hidden()
    second = beside(page, f"{cloud.url}/instances/{server_id}/console/?show=serial")
    expect(page.locator("#console-others")).to_have_text(re.compile(r"Also open: demo, since \d\d:\d\d"), timeout=10_000)
    page.screenshot(path=SHOTS / "console-others.png")
    second.close()
    expect(page.locator("#console-others")).to_be_hidden(timeout=10_000)


def test_who_left_has_it_open_no_more(cloud: Cloud, server_id: str, kept_page: Page):  # noqa: F811
    address = f"{cloud.url}/instances/{server_id}/console/"

    def kinds() -> list[str]:
        return [visit["kind"] for visit in kept_page.request.get(f"{address}visitors/").json()["visitors"]]

    def only(*expected: str) -> None:
        wait_for(f"visits: {expected}", lambda: kinds() == list(expected), 10)

    sign_in(kept_page, cloud)
    kept_page.goto(address)
    expect(kept_page.locator("#console-state")).to_contain_text("Connected")
    only("novnc")
    kept_page.get_by_role("link", name="Serial").click()
    expect(kept_page.locator(".xterm-rows")).to_contain_text("login:")
    only("serial")
    kept_page.get_by_role("link", name="Screen").click()
    expect(kept_page.locator("#screen canvas")).to_be_visible()
    expect(kept_page.locator("#console-state")).to_contain_text("Connected")
    only("novnc")
    kept_page.goto(f"{cloud.url}/instances/")
    only()

    kept_page.evaluate("history.back()")
    expect(kept_page).to_have_url(f"{address}?show=screen")
    expect(kept_page.locator("#console-state")).to_contain_text("Connected")
    wait_for_one_more_socket(kept_page)
    only("novnc")
    expect(kept_page.locator("#screen canvas")).to_have_count(1)
    expect(kept_page.locator("#console-others")).to_be_hidden()


@pytest.mark.parametrize("mode", ["serial", "log"])
def test_who_comes_back_sees_it_go_on(cloud: Cloud, server_id: str, kept_page: Page, mode: str):  # noqa: F811
    sign_in(kept_page, cloud)
    address = f"{cloud.url}/instances/{server_id}/console/?show={mode}"
    kept_page.goto(address)
    shown = kept_page.locator(".xterm-rows, #log")
    expect(shown).to_contain_text("login:")
    kept_page.goto(f"{cloud.url}/instances/")
    kept_page.evaluate("history.back()")
    expect(kept_page).to_have_url(address)
    wait_for_one_more_socket(kept_page)
    expect(shown).to_contain_text("login:")


def test_signing_out_elsewhere_closes_it(cloud: Cloud, server_id: str, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/console/?show=serial")
    expect(page.locator("#console-state")).to_contain_text("Connected")
    second = beside(page, cloud.url)
    second.locator("form[action*='sign-out']").evaluate("form => form.submit()")
    expect(page.locator("#console-state")).not_to_contain_text("Connected", timeout=10_000)


def test_a_viewer_of_ones_own(cloud: Cloud, server_id: str, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/console/")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Native viewer").click()
    shown = opened.value
    expect(shown.get_by_role("heading")).to_contain_text("Console of console-1")
    shown.screenshot(path=SHOTS / "console-viewer.png")
    password = shown.locator("#viewer-password").inner_text()
    for name, words in (("TigerVNC", "ServerName=127.0.0.1::"), ("RealVNC", "[Connection]"), ("virt-viewer", "type=vnc")):
        with shown.expect_download() as download:
            shown.get_by_role("link", name=name).click()
        assert words in download.value.path().read_text()

    assert view(int(cloud.extra["NEBULET_VIEWER_PORT"]), password) == b"console-1"
    with pytest.raises(ConnectionError):
        view(int(cloud.extra["NEBULET_VIEWER_PORT"]), password)


def view(port: int, password: str) -> bytes:
    """Look through the door for native viewers; return the name of the display."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as viewer:
        file = viewer.makefile("rb")
        viewer.sendall(file.read(12))
        assert file.read(2) == b"\x01\x02"
        viewer.sendall(b"\x02")
        viewer.sendall(answer(password, file.read(16)))
        if file.read(4) != bytes(4):
            raise ConnectionError
        viewer.sendall(b"\x01")
        return file.read(struct.unpack("!I", file.read(24)[20:])[0])


@pytest.mark.parametrize(
    ("option", "begins"),
    [("--novnc", "/console/?path=ws%2Fvnc%2F"), ("--xvpvnc", "/console/viewer/?token="), ("--serial", "/ws/serial/?token=")],
)
def test_console_url_show(cloud: Cloud, server_id: str, option: str, begins: str):
    console = cloud.openstack("console", "url", "show", option, server_id, "-f", "json")
    assert begins in console["url"]


@pytest.mark.parametrize("option", ["--spice", "--rdp", "--mks"])
def test_console_url_show_of_what_guests_do_not_have(cloud: Cloud, server_id: str, option: str):
    done = cloud.openstack("console", "url", "show", option, server_id, check=False)
    assert done.returncode == 1
    assert "Unavailable console type" in done.stderr


@pytest.mark.parametrize("process", ["web", "compute"])
def test_a_process_that_holds_consoles_has_more_than_the_usual_number_of_descriptors(cloud: Cloud, process: str):
    [line] = [line for line in Path(f"/proc/{cloud.pid(process)}/limits").read_text().splitlines() if "open files" in line]
    soft, hard = map(int, line.split()[3:5])
    assert USUAL_DESCRIPTORS < soft == min(hard, MOST_DESCRIPTORS)


def test_a_message_that_is_too_long_ends_its_console(cloud: Cloud, server_id: str):
    url = cloud.openstack("console", "url", "show", "--serial", server_id, "-f", "json")["url"]
    with connect(url) as port:
        port.send(bytes(200 * 1024))
        with pytest.raises(ConnectionClosedError) as closed:
            port.send(bytes(300 * 1024))
            while True:
                port.recv(timeout=30)
    assert closed.value.rcvd.code == CloseCode.MESSAGE_TOO_BIG


def test_console_log_show(cloud: Cloud, server_id: str):
    whole = cloud.openstack("console", "log", "show", server_id)
    assert "Linux version" in whole
    assert "\x1b" not in whole
    last = cloud.openstack("console", "log", "show", "--lines", "3", server_id)
    assert len(last.splitlines()) == 3
    assert whole.endswith(last)


def test_the_log_of_a_stopped_machine_is_still_there(cloud: Cloud, api: Api, server_id: str):
    assert api.act(server_id, "os-stop").status_code == 202
    api.wait(server_id, "SHUTOFF")
    assert "login:" in api.log(server_id)
    wait_for("no console", lambda: "not ready" in cloud.openstack("console", "url", "show", server_id, check=False).stderr, 10)
    assert api.act(server_id, "os-start").status_code == 202
    api.wait(server_id)
