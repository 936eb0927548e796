"""Diagnostics as the compute API shows them: by libvirt's names before 2.48, by common ones from then on."""

from typing import Any

from django.utils import timezone

from compute.models import Server
from compute.states import PowerState
from compute.virt.diagnostics import Diagnostics, Disk, Nic

_KIB_PER_MIB = 1024


def libvirt_names(found: Diagnostics) -> dict[str, int]:
    """Return one flat mapping: each counter under the name of its device."""
    shown = {f"cpu{cpu.number}_time": cpu.time_ns for cpu in found.cpus}
    for disk in found.disks:
        shown |= {
            f"{disk.device}_read_req": disk.read_requests,
            f"{disk.device}_read": disk.read_bytes,
            f"{disk.device}_write_req": disk.write_requests,
            f"{disk.device}_write": disk.write_bytes,
            f"{disk.device}_errors": disk.errors,
        }
    for nic in found.nics:
        shown |= {
            f"{nic.device}_rx": nic.rx_bytes,
            f"{nic.device}_rx_packets": nic.rx_packets,
            f"{nic.device}_rx_errors": nic.rx_errors,
            f"{nic.device}_rx_drop": nic.rx_drop,
            f"{nic.device}_tx": nic.tx_bytes,
            f"{nic.device}_tx_packets": nic.tx_packets,
            f"{nic.device}_tx_errors": nic.tx_errors,
            f"{nic.device}_tx_drop": nic.tx_drop,
        }
    shown["memory"] = found.memory_max_kib
    return shown | {f"memory-{name}": value for name, value in found.memory_kib.items()}


def common_names(found: Diagnostics, server: Server) -> dict[str, Any]:
    """Return the document that is the same for every hypervisor."""
    launched = server.launched_at
    return {
        "state": PowerState(found.power_state).name.lower(),
        "driver": "libvirt",
        "hypervisor": found.hypervisor,
        "hypervisor_os": "linux",
        "uptime": int((timezone.now() - launched).total_seconds()) if launched else None,
        "config_drive": server.config_drive,
        "num_cpus": len(found.cpus),
        "num_nics": len(found.nics),
        "num_disks": len(found.disks),
        "memory_details": {
            "maximum": found.memory_max_kib // _KIB_PER_MIB,
            "used": found.memory_used_kib // _KIB_PER_MIB,
        },
        "cpu_details": [{"id": cpu.number, "time": cpu.time_ns, "utilisation": None} for cpu in found.cpus],
        "disk_details": [_disk(disk) for disk in found.disks],
        "nic_details": [_nic(nic) for nic in found.nics],
    }


def _disk(disk: Disk) -> dict[str, int]:
    return {
        "read_bytes": disk.read_bytes,
        "read_requests": disk.read_requests,
        "write_bytes": disk.write_bytes,
        "write_requests": disk.write_requests,
        "errors_count": disk.errors,
    }


def _nic(nic: Nic) -> dict[str, Any]:
    return {
        "mac_address": nic.mac or None,
        "rx_octets": nic.rx_bytes,
        "rx_errors": nic.rx_errors,
        "rx_drop": nic.rx_drop,
        "rx_packets": nic.rx_packets,
        "rx_rate": None,
        "tx_octets": nic.tx_bytes,
        "tx_errors": nic.tx_errors,
        "tx_drop": nic.tx_drop,
        "tx_packets": nic.tx_packets,
        "tx_rate": None,
    }
