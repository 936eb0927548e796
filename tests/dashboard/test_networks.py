"""Networks on pages: the list, the tab of an instance, and the choice when one is launched."""

import re

import pytest
from django.urls import reverse

from compute.models import Server
from compute.network.models import Network, Port, SecurityGroup
from compute.network.services import declared_networks, security_group_rules, security_groups
from compute.states import VmState
from tests.dashboard.test_forms import filled
from tests.dashboard.world import make_server

HTMX = {"HX-Request": "true"}
MADE_UP = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def backend(world):
    return declared_networks.create(ctx=world.people.member.ctx, values={"name": "backend"}, cidr="192.168.50.0/24")


@pytest.fixture
def web(world):
    return security_groups.create(ctx=world.people.member.ctx, values={"name": "web"})


@pytest.fixture
def default(world):
    return SecurityGroup.objects.get(project_id=world.people.lab.pk, name="default")


def tab(server):
    return reverse("instances:tab", args=[server.pk, "network"])


def deed(server, name, kind="action"):
    return reverse(f"instances:{kind}", args=[server.pk, name])


def act(browser, server, name, **fields):
    return browser.post(deed(server, name), {"from": "dialog", **fields})


def groups_of(server):
    return set(SecurityGroup.objects.filter(ports__device_id=server.pk).values_list("name", flat=True))


def test_the_list_tells_ranges_and_what_is_free(world, browse, backend):
    page = browse("reader").get("/networks/").text

    assert "192.168.50.0/24" in page and "0 / 253" in page
    assert "1 / 253" in page and "252 free" in page
    assert "every project" in page and "this project" in page


def test_a_network_of_another_project_is_not_there(world, browse, backend):
    client = browse("stranger")

    assert "backend" not in client.get("/networks/").text
    for pk in (backend.pk, MADE_UP):
        assert client.post(reverse("networks:action", args=[pk, "delete"])).status_code == 404


def test_search_finds_by_name_and_range(world, browse, backend):
    client = browse("member")

    for query in ("backend", "192.168.50"):
        assert client.get("/networks/", {"q": query}).text.count('<tr id="row-') == 1
    assert "Nothing matches" in client.get("/networks/", {"q": "nothing-like-it"}).text


def test_a_network_is_made_with_its_range_or_not_at_all(world, browse):
    client = browse("member")
    refused = client.post("/networks/new/", {"name": "bad", "cidr": "not a range"})
    assert refused.status_code == 400
    assert "not a valid IP subnet" in refused.text
    assert not Network.objects.filter(name="bad").exists()

    assert client.post("/networks/new/", {"name": "backend", "cidr": "192.168.60.0/24"}).url == "/networks/"
    made = Network.objects.get(name="backend")
    assert (made.network_type, made.shared, made.subnets.get().cidr) == ("local", False, "192.168.60.0/24")


def test_a_way_out_and_sharing_are_offered_to_whom_the_rules_let(world, browse):
    assert 'name="way"' not in browse("member").get("/networks/new/").text
    assert browse("member").post("/networks/new/", {"name": "x", "cidr": "10.9.0.0/24", "way": "nat"}).status_code == 400

    browse("admin").post("/networks/new/", {"name": "x", "cidr": "10.9.0.0/24", "way": "nat", "shared": "on"})
    assert Network.objects.filter(name="x", network_type="nat", shared=True).exists()


def test_a_network_goes_when_nothing_is_on_it(world, browse, backend):
    client = browse("admin", **HTMX)
    private = Network.objects.get(name="private")

    assert "1 port is on private." in client.get(reverse("networks:why", args=[private.pk, "delete"])).text
    client.post(reverse("networks:action", args=[backend.pk, "delete"]))
    assert not Network.objects.filter(pk=backend.pk).exists()


def test_the_tab_shows_cards_groups_and_buttons(world, browse):
    page = browse("member").get(tab(world.server)).text
    port = Port.objects.get(device_id=world.server.pk)

    assert port.mac_address in page and port.fixed_addresses.get().address in page
    assert f"{deed(world.server, 'detach-interface')}?port={port.pk}" in page
    reader = browse("reader").get(tab(world.server)).text
    assert deed(world.server, "attach-interface", "why") in reader
    assert "?port=" not in reader and "?group=" not in reader


@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin"])
@pytest.mark.parametrize("name", ["attach-interface", "detach-interface", "add-group", "remove-group"])
def test_the_buttons_say_what_the_service_does(world, browse, backend, web, default, who, name):
    port = Port.objects.get(device_id=world.server.pk)
    given = {
        "attach-interface": {"network": backend.pk},
        "detach-interface": {"port": port.pk},
        "add-group": {"group": web.pk},
        "remove-group": {"group": default.pk},
    }
    client = browse(who, **HTMX)
    offered = f'id="{name}-{world.server.pk}" class="btn btn-sm"' in client.get(tab(world.server)).text
    asked = client.get(deed(world.server, name)).text

    answer = act(client, world.server, name, **given[name])

    assert (answer.status_code == 204) == ('name="from"' in asked) == (who != "reader")
    if name in ("attach-interface", "add-group"):
        assert offered == (who != "reader")


def test_a_card_is_attached_and_detached(world, browse, backend):
    client = browse("member", **HTMX)
    act(client, world.server, "attach-interface", network=backend.pk, address="192.168.50.77")
    port = Port.objects.get(device_id=world.server.pk, network=backend)
    assert (port.plug, port.fixed_addresses.get().address) == ("attach", "192.168.50.77")
    assert "Attaching" in client.get(tab(world.server)).text

    Port.objects.update(plug="", status="ACTIVE")
    act(client, world.server, "detach-interface", port=port.pk)
    port.refresh_from_db()
    assert port.plug == "detach"


def test_a_card_that_cannot_be_is_refused_in_the_dialog(world, browse, backend):
    client = browse("member", **HTMX)
    taken = Port.objects.get(device_id=world.server.pk).fixed_addresses.get()

    said = act(client, world.server, "attach-interface", network=taken.subnet.network_id, address=taken.address)
    assert said.status_code == 409 and "is already in use" in said.text
    assert act(client, world.server, "attach-interface", network=MADE_UP).status_code == 400
    assert act(client, world.server, "detach-interface", port=MADE_UP).status_code == 400
    Server.objects.filter(pk=world.server.pk).update(vm_state=VmState.SUSPENDED)
    assert "Attach interface is for instances in state" in client.get(deed(world.server, "attach-interface", "why")).text
    assert act(client, world.server, "attach-interface", network=backend.pk).status_code == 409


def test_a_deed_without_scripts_leads_back_to_the_tab(world, browse, web):
    assert browse("member").post(deed(world.server, "add-group"), {"group": web.pk}).url == tab(world.server)


def test_an_instance_joins_a_group_and_leaves_it(world, browse, web, default):
    client = browse("member", **HTMX)
    asked = client.get(deed(world.server, "add-group")).text
    assert "web" in asked and f'value="{default.pk}"' not in asked

    act(client, world.server, "add-group", group=web.pk)
    assert groups_of(world.server) == {"default", "web"}
    chosen = client.get(deed(world.server, "remove-group"), {"group": web.pk}).text
    assert f'value="{web.pk}" selected' in chosen
    act(client, world.server, "remove-group", group=web.pk)
    assert groups_of(world.server) == {"default"}


def hint(browser, server):
    pages = [browser.get(path).text for path in (reverse("instances:detail", args=[server.pk]), tab(server))]
    found = ["No rule lets SSH in" in page for page in pages]
    assert found[0] == found[1]
    return found[0]


def test_the_hint_leads_to_the_form_that_lets_ssh_in(world, browse, default):
    page = browse("member").get(tab(world.server)).text
    assert f"{reverse('security-groups:new-rule', args=[default.pk])}?preset=ssh" in page
    assert hint(browse("reader"), world.server)
    assert "new-rule" not in browse("reader").get(tab(world.server)).text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}, False),
        ({"protocol": "6", "port_range_min": 1, "port_range_max": 1000, "remote_ip_prefix": "10.0.0.0/8"}, False),
        ({"protocol": "tcp"}, False),
        ({}, False),
        ({"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}, True),
        ({"protocol": "udp", "port_range_min": 22, "port_range_max": 22}, True),
        ({"protocol": "tcp", "ethertype": "IPv6"}, True),
        ({"protocol": "tcp", "direction": "egress", "port_range_min": 22, "port_range_max": 22}, True),
    ],
)
def test_the_hint_is_true(world, browse, default, values, shown):
    security_group_rules.create(
        ctx=world.people.member.ctx, group=default, values={"direction": "ingress", "ethertype": "IPv4", **values}
    )
    assert hint(browse("member"), world.server) == shown


def test_the_hint_knows_other_groups_unfiltered_cards_and_instances_without_any(world, browse, web, default):
    values = {"direction": "ingress", "protocol": "tcp", "remote_group_id": web.pk}
    rule = security_group_rules.create(ctx=world.people.member.ctx, group=default, values=values)
    assert not hint(browse("member"), world.server)
    rule.delete()
    assert hint(browse("member"), world.server)

    Port.objects.update(port_security_enabled=False)
    assert not hint(browse("member"), world.server)
    assert not hint(browse("member"), make_server(world.people.member.ctx, name="bare", address=False))


def test_the_feed_brings_the_tab(world, browse):
    part = browse("member", **HTMX).get(reverse("instances:live", args=[world.server.pk, "network"])).text

    assert f'id="network-{world.server.pk}"' in part
    assert f'id="ssh-hint-{world.server.pk}"' in part


def test_the_tab_asks_a_fixed_number_of_queries(world, browse, django_assert_max_num_queries):
    for number in range(6):
        port = Port.objects.create(network=Network.objects.get(), project_id=world.people.lab.pk, device_id=world.server.pk)
        port.security_groups.set([SecurityGroup.objects.create(name=f"g{number}", project_id=world.people.lab.pk)])
    client = browse("member")

    with django_assert_max_num_queries(26):
        assert client.get(tab(world.server)).text.count("?port=") == 7


def test_default_is_chosen_for_a_new_instance(world, browse, web, default):
    page = browse("member").get("/instances/new/").text
    boxes = dict(re.findall(r'name="security_group" value="([^"]+)"([^>]*)', page))

    assert "checked" in boxes[default.pk]
    assert "checked" not in boxes[web.pk]
    assert 'type="checkbox" name="network"' not in page


def test_an_instance_is_launched_on_chosen_networks_in_chosen_groups(world, browse, backend, web):
    private = Network.objects.get(name="private")
    client = browse("member")
    wish = filled(world, name="both", network=[private.pk, backend.pk], security_group=[web.pk])
    summary = client.post("/instances/new/preview/", wish).text
    client.post("/instances/new/", wish)

    made = Server.objects.get(name="both")
    assert set(Port.objects.filter(device_id=made.pk).values_list("network__name", flat=True)) == {"private", "backend"}
    assert groups_of(made) == {"web"}
    assert "--security-group web" in summary and summary.count("--network ") == 2


def test_where_there_are_several_networks_one_must_be_chosen(world, browse, backend):
    answer = browse("member").post("/instances/new/", filled(world, name="nowhere", network=[]))

    assert answer.status_code == 400
    assert 'href="#id_network"' in answer.text
    assert not Server.objects.filter(name="nowhere").exists()


def test_networks_and_groups_can_stand_in_a_link(world, browse, backend, web):
    page = browse("member").get("/instances/new/", {"network": backend.pk, "security_group": web.pk}).text

    assert re.search(rf'value="{backend.pk}"[^>]* checked', page)
    assert re.search(rf'value="{web.pk}"[^>]* checked', page)


def test_a_group_of_another_project_cannot_be_chosen(world, browse):
    theirs = security_groups.create(ctx=world.people.stranger.ctx, values={"name": "theirs"})

    assert browse("member").post("/instances/new/", filled(world, security_group=[theirs.pk])).status_code == 400
