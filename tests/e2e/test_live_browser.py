"""A page stays true: what changes while it comes up, on a host that pretends."""

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.cloud import Api, Cloud
from tests.e2e.test_browser import kept_page, page, sign_in, wait_for_one_more_socket  # noqa: F401

pytestmark = pytest.mark.real


@pytest.mark.parametrize("address", ["/instances/", "/instances/{}/"])
def test_what_changed_before_the_feed_was_open_is_shown(cloud: Cloud, page: Page, address: str):  # noqa: F811
    api = Api(cloud)
    server_id = api.create("early")
    api.wait(server_id)
    sign_in(page, cloud)
    stopped = []

    def late(socket: WebSocketRoute) -> None:
        if not stopped:  # the page is there, and nobody tells it of this
            stopped.append(api.act(server_id, "os-stop"))
            api.wait(server_id, "SHUTOFF")
        socket.connect_to_server()

    page.route_web_socket("**/ws/servers/", late)
    page.goto(cloud.url + address.format(server_id))

    expect(page.get_by_text("Stopped", exact=True).first).to_be_visible()
    assert stopped
    api.delete(server_id)


def test_a_page_that_is_left_has_no_feed_and_catches_up_when_one_comes_back(cloud: Cloud, kept_page: Page):  # noqa: F811
    api = Api(cloud)
    server_id = api.create("kept")
    api.wait(server_id)
    sign_in(kept_page, cloud)
    kept_page.goto(f"{cloud.url}/instances/")
    expect(kept_page.locator("#live-dot")).to_have_attribute("data-state", "live")
    row = kept_page.get_by_role("row", name="kept")
    expect(row).to_contain_text("Running")
    kept_page.goto(f"{cloud.url}/images/")
    expect(kept_page.locator("#live-dot")).to_have_attribute("data-state", "live")
    api.act(server_id, "os-stop")
    api.wait(server_id, "SHUTOFF")

    kept_page.evaluate("history.back()")
    expect(row).to_contain_text("Stopped")
    wait_for_one_more_socket(kept_page)
    api.act(server_id, "os-start")
    expect(row).to_contain_text("Running")
    api.delete(server_id)
