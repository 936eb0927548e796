"""Networks on real libvirt: what a host cannot give is said in a sentence."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from compute.virt.errors import DriverError
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import driver, net, prefix, tiny, virsh  # noqa: F401

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


@pytest.fixture
def taken(prefix):  # noqa: F811
    """A range that this machine has on a device of its own."""
    device = f"{prefix}-d"
    subprocess.run(["ip", "link", "add", device, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", "10.231.201.9/24", "dev", device], check=True)
    subprocess.run(["ip", "link", "set", device, "up"], check=True)
    yield samples.network(f"{prefix}-taken", f"{prefix}tk", octet=201)
    subprocess.run(["ip", "link", "delete", device], check=True)


def test_a_range_that_the_host_has_itself_is_named_and_works_once_it_is_free(driver, taken):  # noqa: F811
    try:
        with pytest.raises(DriverError, match=r"range 10\.231\.201\.0/24 .* in use on this host"):
            driver._networks.ensure(taken)
        driver._networks.ensure(
            replace(
                taken, cidr="10.231.202.0/24", gateway_ip="10.231.202.1", dhcp_start="10.231.202.2", dhcp_end="10.231.202.9"
            )
        )
    finally:
        virsh("net-destroy", taken.name)
        virsh("net-undefine", taken.name)


def test_a_host_has_no_ipv6_where_its_guests_are(driver, net):  # noqa: F811
    """So a card without any filter finds no service of the host there: rules of the host speak of IPv4 alone."""
    driver._networks.ensure(net)

    assert Path(f"/proc/sys/net/ipv6/conf/{net.bridge}/disable_ipv6").read_text().strip() == "1"
