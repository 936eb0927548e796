"""What flavors and images may ask of a guest's hardware."""

import pytest

from compute.virt import hardware
from compute.virt.hardware import Hardware, Refused


def resolved(vcpus=1, specs=None, image=None):
    return hardware.resolve(vcpus, specs or {}, image or {})


def test_nobody_asked_for_anything():
    assert resolved() == Hardware()


@pytest.mark.parametrize(
    ("specs", "image", "arranged"),
    [
        ({}, {}, (8, 1, 1)),
        ({"hw:cpu_sockets": "2"}, {}, (2, 4, 1)),
        ({"hw:cpu_sockets": "2", "hw:cpu_threads": "2"}, {}, (2, 2, 2)),
        ({"hw:cpu_sockets": "2"}, {"hw_cpu_cores": "8"}, (1, 8, 1)),
        ({"hw:cpu_max_sockets": "1"}, {}, (1, 8, 1)),
        ({"hw:cpu_max_sockets": "2", "hw:cpu_max_cores": "2"}, {}, (2, 2, 2)),
        ({"hw:cpu_cores": "3"}, {}, (8, 1, 1)),
    ],
)
def test_processors_are_arranged_as_near_to_the_wish_as_can_be(specs, image, arranged):
    assert resolved(8, specs, image).topology == arranged


@pytest.mark.parametrize(
    ("specs", "image", "sentence"),
    [
        ({"hw:cpu_max_sockets": "1", "hw:cpu_max_cores": "2", "hw:cpu_max_threads": "1"}, {}, "8 vCPUs cannot be arranged"),
        ({"hw:cpu_max_cores": "2"}, {"hw_cpu_max_cores": "4"}, "the flavor allows at most 2"),
        ({"hw:cpu_max_cores": "2"}, {"hw_cpu_cores": "4"}, "wants 4 CPU cores; at most 2"),
        ({"hw:cpu_sockets": "0"}, {}, "is less than 1"),
        ({"hw:cpu_sockets": "many"}, {}, "is not a whole number"),
        ({"hw:cpu_policy": "dedicated"}, {}, "No host of this cloud offers cpu_policy dedicated"),
        ({"hw:nonsense": "1"}, {}, "There is no extra spec hw:nonsense"),
        ({"hw:watchdog_action": "explode"}, {}, "not one of none, pause"),
        ({"quota:cpu_period": "10"}, {}, "from 1000 to 1000000"),
        ({"quota:disk_total_iops_sec": "9", "quota:disk_read_iops_sec": "9"}, {}, "cannot stand beside"),
        ({"quota:vif_inbound_peak": "9"}, {}, "quota:vif_inbound_average is missing"),
        ({"hw:vif_multiqueue_enabled": "no"}, {"hw_vif_multiqueue_enabled": "yes"}, "contradict each other"),
        ({"hw:serial_port_count": "1"}, {"hw_serial_port_count": "2"}, "the flavor allows 1"),
        ({"hw:serial_port_count": "9"}, {}, "at most 3 serial ports"),
        ({"os:secure_boot": "required"}, {}, "needs an image with hw_firmware_type=uefi"),
        ({"os:secure_boot": "required"}, {"hw_firmware_type": "uefi"}, "hw_machine_type=q35"),
        ({"os:secure_boot": "required"}, {"os_secure_boot": "disabled"}, "contradict each other about secure boot"),
        ({}, {"hw_mem_page_size": "large"}, "which the flavor does not allow"),
        ({}, {"hw_video_ram": "64"}, "the flavor allows 0 MB"),
        ({}, {"hw_disk_bus": "xen"}, "on the hosts of this cloud"),
        ({}, {"hw_machine_type": "q35", "hw_disk_bus": "ide"}, "has no IDE bus"),
        ({}, {"hw_machine_type": "pc'/><x"}, "is not the name of a machine type"),
        ({}, {"hw_qemu_guest_agent": "perhaps"}, "neither true nor false"),
        ({}, {"hw_tpm_version": "2.0"}, "No host of this cloud offers tpm_version"),
    ],
)
def test_what_no_guest_can_have_is_refused_in_a_sentence(specs, image, sentence):
    with pytest.raises(Refused, match=sentence):
        resolved(8, specs, image)


def test_the_image_speaks_before_the_flavor():
    assert resolved(1, {"hw:watchdog_action": "reset"}, {"hw_watchdog_action": "pause"}).watchdog == "pause"
    assert resolved(1, {"hw:watchdog_action": "reset"}, {"hw_watchdog_action": "disabled"}).watchdog == ""
    assert resolved(1, {"hw:mem_page_size": "any"}, {"hw_mem_page_size": "2MB"}).pages == "2048"
    assert resolved(1, {"hw:mem_page_size": "1GB"}).pages == "1048576"
    assert resolved(1, {"hide_hypervisor_id": "true"}).hidden


def test_a_rescue_system_says_how_it_wants_to_be_plugged_in():
    wished = resolved(1, image={"hw_rescue_device": "cdrom", "hw_rescue_bus": "sata"})

    assert (wished.rescue_device, wished.rescue_bus) == ("cdrom", "sata")


def test_one_processor_needs_one_queue():
    assert resolved(1, {"hw:vif_multiqueue_enabled": "true"}).vif_queues == 1
    assert resolved(4, {"hw:vif_multiqueue_enabled": "true"}).vif_queues == 4
    assert resolved(4, {"hw:vif_multiqueue_enabled": "true"}, {"hw_vif_model": "e1000"}).vif_queues == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key1", "anything"),
        ("my-own:space", "anything"),
        ("hw:numa_cpus.0", "0-3,^2"),
        ("hw:cpu_policy", "dedicated"),
        ("trait:CUSTOM_FAST", "required"),
        ("resources:VCPU", "1"),
        ("aggregate_instance_extra_specs:ssd", "true"),
        ("capabilities:cpu_info:arch", "x86_64"),
        ("quota:vif_inbound_average", "10240"),
    ],
)
def test_a_flavor_may_carry_it(name, value):
    hardware.check_spec(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw:cpu_policy", "sharrred"),
        ("hw:foo", "bar"),
        ("hw:numa_cpus.x", "0"),
        ("trait:HW_CPU_X86_AVX2", "perhaps"),
        ("hw:mem_page_size", "huge"),
        ("quota:disk_read_iops_sec", "-1"),
    ],
)
def test_a_flavor_must_not_carry_it(name, value):
    with pytest.raises(Refused):
        hardware.check_spec(name, value)


def test_a_flavor_of_absurd_size_costs_no_time():
    assert resolved(2**31 - 1).topology == (2**31 - 1, 1, 1)
    with pytest.raises(Refused, match="At most"):
        resolved(2**31 - 1, {"hw:cpu_cores": "2"})
