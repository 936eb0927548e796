"""The commands on the pages are commands: a shell reads them, and the real client knows every word."""

import html
import json
import re
import shlex
from importlib.metadata import entry_points
from types import SimpleNamespace

import pytest
from django.urls import reverse

from compute.network.models import Network, SecurityGroup
from portal.dashboard.instances.actions import BY_NAME
from tests.dashboard.test_forms import filled

GROUPS = ("openstack.compute.v2", "openstack.image.v2", "openstack.network.v2")
PANEL = re.compile(r'<pre id="[\w-]+-(openstack|curl|terraform)"[^>]*>(.*?)</pre>', re.DOTALL)


def printed(page):
    """Return the commands of a page by their kind."""
    return {kind: html.unescape(text) for kind, text in PANEL.findall(page)}


def words_of(text):
    """Return the words that a shell would see."""
    return shlex.split(text.replace("\\\n", " "))


def parse(line):
    """Read a line with the parser of the openstack client; one that it refuses fails the test."""
    words = words_of(line)
    assert words.pop(0) == "openstack"
    known = {entry.name: entry for group in GROUPS for entry in entry_points(group=group)}
    length = next(n for n in (4, 3, 2, 1) if "_".join(words[:n]) in known)
    command = known["_".join(words[:length])].load()(SimpleNamespace(client_manager=None, vi_mode=False), None)
    return command.get_parser("openstack").parse_args(words[length:])


def read_curl(line):
    """Return method, address, headers and body of a curl command."""
    words = words_of(line)
    assert words[:2] == ["curl", "-X"]
    flags = dict.fromkeys(("-H", "-d", "-T"))
    headers, body, rest = [], None, iter(words[4:])
    for flag in rest:
        assert flag in flags
        value = next(rest)
        if flag == "-H":
            headers.append(value)
        elif flag == "-d":
            body = json.loads(value)
    return words[2], words[3], headers, body


@pytest.mark.parametrize("name", BY_NAME)
def test_the_commands_of_a_button_are_read(world, browse, name):
    forms = printed(browse("member").get(reverse("instances:command", args=[world.server.pk, name])).text)

    parse(forms["openstack"])
    method, address, headers, _body = read_curl(forms["curl"])
    assert method in ("POST", "DELETE")
    assert world.server.pk in address
    assert headers[0] == "X-Auth-Token: $OS_TOKEN"


@pytest.mark.parametrize("path", ["/keys/new/", "/keys/import/", "/images/new/", "/security-groups/new/"])
def test_the_commands_of_a_form_are_read(world, browse, path):
    forms = printed(browse("member").get(path).text)

    parse(forms["openstack"])
    for line in forms["curl"].split("\n\n"):
        read_curl(line)


@pytest.mark.parametrize(
    "fields",
    [
        {"preset": "ssh"},
        {"preset": "all", "source": "range", "cidr": "2001:db8::/32", "description": "a 'test'"},
        {"preset": "custom", "protocol": "udp", "ports": "5-9", "direction": "egress"},
    ],
)
def test_the_commands_of_a_security_groups_rule_are_read(world, browse, fields):
    group = SecurityGroup.objects.get()
    path = reverse("security-groups:preview", args=[group.pk])
    forms = printed(browse("member").post(path, {"source": "anywhere", **fields}).text)

    assert parse(forms["openstack"]).group == group.pk
    assert read_curl(forms["curl"])[3]["security_group_rule"]["security_group_id"] == group.pk


@pytest.mark.parametrize("kind", ["edit", "delete", "rule", "network"])
def test_the_commands_of_the_network_buttons_are_read(world, browse, kind):
    group = SecurityGroup.objects.get()
    path = {
        "rule": reverse("security-groups:rules:command", args=[group.rules.first().pk, "delete"]),
        "network": reverse("networks:command", args=[Network.objects.get().pk, "delete"]),
    }.get(kind) or reverse("security-groups:command", args=[group.pk, kind])
    forms = printed(browse("member").get(path).text)

    parse(forms["openstack"])
    assert read_curl(forms["curl"])[0] in ("PUT", "DELETE")


def test_a_network_takes_two_commands(world, browse):
    forms = printed(browse("member").get("/networks/new/").text)

    network, subnet = forms["openstack"].split("\nopenstack ")
    assert parse(network).name == "backend"
    assert parse(f"openstack {subnet}").network == "backend"


@pytest.mark.parametrize("name", ["web 01", "it's", "$(reboot)", "a b\\", "网页"])
def test_a_hostile_name_stays_one_word(world, browse, name):
    page = browse("member").post(
        "/instances/new/preview/", filled(world, name=name, count="2", key_name="laptop", user_data="#!/bin/sh\necho 'x'")
    )
    forms = printed(page.text)

    assert name in words_of(forms["openstack"])
    assert read_curl(forms["curl"])[3]["server"]["name"] == name
    assert parse(forms["openstack"]).max == 2


def test_a_launch_without_a_network_asks_in_a_version_that_knows_auto(world, browse):
    world.server.delete()
    headers, body = read_curl(printed(browse("member").get("/instances/").text)["curl"])[2:]

    assert body["server"]["networks"] == "auto"
    assert "OpenStack-API-Version: compute 2.37" in headers
