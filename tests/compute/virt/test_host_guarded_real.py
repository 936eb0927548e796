"""What guests can say to their host, on a real kernel: what it needs to hear, and nothing to its own services."""

from dataclasses import replace

import pytest

from compute.virt.filtering import RuleSpec
from compute.virt.libvirt import ruleset
from tests.compute.virt.bridged import HOST, OUTSIDE, TABLE
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

API = 8000
OTHER = "192.0.2.1"
REWRITTEN = f"""\
table ip operator {{
    chain before {{
        type nat hook prerouting priority dstnat;
        ip daddr 169.254.169.254 tcp dport 80 redirect to :8775
        ip daddr {HOST} tcp dport 5432 dnat to {OUTSIDE}:5432
    }}
}}"""


@pytest.fixture
def host(world):
    """The host of two guests that may send what they like, with a card to the outside."""
    world.connect_outside()
    return world


def free(world, guest):
    """Take every filter off a guest's card, as its network's owner may."""
    world.nft(ruleset.port(TABLE, replace(world.ports[guest], on=False), world.ports[guest]))


def test_guests_reach_no_service_of_their_host_at_any_of_its_addresses(host):
    for address in (HOST, OTHER):
        assert not host.connects("a", address, API)
        assert host.pings("a", address)
    assert host.connects("a", HOST, 53)
    assert not host.connects("a", OTHER, 53)
    host.nft(ruleset.remove(TABLE))
    assert host.connects("a", OTHER, API), "it was the filter that kept it out"


def test_a_card_without_any_filter_reaches_no_service_either(host):
    free(host, "a")

    assert not host.connects("a", HOST, API)
    assert host.connects("a", HOST, 53)


def test_datagrams_pass_for_addresses_and_names_alone(host):
    sent = [f"{to}:{port}" for to in (OTHER, "10.5.0.255", "255.255.255.255", HOST) for port in (5353, 53, 67)]

    assert set(host.heard("a", *sent)) == {f"{HOST}:53", f"{HOST}:67", "10.5.0.255:67", "255.255.255.255:67"}


def test_the_world_outside_is_reached_as_before(host):
    assert host.connects("a", OUTSIDE, API)


def test_the_host_reaches_its_guests_and_hears_their_answers(host):
    host.rules("group-b", RuleSpec("ingress", 6))

    assert host.connects("", host.address("b"), 22)


def test_what_the_host_leads_elsewhere_is_judged_by_where_the_guest_sent_it(host):
    """So the metadata service is reached, and a database that a container publishes at the host's address is not."""
    host.on_host("nft", "-f", "-", text=REWRITTEN)

    assert host.connects("a", "169.254.169.254", 80)
    assert not host.connects("a", HOST, 8775)
    assert not host.connects("a", HOST, 5432)
    assert host.connects("a", OUTSIDE, 5432)


def test_an_operator_opens_single_services(host):
    host.nft(ruleset.base(TABLE, ["tcp/8000", "udp/123"]))

    assert host.connects("a", HOST, API)
    assert host.connects("a", OTHER, API)
    assert not host.connects("a", HOST, 22)
    assert host.heard("a", f"{HOST}:8000", f"{HOST}:123") == [f"{HOST}:123"]

    host.nft(ruleset.base(TABLE))
    assert not host.connects("a", HOST, API)


def test_installations_on_one_machine_speak_for_their_own_bridges(host):
    host.nft(ruleset.base(TABLE, ["tcp/8000"]))
    host.nft([*ruleset.base("nebulet_other"), *ruleset.bridges("nebulet_other", ["nbr-o"])])

    assert host.connects("a", HOST, API)


def test_no_guarded_card_speaks_ipv6(host):
    address = host.on_host("ip", "-o", "-6", "addr", "show", "dev", "nbr-t").stdout.split()[3].partition("/")[0]
    assert address.startswith("fe80:")
    host.nft(ruleset.remove(TABLE))
    wait_for("a way without rules", lambda: host.connects("a", f"{address}%eth0", API), 60)

    host.guard()
    assert not host.connects("a", f"{address}%eth0", API)
