"""What the extra specs of flavors may be called and say, from 2.86 on (compute configuration guide, "Extra Specs").

A name whose first part is not one of these namespaces is the operator's own and means whatever he likes.
"""

import re
from collections.abc import Callable

from compute.api.v2_1.base import truth
from portal.core.errors import BadRequest

Check = Callable[[str], bool]

_CPUS = r"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"
_GROUP = r"[a-zA-Z0-9_-]{0,64}"


def _anything(_value: str) -> bool:
    return True


def _flag(value: str) -> bool:
    try:
        truth(value, "")
    except BadRequest:
        return False
    return True


def _whole(least: int | None = 0, most: int | None = None) -> Check:
    def check(value: str) -> bool:
        if not re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
            return False
        return (least is None or int(value) >= least) and (most is None or int(value) <= most)

    return check


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _like(pattern: str) -> Check:
    return lambda value: re.fullmatch(pattern, value) is not None


_LEVEL = _one_of("custom", "high", "normal", "low")
_FLAGS = (
    "hide_hypervisor_id",
    "hw:boot_menu",
    "hw:cpu_realtime",
    "hw:ephemeral_encryption",
    "hw:hide_hypervisor_id",
    "hw:locked_memory",
    "hw:mem_encryption",
    "hw:pmu",
    "hw:vif_multiqueue_enabled",
    "hw:virtio_packed_ring",
    "hw_rng:allowed",
)
_AT_LEAST_ONE = (
    "hw:cpu_cores",
    "hw:cpu_max_cores",
    "hw:cpu_max_sockets",
    "hw:cpu_max_threads",
    "hw:cpu_sockets",
    "hw:cpu_threads",
    "hw:numa_nodes",
)
_AT_LEAST_ZERO = (
    "hw:serial_port_count",
    "hw_rng:rate_bytes",
    "hw_rng:rate_period",
    "hw_video:ram_max_mb",
    "quota:cpu_period",
    "quota:cpu_shares",
    *(f"quota:{part}_limit" for part in ("cpu", "memory", "disk_io", "vif")),
    *(f"quota:{part}_shares_share" for part in ("cpu", "memory", "disk_io", "vif")),
    *(f"quota:disk_{way}_{unit}_sec" for way in ("read", "write", "total") for unit in ("bytes", "iops")),
    *(f"quota:vif_{way}_{what}" for way in ("inbound", "outbound") for what in ("average", "peak", "burst")),
)
_SIGNED = ("quota:cpu_quota", *(f"quota:{part}_reservation" for part in ("cpu", "memory", "disk_io", "vif")))
_CAPABILITIES = (
    *("id", "uuid", "service_id", "host", "host_ip", "mapped", "updated", "cell_uuid", "aggregates", "failed_builds"),
    *("vcpus", "vcpus_used", "vcpus_total", "memory_mb", "memory_mb_used", "local_gb", "local_gb_used", "free_ram_mb"),
    *("free_disk_gb", "free_disk_mb", "disk_mb_used", "disk_available_least", "total_usable_ram_mb", "total_usable_disk_gb"),
    *("hypervisor_type", "hypervisor_version", "hypervisor_hostname", "current_workload", "running_vms", "num_instances"),
    *("num_io_ops", "cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio"),
)
_CAPABILITY_TREES = "cpu_info|instances|limits|metrics|nodename|numa_topology|pci_device_pools|pci_stats|stats|supported_hv_specs|supported_instances"

_KNOWN: dict[str, Check] = {
    **dict.fromkeys(_FLAGS, _flag),
    **dict.fromkeys(_AT_LEAST_ONE, _whole(1)),
    **dict.fromkeys(_AT_LEAST_ZERO, _whole(0)),
    **dict.fromkeys(_SIGNED, _whole(None)),
    **dict.fromkeys((f"quota:{part}_shares_level" for part in ("cpu", "memory", "disk_io", "vif")), _LEVEL),
    **dict.fromkeys((f"capabilities:{name}" for name in _CAPABILITIES), _anything),
    **dict.fromkeys(("accel:device_profile", "vmware:hw_version", "vmware:storage_policy"), _anything),
    "group_policy": _one_of("isolate", "none"),
    "hw:cpu_dedicated_mask": _like(_CPUS),
    "hw:cpu_policy": _one_of("dedicated", "shared", "mixed"),
    "hw:cpu_realtime_mask": _like(_CPUS),
    "hw:cpu_thread_policy": _one_of("prefer", "isolate", "require"),
    "hw:emulator_threads_policy": _one_of("isolate", "share"),
    "hw:ephemeral_encryption_format": _one_of("plain", "luks", "luksv2"),
    "hw:mem_encryption_model": _one_of("amd-sev", "amd-sev-es", "amd-sev-snp", "intel-tdx"),
    "hw:mem_page_size": _like(r"large|small|any|\d+([kKMGT]i?)?(b|bit|B)?"),
    "hw:pci_numa_affinity_policy": _one_of("required", "preferred", "legacy", "socket"),
    "hw:pmem": _like(r"[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?"),
    "hw:redirected_usb_ports": _whole(0, 15),
    "hw:sound_model": _one_of("sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "virtio"),
    "hw:tpm_model": _one_of("tpm-tis", "tpm-crb"),
    "hw:tpm_secret_security": _one_of("user", "host", "deployment"),
    "hw:tpm_version": _one_of("1.2", "2.0"),
    "hw:usb_model": _one_of("none", "nec-xhci", "qemu-xhci"),
    "hw:viommu_model": _one_of("intel", "smmuv3", "virtio", "auto"),
    "hw:watchdog_action": _one_of("none", "pause", "poweroff", "reset", "disabled"),
    "os:secure_boot": _one_of("disabled", "required"),
    "pci_passthrough:alias": _like(r"[^:]+:\d+(\s*,\s*[^:]+:\d+)*"),
}
_PATTERNS: tuple[tuple[str, Check], ...] = (
    (r"hw:numa_cpus\.\d+", _like(_CPUS)),
    (r"hw:numa_mem\.\d+", _whole(1)),
    (rf"capabilities:({_CAPABILITY_TREES})(:\w+)*", _anything),
    (r"aggregate_instance_extra_specs:.+", _anything),
    (rf"resources{_GROUP}:[A-Z][A-Z0-9_]*", _whole(None)),
    (rf"trait{_GROUP}:[A-Z][A-Z0-9_]*", _one_of("required", "forbidden")),
)
_NAMESPACES = re.compile(
    rf"accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|(resources|trait){_GROUP}"
)


def require_valid(name: str, value: str) -> None:
    """Raise BadRequest for a value that the spec cannot have, and for a name that its namespace does not know."""
    check = _check_of(name)
    if check is None:
        namespace, colon, _rest = name.partition(":")
        if colon and _NAMESPACES.fullmatch(namespace):
            raise BadRequest(f"Validation failed; extra spec '{name[:80]}' does not appear to be a valid extra spec.")
    elif not check(value):
        raise BadRequest(f"Validation failed; '{value[:80]}' is not a value that extra spec '{name[:80]}' can have.")


def _check_of(name: str) -> Check | None:
    if name in _KNOWN:
        return _KNOWN[name]
    return next((check for pattern, check in _PATTERNS if re.fullmatch(pattern, name)), None)
