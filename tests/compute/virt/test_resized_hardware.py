"""A resized guest has the definition that a new guest of that flavor would get, on libvirt's test driver."""

from dataclasses import replace

import pytest

from compute.virt.driver import GuestSize, never
from compute.virt.errors import DriverError
from compute.virt.libvirt.differences import between
from compute.virt.libvirt.markup import read, render
from tests.compute.virt import samples

PLAIN: dict[str, str] = {}
RICH = {
    "hw:cpu_max_sockets": "1",
    "hw:cpu_threads": "2",
    "trait:HW_CPU_X86_AVX2": "required",
    "quota:cpu_shares": "3000",
    "quota:cpu_period": "20000",
    "quota:cpu_quota": "10000",
    "quota:disk_read_bytes_sec": "10485760",
    "quota:vif_inbound_average": "1000",
    "hw:vif_multiqueue_enabled": "true",
    "hw:virtio_packed_ring": "true",
    "hw:watchdog_action": "poweroff",
    "hw:serial_port_count": "3",
    "hw:boot_menu": "true",
    "hw:sound_model": "ich6",
    "hw:usb_model": "qemu-xhci",
    "hw:mem_page_size": "large",
    "hw:locked_memory": "true",
    "hw:pmu": "false",
    "hw_rng:rate_bytes": "2048",
    "hw_video:ram_max_mb": "32",
}
OTHER = {"hw:watchdog_action": "reset", "hw_rng:allowed": "false", "hw:serial_port_count": "0", "hw:usb_model": "nec-xhci"}
IMAGE = {"hw_qemu_guest_agent": "yes", "hw_pointer_model": "usbtablet", "hw_disk_bus": "virtio", "hw_cpu_max_threads": "2"}


@pytest.fixture
def driver(libvirt_driver):
    return libvirt_driver


def sized(spec, extra_specs, vcpus=4):
    return replace(
        spec,
        vcpus=vcpus,
        memory_mb=1024,
        root_gb=2,
        flavor_name="m1.other",
        extra_specs=extra_specs,
        image_properties=IMAGE,
    )


def size_of(spec):
    return GuestSize(spec.vcpus, spec.memory_mb, spec.root_gb, 0, 0, spec.flavor_name, spec.extra_specs, spec.image_properties)


def ordered(definition):
    """Return the definition with the devices of each kind together, as a guest sees them."""
    root = read(definition)
    devices = root.find("devices")
    devices[:] = sorted(devices, key=lambda device: (device.tag, device.get("type", "")))
    return render(root)


def difference(one, other):
    return "\n".join(line.sign + line.text for line in between(one, other))


@pytest.mark.parametrize(
    ("before", "after"), [(PLAIN, RICH), (RICH, PLAIN), (RICH, OTHER), (OTHER, RICH), (PLAIN, PLAIN), (RICH, RICH)]
)
def test_it_is_what_a_new_guest_would_be_and_a_revert_gives_the_old_back(driver, spec, base, before, after):
    new = sized(spec, after)
    fresh = driver.spawn(new, samples.OneFile(base), samples.ignore, never).definition
    driver.destroy(spec.server_id)
    old = replace(sized(spec, before, vcpus=2), root_gb=1)
    at_first = driver.spawn(old, samples.OneFile(base), samples.ignore, never).definition

    driver.resize(spec.server_id, size_of(new), "token", 0)

    assert difference(ordered(fresh), ordered(driver.definition(spec.server_id))) == ""
    driver.revert_resize(spec.server_id, "token")
    assert difference(at_first, driver.definition(spec.server_id)) == ""
    driver.destroy(spec.server_id)


def test_devices_of_the_same_model_stay_where_they_are_plugged_in(driver, spec, base):
    old = sized(spec, {"hw:watchdog_action": "reset"})
    driver.spawn(old, samples.OneFile(base), samples.ignore, never)
    folder = driver.console_log(spec.server_id).parent
    root = read((folder / "domain.xml").read_text())
    place = {"type": "pci", "domain": "0x0000", "bus": "0x00", "slot": "0x09", "function": "0x0"}
    for name in ("watchdog", "interface"):
        device = root.find(f"devices/{name}")
        device.append(device.makeelement("address", place))
    driver._connection.get().defineXML(render(root))

    driver.resize(spec.server_id, size_of(sized(spec, {"hw:watchdog_action": "pause"})), "token", 0)

    found = read(driver.definition(spec.server_id))
    assert found.find("devices/watchdog").get("action") == "pause"
    for name in ("watchdog", "interface"):
        assert found.find(f"devices/{name}/address").get("slot") == "0x09"
    driver.destroy(spec.server_id)


def test_hardware_that_cannot_be_is_refused_and_the_guest_is_as_it_was(driver, spec, base):
    before = driver.spawn(sized(spec, PLAIN), samples.OneFile(base), samples.ignore, never).definition
    for specs in (
        {"hw:cpu_max_cores": "1", "hw:cpu_max_sockets": "1", "hw:cpu_max_threads": "1"},
        {"hw:cpu_policy": "dedicated"},
    ):
        with pytest.raises(DriverError):
            driver.resize(spec.server_id, size_of(sized(spec, specs)), "token", 0)
    assert difference(before, driver.definition(spec.server_id)) == ""
    driver.destroy(spec.server_id)
