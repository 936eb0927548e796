"""``./nebulet demo``: people of every kind go through every page, and the printed commands do what the buttons do."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.e2e.cloud import Api, Cloud
from tests.e2e.test_browser import FLAGS, local
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

PEOPLE = ("admin", "demo", "operator", "manager", "member", "reader", "stranger")
NARROW = {"width": 390, "height": 780}
WIDE = {"width": 1280, "height": 860}


@pytest.fixture(scope="module")
def demo() -> Iterator[Cloud]:
    """A demonstration with a state folder and a port of its own."""
    cloud = Cloud(driver="fake")
    try:
        printed = cloud.nebulet("demo", "--detach").stdout
        assert all(re.search(rf"User +{name} +\S+", printed) for name in PEOPLE), printed
        yield cloud
    finally:
        cloud.nebulet("demo", "--stop", check=False)
        cloud.down()


@pytest.fixture(scope="module")
def browser(demo: Cloud) -> Iterator[Callable[..., BrowserContext]]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop runs in this thread; no test here uses the database
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium.new_context
        chromium.close()


@contextmanager
def open_page(
    browser: Callable[..., BrowserContext], demo: Cloud, user: str, *, language: str = "en", **options
) -> Iterator[Page]:
    """A signed-in page; foreign requests, refused content, script errors and failed pages are errors of the test."""
    context = browser(viewport=options.pop("viewport", WIDE), locale="en-GB", **options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("request", lambda request: None if local(request.url, demo) else wrong.append(request.url))
    page.on(
        "response",
        lambda answer: (
            wrong.append(f"{answer.status} {answer.url}") if answer.status >= 403 and "/live/" not in answer.url else None
        ),
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None)
    sign_in(page, demo, user)
    context.add_cookies([{"name": "django_language", "value": language, "url": demo.url}])
    yield page
    context.close()
    assert wrong == []


def sign_in(page: Page, demo: Cloud, user: str) -> None:
    page.goto(demo.url)
    page.get_by_label("Name", exact=True).fill(user)
    page.get_by_label("Password", exact=True).fill(demo.password(user))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/overview/"))


def server_id(api: Api, name: str) -> str:
    found = api.http.get("/compute/v2.1/servers", params={"name": f"^{name}$"}).json()["servers"]
    return str(found[0]["id"])


def test_servers_are_in_every_state(demo: Cloud):
    servers = Api(demo, "member", "lab1").http.get("/compute/v2.1/servers/detail").json()["servers"]

    assert {server["status"] for server in servers} >= {"ACTIVE", "SHUTOFF", "ERROR", "BUILD"}
    assert len({server["hostId"] for server in servers} - {""}) == 3


@pytest.mark.parametrize("user", PEOPLE[2:])
def test_every_entry_of_the_sidebar_opens(demo: Cloud, browser, user: str):
    with open_page(browser, demo, user) as page:
        addresses = [demo.url + str(link.get_attribute("href")) for link in page.locator("#sidebar-menu a.nav-link").all()]
        assert len(addresses) >= 5
        for address in addresses:
            page.locator(f'#sidebar-menu a.nav-link[href="{address.removeprefix(demo.url)}"]').click()
            page.wait_for_url(address)
            expect(page.locator("h1").first).to_be_visible()
            if "/admin/" in address:
                page.go_back()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_nothing_is_wider_than_a_telephone(demo: Cloud, browser, language: str):
    failed = server_id(Api(demo, "member", "lab1"), "too-big")
    with open_page(browser, demo, "reader", language=language, viewport=NARROW, color_scheme="dark") as page:
        for path in ("overview/", "instances/", "instances/new/", f"instances/{failed}/", "images/", "flavors/", "keys/"):
            page.goto(f"{demo.url}/{path}")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        assert page.evaluate("document.documentElement.lang") == language


def test_a_failed_build_tells_why_and_what_to_do(demo: Cloud, browser):
    with open_page(browser, demo, "reader") as page:
        page.goto(f"{demo.url}/instances/?q=status:error")
        page.get_by_role("link", name="Why").first.click()
        expect(page.get_by_text("Why no host took it")).to_be_visible()
        expect(page.get_by_text("launch it in a size with a smaller disk")).to_be_visible()
        expect(page.get_by_role("alert").get_by_text(re.compile("req-"))).to_be_visible()
        assert "host-1" not in page.content()


def test_an_open_menu_stays_while_its_row_changes(demo: Cloud, browser):
    api = Api(demo, "manager", "lab1")
    web = server_id(api, "web-02")
    with open_page(browser, demo, "member") as page:
        page.goto(f"{demo.url}/instances/")
        expect(page.locator("#live-dot[data-state=live]")).to_be_visible()
        row = page.locator(f"#row-{web}")
        row.get_by_role("button", name="More for web-02").click()
        menu = row.locator(".dropdown-menu")
        assert api.act(web, "os-stop").status_code == 202
        api.wait(web, "SHUTOFF")
        page.wait_for_timeout(1_000)
        expect(menu).to_be_visible()
        page.keyboard.press("Escape")
        expect(row.get_by_text("Stopped")).to_be_visible(timeout=1_500)


def test_the_printed_curl_commands_do_what_the_buttons_do(demo: Cloud, browser):
    api = Api(demo, "member", "lab1")
    web = server_id(api, "web-01")

    def run(page: Page, address: str, block: str) -> None:
        page.goto(f"{demo.url}/instances/{address}")
        text = page.locator(f"#{block}-curl").text_content()
        environment = {**os.environ, "OS_TOKEN": api.http.headers["X-Auth-Token"]}
        done = subprocess.run(["bash", "-c", f"{text} -fsS"], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"

    with open_page(browser, demo, "member") as page:
        run(page, f"{web}/actions/stop/command/", "panel-command")
        api.wait(web, "SHUTOFF")
        run(page, f"{web}/actions/start/command/", "panel-command")
        api.wait(web, "ACTIVE")
        run(page, f"{web}/actions/console/command/", "panel-command")
        run(page, "new/?name=by%20curl's", "launch-command")
        made = wait_for("by curl", lambda: api.http.get("/compute/v2.1/servers?name=by").json()["servers"])[0]
        assert made["name"] == "by curl's"
        assert api.wait(made["id"])["OS-EXT-STS:vm_state"] == "active"
        run(page, f"{made['id']}/actions/delete/command/", "panel-command")
        api.wait_gone(made["id"])


def test_launch_and_delete_with_the_keyboard_alone(demo: Cloud, browser):
    with open_page(browser, demo, "member") as page:
        page.goto(f"{demo.url}/instances/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "nb-skip"
        page.keyboard.press("Enter")
        page.goto(f"{demo.url}/instances/new/")
        page.keyboard.type("by-keyboard")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/instances/[0-9a-f-]{36}/"))
        expect(page.get_by_text("Running").first).to_be_visible(timeout=20_000)
        tab_to(page, "More")
        page.keyboard.press("Enter")
        for _ in range(20):
            page.keyboard.press("ArrowDown")
            if page.evaluate("document.activeElement.textContent.trim()") == "Delete":
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        tab_to(page, "Delete by-keyboard")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{demo.url}/instances/")
        expect(page.get_by_role("row", name=re.compile("by-keyboard"))).to_have_count(0, timeout=10_000)


def tab_to(page: Page, text: str) -> None:
    """Press Tab until the element with this text has the focus, which must be to be seen each time."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"Tab does not lead to {text}")


def test_a_session_that_ends_loses_nothing(demo: Cloud, browser):
    context = browser(viewport=WIDE, locale="en-GB")
    page = context.new_page()
    sign_in(page, demo, "demo")
    page.goto(f"{demo.url}/instances/new/")
    page.get_by_label("Name", exact=True).fill("kept")
    page.wait_for_timeout(400)
    context.clear_cookies()
    page.get_by_role("button", name="Launch 1 instance").click()
    dialog = page.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    with context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in in a new tab").click()
    opened.value.wait_for_load_state()
    sign_in(opened.value, demo, "demo")
    page.bring_to_front()
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("kept")
    page.get_by_role("button", name="Launch 1 instance").click()
    page.wait_for_url(re.compile(r"/instances/[0-9a-f-]{36}/"))
    context.close()
