"""The names that flavors (extra specs) and images (properties) use, each with the kind of its value.

The names and kinds are OpenStack's. ``NOT_OFFERED`` are right in themselves, but no host of this cloud can give them: a flavor may
carry them, a server is not built with them.
"""

import re

from compute.virt.hardware.kinds import Kind, Refused, anything, matching, page_size, whole, words, yes_or_no

_BUSES = words("fdc", "ide", "sata", "scsi", "usb", "virtio", "xen", "lxc", "uml")
_CPUS = matching(r"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*", "a list of processors such as 0-3,^2")
_POLICIES = words("dedicated", "shared", "mixed")
_THREADS = words("prefer", "isolate", "require")
_WATCHDOG = words("none", "pause", "poweroff", "reset", "disabled")
_TRAIT = words("required", "forbidden")
_AFFINITY = words("required", "preferred", "legacy", "socket")
_SOUND = words("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio")
USB_MODELS = ("none", "nec-xhci", "qemu-xhci")
_USB = words(*USB_MODELS)
_TPM_MODEL, _TPM_VERSION = words("tpm-tis", "tpm-crb"), words("1.2", "2.0")
_SEV = words("amd-sev", "amd-sev-es", "amd-sev-snp", "intel-tdx")
_IOMMU = words("intel", "smmuv3", "virtio", "auto")

SPECS: dict[str, Kind] = {
    **{f"hw:cpu_{bound}{part}": whole(1) for bound in ("", "max_") for part in ("sockets", "cores", "threads")},
    "hw:cpu_policy": _POLICIES,
    "hw:cpu_thread_policy": _THREADS,
    "hw:cpu_dedicated_mask": _CPUS,
    "hw:cpu_realtime": yes_or_no,
    "hw:cpu_realtime_mask": _CPUS,
    "hw:emulator_threads_policy": words("isolate", "share"),
    "hw:hide_hypervisor_id": yes_or_no,
    "hide_hypervisor_id": yes_or_no,
    "hw:mem_page_size": page_size,
    "hw:locked_memory": yes_or_no,
    "hw:numa_nodes": whole(1),
    "hw:pci_numa_affinity_policy": _AFFINITY,
    "hw:boot_menu": yes_or_no,
    "hw:vif_multiqueue_enabled": yes_or_no,
    "hw:virtio_packed_ring": yes_or_no,
    "hw:mem_encryption": yes_or_no,
    "hw:mem_encryption_model": _SEV,
    "hw:pmem": matching(r"([a-zA-Z0-9_]+(,)?)+", "a list of labels"),
    "hw:pmu": yes_or_no,
    "hw:serial_port_count": whole(0),
    "hw:tpm_model": _TPM_MODEL,
    "hw:tpm_version": _TPM_VERSION,
    "hw:tpm_secret_security": words("user", "host", "deployment"),
    "hw:watchdog_action": _WATCHDOG,
    "hw:viommu_model": _IOMMU,
    "hw:sound_model": _SOUND,
    "hw:usb_model": _USB,
    "hw:redirected_usb_ports": whole(0, 15),
    "hw:ephemeral_encryption": yes_or_no,
    "hw:ephemeral_encryption_format": words("plain", "luks", "luksv2"),
    "hw_rng:allowed": yes_or_no,
    "hw_rng:rate_bytes": whole(0),
    "hw_rng:rate_period": whole(0),
    "hw_video:ram_max_mb": whole(0),
    "os:secure_boot": words("disabled", "required"),
    "quota:cpu_shares": whole(0),
    "quota:cpu_period": whole(0),
    "quota:cpu_quota": whole(),
    **{
        f"quota:disk_{way}_{unit}_sec": whole(0, 2**63 - 1) for way in ("read", "write", "total") for unit in ("bytes", "iops")
    },
    **{
        f"quota:vif_{way}_{pace}": whole(0, 2**32 - 1)
        for way in ("inbound", "outbound")
        for pace in ("average", "peak", "burst")
    },
    **{f"quota:{what}_limit": whole(0) for what in ("cpu", "memory", "disk_io", "vif")},
    **{f"quota:{what}_reservation": whole() for what in ("cpu", "memory", "disk_io", "vif")},
    **{f"quota:{what}_shares_level": words("custom", "high", "normal", "low") for what in ("cpu", "memory", "disk_io", "vif")},
    **{f"quota:{what}_shares_share": whole(0) for what in ("cpu", "memory", "disk_io", "vif")},
    "accel:device_profile": anything,
    "vmware:hw_version": anything,
    "vmware:storage_policy": anything,
    "group_policy": words("isolate", "none"),
    "pci_passthrough:alias": matching(r"[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*", "a list of alias:count"),
}

# What filters can compare of a host.
_HOST_FACTS = (
    "id|uuid|service_id|host|host_ip|mapped|updated|cell_uuid|aggregates|failed_builds|vcpus|vcpus_used|vcpus_total|memory_mb|"
    "memory_mb_used|local_gb|local_gb_used|free_ram_mb|free_disk_mb|free_disk_gb|disk_mb_used|disk_available_least|"
    "total_usable_ram_mb|total_usable_disk_gb|hypervisor_type|hypervisor_version|hypervisor_hostname|current_workload|"
    "running_vms|num_instances|num_io_ops|cpu_allocation_ratio|ram_allocation_ratio|disk_allocation_ratio"
)
_HOST_TREES = "cpu_info|instances|limits|metrics|nodename|numa_topology|pci_device_pools|pci_stats|stats|supported_hv_specs|supported_instances"
_GROUP = r"([a-zA-Z0-9_-]{1,64})?"
# Names with a part that people choose.
_SPEC_FORMS: list[tuple[str, Kind]] = [
    (r"hw:numa_cpus\.\d+", _CPUS),
    (r"hw:numa_mem\.\d+", whole(1)),
    (rf"trait{_GROUP}:[A-Z][A-Z0-9_]*", _TRAIT),
    (rf"resources{_GROUP}:[A-Z][A-Z0-9_]*", whole()),
    (rf"capabilities:({_HOST_FACTS})", anything),
    (rf"capabilities:({_HOST_TREES})(:\w+)*", anything),
    (r"aggregate_instance_extra_specs:.+", anything),
]
_SPACES = re.compile(rf"hw|hw_rng|hw_video|os|quota|accel|pci_passthrough|vmware|capabilities|trait{_GROUP}|resources{_GROUP}")

PROPERTIES: dict[str, Kind] = {
    **{f"hw_cpu_{bound}{part}": whole(1) for bound in ("", "max_") for part in ("sockets", "cores", "threads")},
    "hw_boot_menu": yes_or_no,
    "hw_cdrom_bus": _BUSES,
    "hw_cpu_policy": _POLICIES,
    "hw_cpu_thread_policy": _THREADS,
    "hw_cpu_realtime_mask": _CPUS,
    "hw_disk_bus": _BUSES,
    "hw_ephemeral_encryption": yes_or_no,
    "hw_firmware_type": words("bios", "uefi"),
    "hw_firmware_stateless": yes_or_no,
    "hw_input_bus": words("usb", "virtio"),
    "hw_locked_memory": yes_or_no,
    "hw_machine_type": matching(r"[a-z0-9][a-z0-9._-]{0,63}", "the name of a machine type"),
    "hw_mem_encryption": yes_or_no,
    "hw_mem_encryption_model": _SEV,
    "hw_mem_page_size": page_size,
    "hw_numa_nodes": whole(1),
    "hw_pci_numa_affinity_policy": _AFFINITY,
    "hw_pmu": yes_or_no,
    "hw_pointer_model": words("usbtablet"),
    "hw_qemu_guest_agent": yes_or_no,
    "hw_redirected_usb_ports": whole(0, 15),
    "hw_rescue_bus": _BUSES,
    "hw_rescue_device": words("cdrom", "disk", "floppy", "fs", "lun"),
    "hw_rng_model": words("virtio"),
    "hw_scsi_model": words("buslogic", "ibmvscsi", "lsilogic", "lsisas1068", "lsisas1078", "virtio-scsi", "vmpvscsi"),
    "hw_serial_port_count": whole(0),
    "hw_sound_model": _SOUND,
    "hw_time_hpet": yes_or_no,
    "hw_tpm_model": _TPM_MODEL,
    "hw_tpm_version": _TPM_VERSION,
    "hw_usb_model": _USB,
    "hw_video_model": words("cirrus", "qxl", "vga", "vmvga", "xen", "virtio", "gop", "none", "bochs"),
    "hw_video_ram": whole(0),
    "hw_vif_model": words(
        *("virtio", "ne2k_pci", "pcnet", "rtl8139", "e1000", "e1000e", "netfront", "spapr-vlan", "lan9118", "igb"),
        *("sriov", "vmxnet", "vmxnet3"),
    ),
    "hw_vif_multiqueue_enabled": yes_or_no,
    "hw_viommu_model": _IOMMU,
    "hw_virtio_packed_ring": yes_or_no,
    "hw_vm_mode": words("hvm", "xen", "uml", "exe"),
    "hw_watchdog_action": _WATCHDOG,
    "img_config_drive": words("optional", "mandatory"),
    "img_config_drive_label": words("config-2", "cidata"),
    "img_hide_hypervisor_id": yes_or_no,
    "os_secure_boot": words("required", "disabled", "optional"),
    "os_type": matching(r"[A-Za-z0-9 ._-]{1,64}", "the name of a kind of system"),
}

# What each of these may say; nothing means that only its absence will do.
NOT_OFFERED: dict[str, frozenset[str | int | bool]] = {
    "cpu_policy": frozenset({"shared"}),
    "cpu_thread_policy": frozenset({"prefer"}),
    "cpu_realtime": frozenset({False}),
    "numa_nodes": frozenset({1}),
    "mem_encryption": frozenset({False}),
    "ephemeral_encryption": frozenset({False}),
    "redirected_usb_ports": frozenset({0}),
    "firmware_stateless": frozenset({False}),
    "viommu_model": frozenset(),
    "tpm_version": frozenset(),
    "tpm_model": frozenset(),
    "pmem": frozenset(),
    "cpu_dedicated_mask": frozenset(),
    "vm_mode": frozenset({"hvm"}),
}


def check_spec(name: str, value: str) -> object:
    """Return what an extra spec means; raises Refused for a wrong value, and for an unknown name in one of OpenStack's name spaces."""
    kind = SPECS.get(name) or next((kind for form, kind in _SPEC_FORMS if re.fullmatch(form, name)), None)
    if kind is not None:
        return _judge("Extra spec", name, value, kind)
    space, colon, _rest = name.partition(":")
    if colon and _SPACES.fullmatch(space):
        raise Refused(f"There is no extra spec {name}.")
    return value


def check_property(name: str, value: str) -> object:
    """Return what an image property means; one that says nothing of hardware is returned as it is. Raises Refused."""
    kind = PROPERTIES.get(name)
    return value if kind is None else _judge("Image property", name, value, kind)


def _judge(what: str, name: str, value: str, kind: Kind) -> object:
    try:
        return kind(value)
    except Refused as error:
        raise Refused(f"{what} {name}: {value[:80]!r} {error}.") from error
