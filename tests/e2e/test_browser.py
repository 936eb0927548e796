"""A person with a browser: sign in, launch, watch it boot, type in its console, delete it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.cloud import ROOT, Api, Cloud
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
NOTE_SOCKETS = """
window.sockets = [];
window.WebSocket = new Proxy(WebSocket, {
  construct(kind, given) {
    sockets.push(new kind(...given));
    return sockets.at(-1);
  },
});
addEventListener("pageshow", (event) => {
  if (event.persisted) sockets.found = sockets[0].readyState > WebSocket.OPEN ? "closed" : "open";
});
"""
SHOTS = Path(os.environ.get("NEBULET_SCREENSHOTS", ROOT / "test-artifacts"))


@pytest.fixture
def page(cloud: Cloud) -> Iterator[Page]:
    with open_browser(cloud) as page:
        yield page


@pytest.fixture
def kept_page(cloud: Cloud) -> Iterator[Page]:
    """In a browser that keeps pages that are left, to show them again when one goes back: people's do, playwright's does not."""
    with open_browser(cloud, ignore_default_args=["--disable-back-forward-cache"]) as page:
        page.add_init_script(NOTE_SOCKETS)
        yield page


@contextmanager
def open_browser(cloud: Cloud, **options) -> Iterator[Page]:
    """A browser that reports foreign requests, refused content and script errors as failures."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop runs in this thread; no test here uses the database
    SHOTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)  # what is waited for comes; beside other tests it may be late
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS, **options)
        page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-GB")
        foreign: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: None if local(request.url, cloud) else foreign.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None)
        yield page
        browser.close()
    assert foreign == []
    assert errors == []


def wait_for_one_more_socket(page: Page) -> None:
    """Wait until a page that was kept has opened its websocket again; it came back with a closed one."""
    states = "[sockets.found, ...sockets.map(socket => socket.readyState)]"
    wait_for("one more socket", lambda: page.evaluate(states) == ["closed", 3, 1], 10)


def local(url: str, cloud: Cloud) -> bool:
    return url.startswith((cloud.url, cloud.url.replace("http", "ws"), "data:", "blob:"))


def sign_in(page: Page, cloud: Cloud, user: str = "demo") -> None:
    page.goto(cloud.url)
    page.get_by_label("Name", exact=True).fill(user)
    page.get_by_label("Password", exact=True).fill(cloud.password(user))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Instances").first).to_be_visible()


def test_from_sign_in_to_delete(cloud: Cloud, api: Api, page: Page):
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/new/")
    page.get_by_label("Name", exact=True).fill("browser-1")
    choose_image(page, "tiny")
    page.get_by_text("m1.micro", exact=True).click()
    page.screenshot(path=SHOTS / "launch.png")
    page.get_by_role("button", name="Launch 1 instance").click()
    page.wait_for_url(re.compile(r"/instances/[0-9a-f-]{36}/"))
    page.screenshot(path=SHOTS / "build.png")
    expect(page.get_by_text("login:").first).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Running").first).to_be_visible(timeout=30_000)
    page.screenshot(path=SHOTS / "running.png")
    server_id = re.search(r"/instances/([0-9a-f-]{36})/", page.url).group(1)

    page.goto(f"{cloud.url}/instances/{server_id}/console/")
    canvas = page.locator("canvas").first
    expect(canvas).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1500)
    canvas.click()
    page.keyboard.type("tiny\n", delay=60)
    page.wait_for_timeout(1500)
    page.screenshot(path=SHOTS / "console.png")

    page.goto(f"{cloud.url}/instances/")
    expect(page.get_by_role("row", name=re.compile("browser-1"))).to_be_visible()
    page.screenshot(path=SHOTS / "instances.png")
    page.goto(f"{cloud.url}/instances/{server_id}/")
    page.get_by_role("button", name="More").first.click()
    page.get_by_role("menuitem", name=re.compile("Delete")).or_(page.get_by_text("Delete", exact=True)).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("cannot be brought back")).to_be_visible()
    page.screenshot(path=SHOTS / "delete.png")
    dialog.get_by_role("button", name=re.compile("Delete")).click()
    api.wait_gone(server_id)


def choose_image(page: Page, name: str) -> None:
    field = page.get_by_label("Image", exact=True)
    options = field.locator("option").all_inner_texts()
    field.select_option(label=next(text for text in options if re.match(rf"{name}\b(?!-)", text.strip())))


def test_a_change_elsewhere_shows_within_a_second(cloud: Cloud, api: Api, page: Page):
    server_id = api.create("live-1")
    api.wait(server_id)
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/")
    row = page.get_by_role("row", name=re.compile("live-1"))
    expect(row.get_by_text("Running")).to_be_visible()
    api.act(server_id, "os-stop")
    api.wait(server_id, "SHUTOFF")
    expect(row.get_by_text("Stopped")).to_be_visible(timeout=1_500)
    api.delete(server_id)
    expect(row).to_have_count(0, timeout=3_000)


def test_a_wrong_password_says_so_and_keeps_the_name(cloud: Cloud, page: Page):
    page.goto(cloud.url)
    page.get_by_label("Name", exact=True).fill("demo")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("demo")


def test_the_administration_site_opens_for_operators_only(cloud: Cloud, page: Page):
    sign_in(page, cloud, "admin")
    assert page.goto(f"{cloud.url}/admin/").status == 200
    expect(page.get_by_text("Servers").first).to_be_visible()
    page.screenshot(path=SHOTS / "admin.png")
