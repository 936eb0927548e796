"""The network of a fresh installation."""

from ipaddress import IPv4Network

import pytest

from compute.network.models import Network
from compute.network.services import seed

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
br1\t0000B40A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_it_is_made_once(db, settings):
    settings.NETWORK_CIDR = "10.99.0.0/24"
    first = seed.seed()
    assert seed.seed() == first
    assert Network.objects.count() == 1
    subnet = first.subnets.get()
    assert (subnet.cidr, subnet.gateway_ip, subnet.enable_dhcp) == ("10.99.0.0/24", "10.99.0.1", True)
    assert subnet.allocation_pools == [{"start": "10.99.0.2", "end": "10.99.0.254"}]


def test_a_range_that_is_routed_is_avoided(tmp_path, settings, monkeypatch):
    table = tmp_path / "route"
    table.write_text(ROUTES)
    settings.NETWORK_CIDR = None
    monkeypatch.setattr(seed, "ROUTES", table)
    assert seed.local_routes(table) == [IPv4Network("192.168.1.0/24"), IPv4Network("10.180.0.0/16")]
    assert str(seed.choose_range()) == "10.181.0.0/24"
    assert seed.local_routes(tmp_path / "missing") == []


def test_a_range_without_room_is_refused(db, settings):
    settings.NETWORK_CIDR = "10.99.0.0/30"
    with pytest.raises(ValueError, match="must have room"):
        seed.seed()


def test_nothing_free_is_said(tmp_path, settings, monkeypatch):
    settings.NETWORK_CIDR = None
    monkeypatch.setattr(seed, "local_routes", lambda table: [IPv4Network("0.0.0.0/1"), IPv4Network("128.0.0.0/1")])
    with pytest.raises(ValueError, match="NEBULET_NETWORK_CIDR"):
        seed.choose_range()
