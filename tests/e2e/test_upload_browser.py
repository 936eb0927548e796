"""A person uploads an image with a browser: the connection breaks, the page is loaded anew, and it goes on where it was."""

import hashlib
import random
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cloud import Cloud
from tests.e2e.test_browser import page, sign_in  # noqa: F401
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.real

MIB = 1 << 20
CONTENT = random.Random(7).randbytes(28 * MIB + 5)
PIECES = re.compile(r"/image/v2/images/[0-9a-f-]{36}/file")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "disk.raw"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def sent(page: Page):  # noqa: F811
    """The ranges that the page sent so far."""
    ranges: list[str] = []
    page.on(
        "request", lambda request: ranges.append(request.headers.get("content-range", "")) if request.method == "PUT" else None
    )
    return ranges


def begin(page: Page, cloud: Cloud, file, name: str) -> None:  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/images/new/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create image").click()


def image_of(cloud: Cloud, name: str):
    return cloud.client("demo").get("/image/v2/images", params={"name": name}).json()["images"][0]


def assert_whole(cloud: Cloud, name: str) -> None:
    wait_for("the image", lambda: image_of(cloud, name)["status"] == "active", seconds=30)
    assert image_of(cloud, name)["os_hash_value"] == hashlib.sha512(CONTENT).hexdigest()
    assert [path.name for path in (cloud.state / "images").iterdir() if path.name.startswith(".")] == []


def cut_after(page: Page, pieces: int):  # noqa: F811
    """Let so many pieces pass; then the network is away, until the returned function brings it back."""
    seen: list[str] = []

    def pass_or_cut(route):
        asked = "*" in route.request.headers.get("content-range", "")
        if route.request.method == "PUT" and (not asked or seen):
            seen.append(route.request.url)
        if len(seen) > pieces:
            page.context.set_offline(True)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route(PIECES, pass_or_cut)

    def back():
        page.unroute(PIECES)
        page.context.set_offline(False)

    return back


def test_an_upload_goes_on_when_the_network_is_back(cloud: Cloud, page: Page, file, sent):  # noqa: F811
    back = cut_after(page, 2)
    begin(page, cloud, file, "torn")
    expect(page.get_by_text("The connection was lost")).to_be_visible(timeout=30_000)
    assert image_of(cloud, "torn")["status"] == "saving"
    back()
    page.wait_for_url(re.compile(r"/images/[0-9a-f-]{36}/"), timeout=30_000)
    assert_whole(cloud, "torn")
    assert sum(text.startswith("bytes 0-") for text in sent) == 1, "the first piece is not sent again"


def test_an_upload_goes_on_after_the_page_was_loaded_anew(cloud: Cloud, page: Page, file, sent):  # noqa: F811
    back = cut_after(page, 2)
    begin(page, cloud, file, "left")
    expect(page.get_by_text("The connection was lost")).to_be_visible(timeout=30_000)
    back()
    page.goto("about:blank")
    page.goto(f"{cloud.url}/images/{image_of(cloud, 'left')['id']}/")
    expect(page.get_by_text("are here. Choose the same file")).to_be_visible()

    other = file.with_name("other.raw")
    other.write_bytes(CONTENT[::-1])
    page.get_by_label("File").set_input_files(other)
    page.get_by_role("button", name="Go on").first.click()
    expect(page.get_by_text("This is another file")).to_be_visible()

    sent.clear()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Go on").first.click()
    wait_for("the rest", lambda: page.wait_for_timeout(100) or image_of(cloud, "left")["status"] == "active", seconds=30)
    assert_whole(cloud, "left")
    assert not any(text.startswith("bytes 0-") for text in sent)


def test_an_upload_can_be_paused_and_cancelled(cloud: Cloud, page: Page, file):  # noqa: F811
    page.route(PIECES, lambda route: (page.wait_for_timeout(300), route.continue_()))
    begin(page, cloud, file, "held")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused:")).to_be_visible()
    assert image_of(cloud, "held")["status"] in {"queued", "saving"}
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The upload was cancelled.")).to_be_visible()
    wait_for("a queued image", lambda: page.wait_for_timeout(100) or image_of(cloud, "held")["status"] == "queued", seconds=10)
