"""The filters of ports on a real kernel."""

import subprocess
import sys
from dataclasses import replace

import pytest

from compute.virt.filtering import PairSpec, RuleSpec
from compute.virt.libvirt import ruleset
from compute.virt.naming import tap
from tests.compute.virt.bridged import HOST, PING, TABLE

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


def test_nothing_comes_in_but_answers_to_what_went_out(world):
    assert world.pings("a", HOST)
    assert not world.host_pings(world.address("a"))
    assert not world.pings("a", world.address("b"))
    assert not world.connects("a", world.address("b"), 22)


def test_a_rule_opens_and_closes_at_once(world):
    a, b = world.address("a"), world.address("b")
    world.rules("group-b", RuleSpec("ingress", 6, 20, 22, prefix=f"{a}/32"))
    assert world.connects("a", b, 22)
    assert not world.connects("a", b, 23)
    assert not world.connects("b", a, 22)
    assert not world.pings("a", b)

    world.rules("group-b", RuleSpec("ingress", 1, 8, 0))
    assert world.pings("a", b)
    assert world.host_pings(b)
    assert not world.connects("a", b, 22)

    world.rules("group-b")
    assert not world.pings("a", b)


def test_a_connection_ends_with_the_rule_that_let_it_in(world):
    world.rules("group-b", RuleSpec("ingress", 1))
    words = ["ip", "netns", "exec", f"{world.name}a", sys.executable, "-c", PING, world.address("b"), "0.0.0.0", "15"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as pinging:
        assert pinging.stdout is not None
        assert "answer" in pinging.stdout.readline()
        world.rules("group-b")
        rest = pinging.stdout.read()
    assert rest.count("answer") <= 3, rest


def test_members_of_a_named_group_come_in_and_others_do_not(world):
    world.rules("group-b", RuleSpec("ingress", group_id="group-a"))
    assert world.pings("a", world.address("b"))
    assert not world.host_pings(world.address("b"))

    world.groups["group-a"] = replace(world.groups["group-a"], members=[])
    world.nft(ruleset.group(TABLE, world.groups["group-a"]))
    assert not world.pings("a", world.address("b"))


def test_what_a_guest_may_send_is_said_by_its_groups_too(world):
    world.groups["group-a"] = replace(world.groups["group-a"], rules=[RuleSpec("egress", 1, prefix=f"{HOST}/32")])
    world.nft(ruleset.group(TABLE, world.groups["group-a"]))
    world.rules("group-b", RuleSpec("ingress"))
    assert world.pings("a", HOST)
    assert not world.pings("a", world.address("b"))
    assert not world.connects("a", HOST, 22)


def test_no_guest_speaks_with_anothers_address(world):
    world.rules("group-b", RuleSpec("ingress"))
    world.on("a", "ip", "addr", "add", "10.5.0.99/24", "dev", "eth0")
    assert not world.pings("a", HOST, "10.5.0.99")
    assert world.pings("a", HOST)

    paired = replace(world.ports["a"], pairs=[PairSpec(world.ports["a"].mac, "10.5.0.96/28")])
    world.nft(ruleset.port(TABLE, paired, world.ports["a"]))
    assert world.pings("a", HOST, "10.5.0.99")

    world.nft(ruleset.port(TABLE, world.ports["a"], paired))
    assert not world.pings("a", HOST, "10.5.0.99")
    world.on("a", "ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:77")
    assert not world.pings("a", HOST)


def test_an_unfiltered_port_does_as_it_likes(world):
    free = replace(world.ports["a"], on=False)
    world.nft(ruleset.port(TABLE, free, world.ports["a"]))
    world.on("a", "ip", "addr", "add", "10.5.0.99/24", "dev", "eth0")
    assert world.pings("a", HOST, "10.5.0.99")
    assert world.host_pings(world.address("a"))


def test_everything_can_be_said_twice_and_taken_away_without_a_trace(world):
    empty = world.on_host("nft", "list", "ruleset").stdout
    for _ in range(2):
        world.nft(ruleset.base(TABLE))
        for group in world.groups.values():
            world.nft(ruleset.group(TABLE, group))
        for port in world.ports.values():
            world.nft(ruleset.port(TABLE, port))
    assert world.on_host("nft", "list", "ruleset").stdout == empty
    for _ in range(2):
        for port in world.ports.values():
            world.nft(ruleset.without_port(TABLE, port))
        world.nft(ruleset.without_groups(TABLE, sorted(world.groups)))
    left = world.on_host("nft", "list", "ruleset").stdout
    assert not any(tap(port.port_id) in left or port.port_id.replace("-", "") in left for port in world.ports.values())
    world.nft(ruleset.remove(TABLE))
    assert world.on_host("nft", "list", "ruleset").stdout == ""
