"""The definition of a guest: golden files, and names that try to break out."""

import os
from pathlib import Path

import pytest
from lxml import etree

from compute.virt.errors import DriverError
from compute.virt.layout import plan
from compute.virt.libvirt import domain_xml, metadata
from compute.virt.libvirt.markup import read
from tests.compute.virt import samples

GOLDEN = Path(__file__).parent / "golden"
INSTANCES = Path("/var/lib/nebulet/instances")
MACHINE = domain_xml.Machine("nebulet", "0.1.0", "kvm", "none")
TCG = domain_xml.Machine("nebulet", "0.1.0", "qemu", "writeback", filterref=True)

KERNEL = {"kernel": samples.image("kernel"), "ramdisk": samples.image("ramdisk")}
CASES = {
    "plain": (samples.guest(), MACHINE),
    "direct-kernel": (samples.guest(**KERNEL, kernel_args="console=ttyS0 quiet"), TCG),
    "all-disks": (samples.guest(ephemeral_gb=2, swap_mb=64, vcpus=4, memory_mb=2048), MACHINE),
    "no-config-drive": (samples.guest(config_drive=False, interfaces=[], image_properties={"hw_video_model": "virtio"}), TCG),
}

LINUX = {
    "hw_machine_type": "q35",
    "hw_firmware_type": "uefi",
    "os_secure_boot": "required",
    "hw_disk_bus": "scsi",
    "hw_cdrom_bus": "sata",
    "hw_cpu_cores": "4",
    "hw_video_model": "virtio",
    "hw_video_ram": "32",
    "hw_qemu_guest_agent": "yes",
    "hw_rng_model": "virtio",
    "hw_pointer_model": "usbtablet",
    "hw_usb_model": "qemu-xhci",
    "hw_sound_model": "ich9",
    "hw_boot_menu": "true",
    "hw_vif_multiqueue_enabled": "true",
    "hw_virtio_packed_ring": "true",
    "hw_time_hpet": "true",
    "os_type": "linux",
}
WINDOWS = {
    "os_type": "windows",
    "img_hide_hypervisor_id": "true",
    "hw_disk_bus": "sata",
    "hw_vif_model": "e1000",
    "hw_serial_port_count": "0",
    "hw_watchdog_action": "reset",
    "hw_pmu": "no",
    "hw_input_bus": "virtio",
}
LIMITS = {
    "quota:cpu_shares": "2048",
    "quota:cpu_period": "20000",
    "quota:cpu_quota": "10000",
    "quota:disk_read_iops_sec": "500",
    "quota:disk_write_bytes_sec": "1048576",
    "quota:vif_inbound_average": "1000",
    "quota:vif_inbound_peak": "2000",
    "quota:vif_outbound_average": "500",
    "hw_rng:rate_bytes": "4096",
    "hw:mem_page_size": "2MB",
    "hw:locked_memory": "true",
    "trait:HW_CPU_X86_AVX2": "required",
    "trait:HW_CPU_X86_VMX": "forbidden",
    "hw:watchdog_action": "pause",
    "hw:serial_port_count": "2",
}
CASES["linux"] = (
    samples.guest(vcpus=8, memory_mb=4096, ephemeral_gb=1, image_properties=LINUX, extra_specs={"hw_video:ram_max_mb": "64"}),
    MACHINE,
)
CASES["windows"] = (samples.guest(vcpus=2, image_properties=WINDOWS), MACHINE)
CASES["limits"] = (samples.guest(vcpus=2, extra_specs=LIMITS), MACHINE)

HOSTILE = [
    "</nova:name><devices/>",
    '"><script>alert(1)</script>',
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "]]>&amp;&lt;",
    "zero\x00escape\x1b[31m\ud800",
    "名前 🚀 \u202e drow",
    "a" * 255,
    "' onload='x",
]


def build(spec, machine):
    return domain_xml.build(spec, plan(INSTANCES, spec), machine)


@pytest.mark.parametrize("name", CASES)
def test_definition_is_the_golden_one(name):
    definition = build(*CASES[name]) + "\n"
    path = GOLDEN / f"{name}.xml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(definition)

    assert definition == path.read_text()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text):
    plain, hostile = (
        read(build(samples.guest(), MACHINE)),
        read(
            build(
                samples.guest(name=text, flavor_name=text, user_name=text, project_name=text, kernel_args=text, user_id=text),
                MACHINE,
            )
        ),
    )

    assert [one.tag for one in hostile.iter()] == [one.tag for one in plain.iter()]
    assert hostile.findtext(f".//{{{domain_xml.NOVA}}}name") == domain_xml.text(text)
    assert metadata.installation(build(samples.guest(name=text), MACHINE)) == "nebulet"


def test_ports_can_be_read_back():
    spec = samples.guest()

    [port] = metadata.ports(build(spec, MACHINE))

    assert (port.id, port.mac, port.addresses) == (
        spec.interfaces[0].port_id,
        spec.interfaces[0].mac,
        spec.interfaces[0].addresses,
    )
    assert (port.network, port.bridge, port.gateway) == ("nebulet-net", "nebulet-br", "10.231.77.1")


def test_a_weight_fits_unified_control_groups():
    machine = domain_xml.Machine("nebulet", "0.1.0", "kvm", "none", unified_cgroups=True)

    assert domain_xml.cpu_shares(16, MACHINE) == 16384
    assert domain_xml.cpu_shares(16, machine) == 10000


@pytest.mark.parametrize("name", CASES)
def test_definition_fits_libvirts_schema(name):
    schema = Path("/usr/share/libvirt/schemas/domain.rng")
    if not schema.exists():
        pytest.skip("libvirt's schemas are not installed")
    relax = etree.RelaxNG(etree.parse(schema))

    assert relax.validate(read(build(*CASES[name]))), relax.error_log.last_error


@pytest.mark.parametrize(
    ("virt_type", "cpu", "attributes"),
    [
        ("kvm", "auto", {"mode": "host-model"}),
        ("kvm", "host-passthrough", {"mode": "host-passthrough"}),
        ("qemu", "auto", {"match": "exact"}),
        ("qemu", "Nehalem", {"match": "exact", "mode": "custom"}),
    ],
)
def test_the_host_says_which_processor_its_guests_see(virt_type, cpu, attributes):
    machine = domain_xml.Machine("nebulet", "0.1.0", virt_type, "none", cpu=cpu)

    element = read(build(samples.guest(), machine)).find("cpu")

    assert dict(element.attrib) == attributes
    assert element.findtext("model") == ("Nehalem" if cpu == "Nehalem" else None)


def test_processor_flags_are_asked_of_a_processor_that_can_have_them():
    machine = domain_xml.Machine("nebulet", "0.1.0", "qemu", "none")

    element = read(build(samples.guest(extra_specs={"trait:HW_CPU_X86_AESNI": "required"}), machine)).find("cpu")

    assert element.get("mode") == "maximum"
    assert dict(element.find("feature").attrib) == {"policy": "require", "name": "aes"}


def test_a_host_refuses_hardware_that_it_cannot_build():
    with pytest.raises(DriverError, match="not one of"):
        build(samples.guest(image_properties={"hw_disk_bus": "<disk/>"}), MACHINE)


def test_without_kvm_there_is_nothing_to_hide_and_no_help_for_windows():
    definition = read(build(samples.guest(image_properties=WINDOWS), TCG))

    assert [one.tag for one in definition.find("features")] == ["acpi", "apic", "pmu"]
    assert definition.find("clock").get("offset") == "localtime"
    assert definition.find("clock/timer[@name='hypervclock']") is None
