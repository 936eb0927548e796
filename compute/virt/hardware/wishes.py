"""What a flavor and an image together ask of one guest's hardware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compute.virt.hardware.kinds import Refused
from compute.virt.hardware.names import NOT_OFFERED, PROPERTIES, check_property, check_spec
from compute.virt.hardware.topology import Topology, arrange

MOST_SERIAL_PORTS = 3  # QEMU's machines have four, and the first is the console log
_GUEST_DISKS = ("virtio", "scsi", "sata", "ide", "usb")
_GUEST_CARDS = ("virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3")
_GUEST_VIDEO = ("cirrus", "vga", "virtio", "qxl", "bochs", "vmvga", "none")
_GUEST_SCSI = ("virtio-scsi", "lsilogic", "lsisas1068", "lsisas1078", "buslogic", "vmpvscsi")
# What QEMU has no device for, whatever the image says.
_DEVICES = {
    "disk_bus": _GUEST_DISKS,
    "cdrom_bus": _GUEST_DISKS,
    "rescue_bus": _GUEST_DISKS,
    "rescue_device": ("cdrom", "disk"),
    "vif_model": _GUEST_CARDS,
    "video_model": _GUEST_VIDEO,
    "scsi_model": _GUEST_SCSI,
}
# Processor traits whose flag is not the trait's name in small letters.
_FLAGS = {
    "AESNI": "aes",
    "CLMUL": "pclmulqdq",
    "FMA3": "fma",
    "INTEL_VMX": "vmx",
    "AMD_SVM": "svm",
    "SSE41": "sse4.1",
    "SSE42": "sse4.2",
    "AVX512VNNI": "avx512vnni",
    "AVX512VBMI2": "avx512vbmi2",
}
_CPU_TRAIT = "trait:HW_CPU_X86_"


@dataclass(frozen=True)
class Hardware:
    """The hardware of one guest. What nobody asked for has the value of a plain guest."""

    topology: Topology = (1, 1, 1)
    cpu_flags: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    uefi: bool = False
    secure_boot: bool = False
    boot_menu: bool = False
    os_type: str = ""
    hpet: bool = False
    hidden: bool = False
    pmu: bool | None = None
    pages: str = ""
    locked_memory: bool = False
    cpu_shares: int | None = None
    cpu_period: int | None = None
    cpu_quota: int | None = None
    disk_bus: str = "virtio"
    cdrom_bus: str = ""
    scsi_model: str = "virtio-scsi"
    disk_limits: Mapping[str, int] = field(default_factory=dict)
    vif_model: str = "virtio"
    vif_queues: int = 1
    vif_limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    packed_ring: bool = False
    video_model: str = "cirrus"
    video_ram_mb: int = 0
    pointer_bus: str = ""
    sound_model: str = ""
    usb_model: str = ""
    serial_ports: int = 1
    rng: bool = True
    rng_bytes: int = 0
    rng_period_ms: int = 1000
    watchdog: str = ""
    guest_agent: bool = False
    rescue_device: str = ""
    rescue_bus: str = ""
    drive_label: str = "config-2"


def resolve(vcpus: int, extra_specs: Mapping[str, str], properties: Mapping[str, str]) -> Hardware:
    """Return the hardware that a flavor's extra specs and an image's properties make; raises Refused with a sentence.

    The image knows best what its system can use, so its word counts before the flavor's; what a flavor limits, it cannot exceed.
    """
    specs = {name: check_spec(name, value) for name, value in extra_specs.items()}
    flavor = {name.removeprefix("hw:"): value for name, value in specs.items()}
    known = {name: check_property(name, value) for name, value in properties.items() if name in PROPERTIES and value != ""}
    image = {name.removeprefix("hw_"): value for name, value in known.items()}
    _refuse_unknown_devices(image)
    _refuse_ide_where_none_is(image)
    _refuse_not_offered({**flavor, **image})
    both: dict[str, Any] = {**flavor, **image}
    return Hardware(
        topology=arrange(vcpus, flavor, image),
        cpu_flags=_flags(extra_specs) | _flags(properties),
        machine=both.get("machine_type", ""),
        boot_menu=both.get("boot_menu", False),
        os_type=both.get("os_type", ""),
        hpet=both.get("time_hpet", False),
        hidden=any(both.get(name, False) for name in ("hide_hypervisor_id", "img_hide_hypervisor_id")),
        pmu=_agreed("pmu", flavor, image),
        pages=_pages(flavor, image),
        locked_memory=both.get("locked_memory", False),
        cdrom_bus=both.get("cdrom_bus", ""),
        disk_bus=both.get("disk_bus", "virtio"),
        scsi_model=both.get("scsi_model", "virtio-scsi"),
        vif_model=both.get("vif_model", "virtio"),
        vif_queues=_queues(vcpus, flavor, image),
        packed_ring=_agreed("virtio_packed_ring", flavor, image) or False,
        video_model=both.get("video_model", "cirrus"),
        video_ram_mb=_video_ram(specs, image),
        pointer_bus=both.get("input_bus", "usb" if "pointer_model" in both else ""),
        sound_model=both.get("sound_model", ""),
        usb_model=both.get("usb_model", ""),
        serial_ports=_serial_ports(flavor, image),
        watchdog="" if both.get("watchdog_action") == "disabled" else both.get("watchdog_action", ""),
        guest_agent=both.get("qemu_guest_agent", False),
        rescue_device=both.get("rescue_device", ""),
        rescue_bus=both.get("rescue_bus", ""),
        drive_label=both.get("img_config_drive_label", "config-2"),
        **_firmware(specs, image),
        **_quotas(specs),
        **_rng(specs),
    )


def _refuse_unknown_devices(image: Mapping[str, Any]) -> None:
    for name, devices in _DEVICES.items():
        if name in image and image[name] not in devices:
            raise Refused(
                f"Image property hw_{name}: {image[name]!r} is not one of {', '.join(devices)} on the hosts of this cloud."
            )


def _refuse_ide_where_none_is(image: Mapping[str, Any]) -> None:
    if "q35" in image.get("machine_type", "") and "ide" in (
        image.get("disk_bus"),
        image.get("cdrom_bus"),
        image.get("rescue_bus"),
    ):
        raise Refused("A machine of type q35 has no IDE bus; sata is what it has instead.")


def _refuse_not_offered(wished: Mapping[str, Any]) -> None:
    for name, harmless in NOT_OFFERED.items():
        if name in wished and wished[name] not in harmless:
            raise Refused(f"No host of this cloud offers {name} {wished[name]}.")


def _flags(wishes: Mapping[str, str]) -> dict[str, str]:
    """Return which flags of an x86 processor are required or forbidden; traits of other things are for the scheduler."""
    found = {}
    for name, value in wishes.items():
        if name.startswith(_CPU_TRAIT) and value in ("required", "forbidden"):
            trait = name.removeprefix(_CPU_TRAIT)
            found[_FLAGS.get(trait, trait.lower().replace("_", "-"))] = "require" if value == "required" else "forbid"
    return found


def _agreed(name: str, flavor: Mapping[str, Any], image: Mapping[str, Any]) -> bool | None:
    """Return what flavor and image say; raises Refused when they contradict each other."""
    if name in flavor and name in image and flavor[name] != image[name]:
        raise Refused(f"Flavor and image contradict each other about {name}.")
    found: bool | None = image.get(name, flavor.get(name))
    return found


def _pages(flavor: Mapping[str, Any], image: Mapping[str, Any]) -> str:
    """An image may choose a size only where the flavor gives large pages at all."""
    given, wanted = flavor.get("mem_page_size", ""), image.get("mem_page_size", "")
    if wanted and given not in ("large", "any"):
        raise Refused("The image asks for a memory page size, which the flavor does not allow.")
    chosen: str = wanted or given
    return "" if chosen in ("small", "any") else chosen


def _video_ram(specs: Mapping[str, Any], image: Mapping[str, Any]) -> int:
    wanted: int = image.get("video_ram", 0)
    most: int = specs.get("hw_video:ram_max_mb", 0)
    if wanted > most:
        raise Refused(f"The image asks for {wanted} MB of video memory; the flavor allows {most} MB (hw_video:ram_max_mb).")
    return wanted


def _serial_ports(flavor: Mapping[str, Any], image: Mapping[str, Any]) -> int:
    given, wanted = flavor.get("serial_port_count"), image.get("serial_port_count")
    if given is not None and wanted is not None and wanted > given:
        raise Refused(f"The image asks for {wanted} serial ports; the flavor allows {given}.")
    count: int = next((one for one in (wanted, given) if one is not None), 1)
    if count > MOST_SERIAL_PORTS:
        raise Refused(f"A guest has at most {MOST_SERIAL_PORTS} serial ports beside its console log.")
    return count


def _firmware(specs: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    given, wanted = specs.get("os:secure_boot"), image.get("os_secure_boot")
    if {given, wanted} == {"required", "disabled"}:
        raise Refused("Flavor and image contradict each other about secure boot.")
    uefi, secure = image.get("firmware_type") == "uefi", "required" in (given, wanted)
    machine = image.get("machine_type", "")
    if secure and not uefi:
        raise Refused("Secure boot needs an image with hw_firmware_type=uefi.")
    if secure and "q35" not in machine:
        raise Refused("Secure boot needs an image with hw_machine_type=q35.")
    return {"uefi": uefi, "secure_boot": secure}


def _quotas(specs: Mapping[str, Any]) -> dict[str, Any]:
    disk = {
        name.removeprefix("quota:disk_"): value
        for name, value in specs.items()
        if name.startswith("quota:disk_") and name.endswith("_sec") and value
    }
    for unit in ("bytes", "iops"):
        if f"total_{unit}_sec" in disk and {f"read_{unit}_sec", f"write_{unit}_sec"} & set(disk):
            raise Refused(f"quota:disk_total_{unit}_sec cannot stand beside a limit for reads or writes alone.")
    vif: dict[str, dict[str, int]] = {}
    for way in ("inbound", "outbound"):
        paces = {
            pace: specs[f"quota:vif_{way}_{pace}"]
            for pace in ("average", "peak", "burst")
            if specs.get(f"quota:vif_{way}_{pace}")
        }
        if paces and "average" not in paces:
            raise Refused(f"quota:vif_{way}_average is missing: the other limits are relative to it.")
        if paces:
            vif[way] = paces
    return {
        "disk_limits": disk,
        "vif_limits": vif,
        "cpu_shares": _bounded(specs, "quota:cpu_shares", 2, 262_144),
        "cpu_period": _bounded(specs, "quota:cpu_period", 1_000, 1_000_000),
        "cpu_quota": _bounded(specs, "quota:cpu_quota", 1_000, 17_592_186_044_415),
    }


def _bounded(specs: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    """Return a limit within libvirt's bounds; none where it is 0 or below, which means without limit (libvirt: formatdomain.html#cpu-tuning)."""
    value: int | None = specs.get(name)
    if value is None or value <= 0:
        return None
    if not least <= value <= most:
        raise Refused(f"Extra spec {name} is {value}; it can be from {least} to {most}.")
    return value


def _queues(vcpus: int, flavor: Mapping[str, Any], image: Mapping[str, Any]) -> int:
    wanted = _agreed("vif_multiqueue_enabled", flavor, image)
    return min(vcpus, 256) if wanted and image.get("vif_model", "virtio") == "virtio" else 1


def _rng(specs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rng": specs.get("hw_rng:allowed", True),
        "rng_bytes": specs.get("hw_rng:rate_bytes", 0),
        "rng_period_ms": specs.get("hw_rng:rate_period", 0) or 1000,
    }
