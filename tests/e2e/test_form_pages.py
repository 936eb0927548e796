"""What opens in a dialog has an address of its own: opened there, in a browser with scripts, its form works too."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cloud import Api, Cloud
from tests.e2e.test_browser import page, sign_in  # noqa: F401

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(driver="fake").running() as cloud:
        yield cloud


def test_a_form_on_its_own_page_says_what_is_wrong_and_leads_on(cloud: Cloud, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/keys/new/")
    page.get_by_label("Name").fill("a/b")
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_role("alert")).to_contain_text("must be 1 to 255 letters")
    expect(page.get_by_label("Name")).to_have_value("a/b")
    page.get_by_label("Name").fill("of-its-own")
    page.get_by_role("button", name="Make key").click()
    expect(page.locator("main")).to_contain_text("PRIVATE KEY")


def test_a_question_on_its_own_page_is_answered_there(cloud: Cloud, page: Page):  # noqa: F811
    api = Api(cloud)
    server_id = api.create("of-its-own")
    api.wait(server_id)
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/")
    page.get_by_role("button", name="More").first.click()
    address = page.locator("a[data-dialog]", has_text="Delete").first.get_attribute("href")
    page.goto(f"{cloud.url}{address}")
    expect(page.get_by_text("cannot be brought back")).to_be_visible()
    page.get_by_role("button", name="Delete of-its-own").click()
    expect(page).to_have_url(re.compile(r"/instances/$"))
    api.wait_gone(server_id)
