"""What this host has: read where the answer is right, which is not always libvirt."""

import logging
import os
import platform
import shutil
import socket
from functools import lru_cache
from pathlib import Path

import libvirt

from compute.virt.libvirt.markup import read
from deploy.launcher import kvm

LOG = logging.getLogger(__name__)

GIB = 1024**3


@lru_cache(maxsize=1)
def virt_type(wanted: str) -> str:
    """Return ``kvm`` or ``qemu``. ``auto`` starts a guest of a few instructions under KVM: that it is there says nothing."""
    if wanted != "auto":
        return wanted
    reason = kvm.runs_guests()
    if reason is not None:
        LOG.warning("Guests run without KVM, which is slow: %s", reason)
    return "qemu" if reason is not None else "kvm"


@lru_cache(maxsize=1)
def unified_cgroups() -> bool:
    """Whether control groups are of the second kind, with their smaller range of weights."""
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def memory_mb(meminfo: Path = Path("/proc/meminfo")) -> tuple[int, int]:
    """Return total and used memory. libvirt's node information does not see memory that was added while running."""
    rows = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    total, free = (int(rows[name].split()[0]) // 1024 for name in ("MemTotal", "MemAvailable"))
    return total, total - free


def disk_gb(folder: Path) -> tuple[int, int]:
    """Return size and free room of the file system that holds the guests' disks."""
    usage = shutil.disk_usage(folder)
    return usage.total // GIB, usage.free // GIB


def vcpus() -> int:
    """Return the number of processors of this host."""
    return os.cpu_count() or 1


def processor(connect: libvirt.virConnect) -> tuple[str, str, list[str]]:
    """Return architecture, model and features (libvirt: formatcaps.html#host-capabilities)."""
    cpu = read(connect.getCapabilities()).find("./host/cpu")
    if cpu is None:
        return platform.machine(), "", []
    features = sorted(str(one.get("name")) for one in cpu.iterfind("./feature"))
    return cpu.findtext("./arch") or platform.machine(), cpu.findtext("./model") or "", features


def address() -> str:
    """Return the address under which others reach this host: the one its default route would use. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
