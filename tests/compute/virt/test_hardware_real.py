"""Hardware that flavors and images ask for, on real QEMU: the guest starts with it, and has it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compute.states import PowerState
from compute.virt.driver import GuestSize, never
from compute.virt.libvirt import metadata
from compute.virt.libvirt.differences import steady
from compute.virt.libvirt.markup import read
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import driver, images, make, net, prefix, tiny  # noqa: F401
from tests.compute.virt.test_parts import files
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

MODERN = {
    "hw_machine_type": "q35",
    "hw_disk_bus": "scsi",
    "hw_cdrom_bus": "sata",
    "hw_video_model": "virtio",
    "hw_qemu_guest_agent": "yes",
    "hw_pointer_model": "usbtablet",
    "hw_usb_model": "qemu-xhci",
    "hw_boot_menu": "true",
    "hw_vif_multiqueue_enabled": "true",
    "hw_sound_model": "ich9",
}
OLD = {
    "hw_machine_type": "pc",
    "hw_disk_bus": "ide",
    "hw_cdrom_bus": "ide",
    "hw_vif_model": "e1000",
    "hw_video_model": "vga",
    "hw_watchdog_action": "reset",
    "hw_serial_port_count": "3",
    "hw_time_hpet": "true",
    "hw_input_bus": "usb",
}
WINDOWS = {"os_type": "windows", "img_hide_hypervisor_id": "true", "hw_disk_bus": "sata", "hw_vif_model": "rtl8139"}
LIMITS = {
    "quota:cpu_quota": "50000",
    "quota:cpu_period": "100000",
    "quota:disk_total_iops_sec": "1000",
    "hw_rng:rate_bytes": "4096",
    "hw:cpu_sockets": "1",
    "hw:cpu_threads": "2",
}
UEFI = {"hw_firmware_type": "uefi", "hw_machine_type": "q35"}


@pytest.mark.parametrize(
    ("properties", "specs", "there"),
    [
        (MODERN, {}, ["devices/channel/target[@name='org.qemu.guest_agent.0']", "devices/disk/target[@bus='scsi']"]),
        (OLD, {}, ["devices/watchdog", "devices/disk/target[@bus='ide']", "devices/serial/target[@port='3']"]),
        (WINDOWS, {}, ["clock[@offset='localtime']", "devices/disk/target[@bus='sata']"]),
        ({**UEFI, "os_secure_boot": "required"}, {}, ["os/loader[@secure='yes']", "features/smm"]),
        ({}, LIMITS, ["cputune/quota", "devices/disk/iotune", "cpu/topology[@threads='2']"]),
    ],
)
def test_a_guest_starts_with_the_hardware_it_was_given(driver, images, make, properties, specs, there):  # noqa: F811
    spec = make(vcpus=2, image_properties=properties, extra_specs=specs)

    built = driver.spawn(spec, images, samples.ignore, never)

    assert built.power_state == PowerState.RUNNING
    definition = read(driver.definition(spec.server_id))
    assert [path for path in there if definition.find(path) is None] == []
    driver.destroy(spec.server_id)


def test_a_guest_boots_by_uefi_and_leaves_no_memory_of_its_firmware(driver, images, make):  # noqa: F811
    spec = make(memory_mb=256, image_properties=UEFI)
    driver.spawn(spec, images, samples.ignore, never)

    log = driver.console_log(spec.server_id)
    wait_for("the kernel's word of its firmware", lambda: b"efi: EFI v" in log.read_bytes(), 120)
    wait_for("the login prompt", lambda: b"login:" in log.read_bytes(), 120)
    kept = Path(read(driver.definition(spec.server_id)).findtext("os/nvram"))
    assert kept.exists()
    driver.destroy(spec.server_id)
    assert not kept.exists()


def test_a_tagged_card_is_found_where_the_config_drive_says(driver, images, make):  # noqa: F811
    spec = make()
    card = {"type": "nic", "mac": spec.interfaces[0].mac, "tags": ["front"], "bus": "none", "address": "none"}
    spec = replace(spec, meta_data={**spec.meta_data, "devices": [card]})

    driver.spawn(spec, images, samples.ignore, never)

    drive = driver.console_log(spec.server_id).parent / "config.iso"
    told = json.loads(files(drive)[1]["/openstack/latest/meta_data.json"])["devices"][0]
    assert told["address"] == metadata.addresses_on_buses(driver.definition(spec.server_id))[card["mac"]]
    assert told["bus"] == "pci"


@pytest.mark.parametrize("properties", [MODERN, OLD])
def test_a_guest_starts_with_the_hardware_of_its_new_flavor_and_gets_the_old_back(driver, images, make, properties):  # noqa: F811
    spec = make(vcpus=1, image_properties=properties)
    driver.spawn(spec, images, samples.ignore, never)
    new = {**LIMITS, "hw:watchdog_action": "pause", "hw:boot_menu": "true"}
    card = read(driver.definition(spec.server_id)).find("devices/interface/address").attrib
    before = sorted(steady(driver.definition(spec.server_id)).splitlines())  # libvirt lists devices in another order next time

    size = GuestSize(2, 160, spec.root_gb, spec.ephemeral_gb, spec.swap_mb, "m1.new", new, properties)
    driver.resize(spec.server_id, size, "token", 0)

    assert driver.guests()[spec.server_id] == PowerState.RUNNING
    definition = read(driver.definition(spec.server_id))
    there = ["cputune/quota", "devices/disk/iotune", "cpu/topology[@threads='2']", "os/bootmenu", "devices/watchdog"]
    assert [path for path in there if definition.find(path) is None] == []
    assert definition.find("devices/interface/address").attrib == card
    driver.revert_resize(spec.server_id, "token")
    assert driver.guests()[spec.server_id] == PowerState.RUNNING
    assert sorted(steady(driver.definition(spec.server_id)).splitlines()) == before
    driver.destroy(spec.server_id)
