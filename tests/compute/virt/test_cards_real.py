"""Cards plugged into a real running guest and taken out, and its security groups as the host sees them."""

import subprocess
from dataclasses import replace

import pytest

from compute.virt.driver import Wishes, never
from compute.virt.filtering import GroupSpec, PortFilter, RuleSpec
from compute.virt.naming import tap
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import (  # noqa: F401
    answers,
    booted,
    driver,
    images,
    make,
    net,
    prefix,
    table,
    tiny,
    virsh,
)

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


def filtered(card, group, revision=1):
    return replace(card, filter=PortFilter(card.port_id, revision, card.mac, card.addresses, [group.id]))


def group(*rules, revision=1):
    return GroupSpec("d1f3b2a0-0000-4000-8000-000000000001", revision, [RuleSpec("egress"), *rules], [])


def test_a_guest_is_reached_only_as_its_groups_say(driver, images, make, net):  # noqa: F811
    closed, opened = group(), group(RuleSpec("ingress", 6, 22, 22), revision=2)
    spec = make(21, interfaces=[filtered(samples.interface(21, net), closed)], groups=[closed])
    driver.spawn(spec, images, samples.ignore, never)
    assert spec.interfaces[0].addresses[0].encode() in booted(driver, spec)
    address = spec.interfaces[0].addresses[0]
    assert not answers(address)

    driver.set_filters([], [opened])
    assert answers(address)
    driver.set_filters([], [closed])
    assert answers(address), "older news must change nothing"

    assert driver._guard.__class__(prefix_of(driver), driver._instances / "_filters").install()
    assert answers(address), "a worker that starts anew finds what was told"
    driver.set_filters([], [group(revision=3)])
    assert not answers(address)


def prefix_of(driver):  # noqa: F811
    return driver._options.installation


def test_a_card_comes_and_goes_while_the_guest_runs_and_while_it_is_off(driver, images, make, net, prefix):  # noqa: F811
    spec = make(22)
    driver.spawn(spec, images, samples.ignore, never)
    booted(driver, spec)
    lab = replace(samples.network(f"{prefix}-lab", f"{prefix}lb", octet=199), nat=False, dhcp=["option:dns-server,192.0.2.53"])
    card = samples.interface(23, lab)
    try:
        for _ in range(2):
            driver.attach_interface(spec.server_id, card, [], Wishes(image_properties={"hw_vif_model": "e1000"}))
        listed = virsh("domiflist", spec.server_id).stdout
        assert listed.count(card.mac) == 1
        assert "e1000" in listed
        assert virsh("domiflist", "--inactive", spec.server_id).stdout.count(card.mac) == 1
        assert card.addresses[0] in table(driver)
        assert "forward" not in virsh("net-dumpxml", lab.name).stdout

        for _ in range(2):
            driver.detach_interface(spec.server_id, card.port_id)
        assert card.mac not in virsh("domiflist", spec.server_id).stdout
        assert card.mac not in driver.definition(spec.server_id)
        assert card.mac not in table(driver)
        assert not (driver._instances / "_dhcp" / lab.name / card.addresses[0]).exists()

        driver.power_off(spec.server_id, 0)
        driver.attach_interface(spec.server_id, card, [])
        driver.power_on(spec.server_id)
        assert card.mac in virsh("domiflist", spec.server_id).stdout
        driver.destroy(spec.server_id)
        assert tap(card.port_id) not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
        assert card.mac not in table(driver)
    finally:
        driver.destroy(spec.server_id)
        virsh("net-destroy", lab.name)
        virsh("net-undefine", lab.name)
