"""The definition of a guest: golden files, and names that try to break out."""

import os
from pathlib import Path

import pytest
from lxml import etree

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
