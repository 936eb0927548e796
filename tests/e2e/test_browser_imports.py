"""A person with a browser brings an image from the web: sees it come, cancels it, tries again, and an operator copies it on."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cloud import Cloud
from tests.e2e.test_browser import SHOTS, page, sign_in  # noqa: F401
from tests.images import web

pytestmark = pytest.mark.real

MIB = 1 << 20
SETTINGS = """
[stores.fast]
type = "file"
path = "{state}/images"

[stores.slow]
type = "file"
path = "{state}/more"

[fetch]
allowed_ports = []
allowed_networks = ["127.0.0.0/8"]
"""


def trickle(request) -> None:
    """Send 40 MiB in about ten seconds."""
    request.send_response(200)
    request.send_header("Content-Length", str(40 * MIB))
    request.end_headers()
    for _each in range(40):
        request.wfile.write(bytes(MIB))
        time.sleep(0.25)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud(driver="fake")
    (made.state / "more").mkdir()
    (made.state / "more").chmod(0o777)  # the services run as another user
    (made.state / "images.toml").write_text(SETTINGS.format(state=made.state))
    with made.running():
        yield made


def test_an_image_comes_from_the_web(cloud: Cloud, page: Page):  # noqa: F811
    sign_in(page, cloud)
    with web.serving(trickle) as port:
        page.goto(f"{cloud.url}/images/new/")
        page.get_by_label("Name", exact=True).fill("fetched")
        page.get_by_label("Format").select_option("raw")
        page.get_by_label("Address of the web").fill(f"http://127.0.0.1:{port}/disk.raw")
        expect(page.locator("#image-commands")).to_contain_text("--uri")
        page.screenshot(path=SHOTS / "image-new.png", full_page=True)
        page.get_by_role("button", name="Create image").click()
        page.wait_for_url(re.compile(r"/images/[0-9a-f-]{36}/"))
        address = page.url

        expect(page.get_by_text("Fetching from 127.0.0.1")).to_be_visible(timeout=10_000)
        expect(page.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0", timeout=10_000)
        page.screenshot(path=SHOTS / "image-fetching.png", full_page=True)
        page.get_by_role("button", name="Cancel import").click()
        expect(page.get_by_text("The import was cancelled.").first).to_be_visible(timeout=15_000)
        page.screenshot(path=SHOTS / "image-cancelled.png", full_page=True)

        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(f"{cloud.url}/images/")
        row = page.get_by_role("row", name=re.compile("fetched"))
        row.get_by_role("button", name="Try again").first.click()
        expect(row.get_by_role("progressbar")).to_be_visible(timeout=15_000)
        page.screenshot(path=SHOTS / "images-narrow.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(row.get_by_text("Ready")).to_be_visible(timeout=60_000)

    page.set_viewport_size({"width": 1280, "height": 860})
    page.context.clear_cookies()
    sign_in(page, cloud, "admin")
    page.goto(address)
    page.screenshot(path=SHOTS / "image-ready.png", full_page=True)
    page.get_by_role("link", name="Copy to another store").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Store")).to_have_value("slow")
    page.screenshot(path=SHOTS / "image-copy.png")
    dialog.get_by_role("button", name=re.compile("Copy")).click()
    expect(page.get_by_text("Copy to slow")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Done")).to_have_count(2, timeout=30_000)
    assert list((cloud.state / "more").iterdir())
    page.set_viewport_size({"width": 390, "height": 800})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SHOTS / "image-narrow.png", full_page=True)
