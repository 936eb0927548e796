"""A newcomer lets SSH in: told by the instance's page that nothing does, he opens port 22; on a host that pretends."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cloud import Api, Cloud
from tests.e2e.test_browser import SHOTS, page, sign_in  # noqa: F401

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return Api(cloud)


def shoot(page: Page, name: str) -> None:  # noqa: F811
    """Take the page on a desk and on a phone, where it must not scroll sideways."""
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 800})
    page.screenshot(path=SHOTS / f"{name}-narrow.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 860})


def rules(api: Api) -> list[dict[str, object]]:
    found = api.http.get("/network/v2.0/security-group-rules", params={"direction": "ingress"}).json()
    return [rule for rule in found["security_group_rules"] if rule["remote_group_id"] is None]


def test_port_22_is_opened_where_the_instance_says_that_nothing_opens_it(cloud: Cloud, api: Api, page: Page):  # noqa: F811
    server_id = api.create("web-1")
    api.wait(server_id)
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/instances/{server_id}/network/")
    expect(page.get_by_text("No rule lets SSH in")).to_be_visible()
    shoot(page, "instance-network")

    page.get_by_role("link", name="Let SSH in").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("SSH (TCP 22)")).to_be_checked()
    expect(dialog.get_by_label("Ports")).to_be_hidden()
    page.screenshot(path=SHOTS / "rule-new.png")
    dialog.get_by_role("button", name="Add rule").click()
    page.wait_for_url(re.compile(r"/security-groups/[0-9a-f-]{36}/"))
    expect(page.get_by_role("row", name=re.compile(r"Incoming TCP 22 from anywhere \(IPv4\)"))).to_be_visible()
    assert [(rule["protocol"], rule["port_range_min"]) for rule in rules(api)] == [("tcp", 22)]
    shoot(page, "security-group")

    page.get_by_role("link", name="web-1").click()
    expect(page.get_by_role("heading", name="Interfaces")).to_be_visible()
    expect(page.get_by_text("No rule lets SSH in")).to_have_count(0)


def test_a_rule_of_ones_own_shows_its_command_and_can_be_deleted(cloud: Cloud, api: Api, page: Page):  # noqa: F811
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/security-groups/")
    page.get_by_role("link", name="Create security group").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("games")
    dialog.get_by_role("button", name="Create security group").click()
    page.get_by_role("link", name="Add rule").click()
    dialog.get_by_text("Custom", exact=True).click()
    dialog.get_by_label("Protocol").select_option("udp")
    dialog.get_by_label("Ports").fill("nonsense")
    dialog.get_by_role("button", name="Add rule").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("one port or a range")
    dialog.get_by_label("Ports").fill("27015-27030")
    dialog.get_by_label("From").select_option("range")
    dialog.get_by_label("Addresses").fill("203.0.113.0/24")
    dialog.get_by_text("Equivalent command").click()
    expect(dialog.locator("#rule-commands")).to_contain_text("--dst-port 27015:27030")
    page.screenshot(path=SHOTS / "rule-custom.png")
    dialog.get_by_role("button", name="Add rule").click()
    row = page.get_by_role("row", name="Incoming UDP 27015–27030 from 203.0.113.0/24")
    row.get_by_role("link", name="Delete").click()
    page.screenshot(path=SHOTS / "rule-delete.png")
    dialog.get_by_role("button", name="Delete rule").click()
    expect(page.get_by_text("The rule is deleted")).to_be_visible()
    expect(row).to_have_count(0)
    page.goto(f"{cloud.url}/security-groups/")
    shoot(page, "security-groups")


def test_an_instance_gets_a_second_card_and_gives_it_back(cloud: Cloud, api: Api, page: Page):  # noqa: F811
    server_id = api.create("two-cards")
    api.wait(server_id)
    sign_in(page, cloud)
    page.goto(f"{cloud.url}/networks/")
    page.get_by_role("link", name="Create network").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("backend")
    dialog.get_by_label("Range").fill("192.168.50.0/24")
    page.screenshot(path=SHOTS / "network-new.png")
    dialog.get_by_role("button", name="Create network").click()
    expect(page.get_by_role("row", name=re.compile("backend"))).to_contain_text("0 / 253")
    shoot(page, "networks")

    page.goto(f"{cloud.url}/instances/{server_id}/network/")
    page.get_by_role("link", name="Attach interface").click()
    dialog.get_by_label("Network").select_option(label="backend (192.168.50.0/24)")
    page.screenshot(path=SHOTS / "interface-attach.png")
    dialog.get_by_role("button", name="Attach interface").click()
    row = page.get_by_role("row", name=re.compile("backend"))
    expect(row.get_by_text("Connected")).to_be_visible(timeout=15_000)
    shoot(page, "instance-two-cards")
    row.get_by_role("link", name="Detach").click()
    expect(dialog.get_by_label("Interface")).to_contain_text("192.168.50.")
    dialog.get_by_role("button", name="Detach interface").click()
    expect(row).to_have_count(0, timeout=15_000)

    page.goto(f"{cloud.url}/instances/new/")
    page.get_by_label("Name", exact=True).fill("web-2")
    page.locator("summary").filter(has_text="Network").click()
    page.get_by_label("backend (192.168.50.0/24)").check()
    expect(page.locator("#launch-summary")).to_contain_text("--security-group default")
    shoot(page, "launch-network")
