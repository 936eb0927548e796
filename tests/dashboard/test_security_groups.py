"""Pages of security groups: what they say in words, who may change what, and what a service refuses."""

import pytest
from django.urls import reverse

from accounts.services import quotas
from compute.network.models import Port, SecurityGroup, SecurityGroupRule
from compute.network.services import security_group_rules, security_groups
from portal.core.errors import CloudError
from portal.dashboard.security_groups.words import sentence
from tests.accounts.factories import ServiceFactory

HTMX = {"HX-Request": "true"}
SSH = {"preset": "ssh", "source": "anywhere"}


@pytest.fixture
def web(world):
    return security_groups.create(ctx=world.people.member.ctx, values={"name": "web", "description": "front"})


@pytest.fixture
def default(world):
    return SecurityGroup.objects.get(project_id=world.people.lab.pk, name="default")


def page_of(group, name="detail", *more):
    return reverse(f"security-groups:{name}", args=[group.pk, *more])


def add(browser, group, /, **fields):
    return browser.post(page_of(group, "new-rule"), {**SSH, **fields})


def incoming(group):
    return [rule for rule in group.rules.filter(direction="ingress") if rule.remote_group_id != group.pk]


@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin"])
def test_the_list_and_a_group_answer_everybody_in_the_project(world, browse, web, who):
    listed = browse(who).get("/security-groups/").text
    shown = browse(who).get(page_of(web)).text

    assert page_of(web) in listed
    assert "front" in shown
    assert "Outgoing traffic of any kind to anywhere (IPv4)" in shown


def test_a_group_of_another_project_looks_like_none(world, browse, web, default):
    stranger = browse("stranger")
    rule = default.rules.first()
    paths = [
        page_of(web),
        page_of(web, "new-rule"),
        page_of(web, "action", "delete"),
        reverse("security-groups:rules:action", args=[rule.pk, "delete"]),
    ]
    for path in paths:
        for answer in (stranger.get(path), stranger.get(path.replace(web.pk, "00000000-0000-4000-8000-000000000000"))):
            assert answer.status_code == 404, path
    assert stranger.post(paths[3]).status_code == 404
    assert SecurityGroupRule.objects.filter(pk=rule.pk).exists()
    assert page_of(web) not in stranger.get("/security-groups/").text


def test_a_project_without_groups_gets_its_default_one(personas, browse):
    page = browse("member").get("/security-groups/").text

    assert SecurityGroup.objects.filter(project_id=personas.lab.pk, name="default").exists()
    assert ">default</a>" in page


def test_search_finds_by_name_and_description(world, browse, web):
    client = browse("member")

    assert client.get("/security-groups/", {"q": "FRONT"}).text.count('<tr id="row-') == 1
    assert "Nothing matches" in client.get("/security-groups/", {"q": "nothing-like-it"}).text


def test_port_22_is_opened_with_one_click(world, browse, default):
    answer = add(browse("member"), default)

    assert answer.url == page_of(default)
    rule = incoming(default)[0]
    assert (rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix) == ("tcp", 22, 22, None)
    assert "Incoming TCP 22 from anywhere (IPv4)" in browse("member").get(page_of(default)).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"preset": "ping"}, "Incoming ICMP from anywhere (IPv4)"),
        ({"preset": "all", "source": "range", "cidr": "10.0.0.0/8"}, "Incoming traffic of any kind from 10.0.0.0/8"),
        ({"preset": "https", "source": "range", "cidr": "2001:db8::/32"}, "Incoming TCP 443 from 2001:db8::/32"),
        ({"preset": "custom", "protocol": "udp", "ports": "5000 - 5010"}, "Incoming UDP 5000–5010 from anywhere (IPv4)"),
        (
            {"preset": "custom", "protocol": "sctp", "ports": "7", "direction": "egress"},
            "Outgoing SCTP 7 to anywhere (IPv4)",
        ),
        ({"preset": "custom", "protocol": "", "ports": ""}, "Incoming traffic of any kind from anywhere (IPv4)"),
        ({"preset": "ssh", "ports": "left over from custom", "cidr": "?"}, "Incoming TCP 22 from anywhere (IPv4)"),
    ],
)
def test_what_is_chosen_stands_there_in_words(world, browse, web, fields, words):
    assert add(browse("member"), web, **fields).status_code == 302
    assert words in browse("member").get(page_of(web)).text


def test_another_group_can_be_let_in(world, browse, web, default):
    add(browse("member"), web, preset="http", source="group", group=default.pk)

    assert "Incoming TCP 80 from group default (IPv4)" in browse("member").get(page_of(web)).text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"preset": "custom", "protocol": "tcp", "ports": "many"}, "Write one port or a range"),
        ({"preset": "custom", "protocol": "icmp", "ports": "8"}, "Only TCP, UDP and SCTP have ports."),
        ({"preset": "custom", "protocol": "tcp", "ports": "70000"}, "Invalid value for port 70000."),
        ({"source": "range", "cidr": ""}, "Write an address or a range"),
        ({"source": "range", "cidr": "10.0.0.0/99"}, "Write an address or a range"),
        ({"source": "group", "group": "00000000-0000-4000-8000-000000000000"}, "Select a valid choice"),
        ({"prest": "http"}, "Unknown field: prest."),
    ],
)
def test_a_rule_that_cannot_be_stands_on_the_form(world, browse, web, fields, fault):
    answer = add(browse("member", **HTMX), web, **fields)

    assert answer.status_code == 400
    assert fault in answer.text
    assert incoming(web) == []


def test_the_same_rule_twice_and_a_full_quota_are_refused_in_the_services_words(world, browse, web):
    client = browse("member")
    add(client, web)
    assert "Security group rule already exists." in add(client, web).text
    ServiceFactory(type="network")
    quotas.set_limits(world.people.lab.pk, {"security_group_rule": 0})
    assert "Quota exceeded for resources" in add(client, web, preset="http").text


def test_the_form_can_be_opened_with_a_choice_and_follows_it_with_the_command(world, browse, web):
    client = browse("member", **HTMX)

    opened = client.get(page_of(web, "new-rule"), {"preset": "https"}).text
    assert "--dst-port 443" in opened
    followed = client.post(page_of(web, "preview"), {**SSH, "preset": "http", "source": "range", "cidr": "10.0.0.1"}).text
    assert "--dst-port 80" in followed and "--remote-ip 10.0.0.1/32" in followed
    assert client.post(page_of(web, "preview"), {"preset": "?"}).status_code == 204


@pytest.mark.parametrize("who", ["reader", "member", "manager", "admin"])
def test_the_pages_offer_what_the_services_allow(world, browse, web, who):
    ctx, client = getattr(world.people, who).ctx, browse(who)
    may = who != "reader"
    rule = web.rules.first()
    page = client.get(page_of(web)).text

    assert (f'href="{page_of(web, "action", "delete")}"' in page) == may
    assert (f'href="{page_of(web, "why", "delete")}"' in page) != may
    assert (f'href="{reverse("security-groups:rules:action", args=[rule.pk, "delete"])}"' in page) == may
    assert ('href="/security-groups/new/"' in client.get("/security-groups/").text) == may
    assert ('name="preset"' in client.get(page_of(web, "new-rule")).text) == may
    assert succeeds(lambda: security_group_rules.delete(ctx=ctx, rule=rule)) == may
    assert succeeds(lambda: security_groups.delete(ctx=ctx, group=web)) == may


def succeeds(deed):
    try:
        deed()
    except CloudError:
        return False
    return True


def test_a_reader_is_told_why(world, browse, web):
    for path in ("/security-groups/new/why/", page_of(web, "new-rule"), page_of(web, "why", "edit")):
        assert "You are reader in lab." in browse("reader", **HTMX).get(path).text, path
    assert add(browse("reader", **HTMX), web).status_code == 403
    assert browse("reader", **HTMX).post("/security-groups/new/", {"name": "mine"}).status_code == 400
    assert incoming(web) == []


def test_making_renaming_and_deleting_a_group(world, browse):
    client = browse("member")
    client.post("/security-groups/new/", {"name": "db", "description": ""})
    made = SecurityGroup.objects.get(name="db")
    client.post(page_of(made, "action", "edit"), {"name": "data", "description": "rows"})
    made.refresh_from_db()
    assert (made.name, made.description) == ("data", "rows")

    question = client.get(page_of(made, "action", "delete")).text
    assert "Its rules go with it" in question
    assert client.post(page_of(made, "action", "delete")).url == "/security-groups/"
    assert not SecurityGroup.objects.filter(name="data").exists()


def test_default_keeps_its_name_and_stays(world, browse, default):
    client = browse("member", **HTMX)
    client.post(page_of(default, "action", "edit"), {"name": "other", "description": "ours"})
    default.refresh_from_db()
    assert (default.name, default.description) == ("default", "ours")

    Port.objects.all().delete()
    assert "Every project has its group default." in client.get(page_of(default, "why", "delete")).text
    assert client.post(page_of(default, "action", "delete")).status_code == 409


def test_a_group_in_use_says_so_and_by_whom(world, browse, default):
    client = browse("admin", **HTMX)

    assert "1 port is in default." in client.get(page_of(default, "why", "delete")).text
    assert reverse("instances:tab", args=[world.server.pk, "network"]) in client.get(page_of(default)).text


def test_a_rule_is_deleted_after_it_was_named(world, browse, web):
    add(browse("member"), web)
    (rule,) = incoming(web)
    path = reverse("security-groups:rules:action", args=[rule.pk, "delete"])
    client = browse("member", **HTMX)

    assert "Incoming TCP 22 from anywhere (IPv4)" in client.get(path).text
    assert client.post(path).headers["HX-Redirect"] == page_of(web)
    assert incoming(web) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"protocol": "icmp", "port_range_min": 8}, "Incoming ICMP type 8 from anywhere (IPv4)"),
        ({"protocol": "icmp", "port_range_min": 3, "port_range_max": 4}, "Incoming ICMP type 3 code 4 from anywhere (IPv4)"),
        ({"protocol": "89", "ethertype": "IPv6"}, "Incoming protocol 89 from anywhere (IPv6)"),
        ({"remote_ip_prefix": "0.0.0.0/0"}, "Incoming traffic of any kind from anywhere (IPv4)"),
    ],
)
def test_rules_that_the_api_made_have_words_too(world, web, fields, words):
    assert sentence(SecurityGroupRule(security_group=web, direction="ingress", **fields)) == words


def test_pages_ask_a_fixed_number_of_queries(world, browse, default, django_assert_max_num_queries):
    ctx = world.people.member.ctx
    for number in range(1, 9):
        group = security_groups.create(ctx=ctx, values={"name": f"g{number}"})
        values = {"direction": "ingress", "protocol": "tcp", "port_range_min": number, "port_range_max": number}
        security_group_rules.create(ctx=ctx, group=default, values={**values, "remote_group_id": group.pk})
    client = browse("member")

    with django_assert_max_num_queries(22):
        assert client.get("/security-groups/").text.count('<tr id="row-') == 9
    with django_assert_max_num_queries(22):
        assert client.get(page_of(default)).text.count('<tr id="row-') == 12
