"""Gets libvirt to answer, with systemd and without."""

import grp
import os
import re
import shutil
import stat
import time
from pathlib import Path

from deploy.launcher import shell
from deploy.launcher.errors import LauncherError

KVM = Path("/dev/kvm")
SETTINGS = Path("/etc/libvirt")
_ANSWER_S = 60
LOGS_MEND = (
    f"sed -i -E '/^[[:space:]]*(stdio_handler|max_size)[[:space:]]*=/d' {SETTINGS}/qemu.conf {SETTINGS}/virtlogd.conf"
    " && systemctl reload-or-restart virtlogd && systemctl restart libvirtd"
)
# libvirt has consoles' logs written by virtlogd, which cuts them, unless one of these says otherwise.
_UNBOUNDED = {"qemu.conf": r'stdio_handler\s*=\s*"file"', "virtlogd.conf": r"max_size\s*=\s*0\b"}


def kvm_trap(device: Path = KVM) -> str | None:
    """Return what is wrong with the device's permissions, or None.

    When root may use KVM and the user of QEMU may not, libvirt takes what it knows of QEMU for stale at every start of a
    guest and probes again, a minute and a half each time.
    """
    try:
        info = device.stat()
    except OSError:
        return None
    group = _kvm_group()
    if group is None or (info.st_gid == group and stat.S_IMODE(info.st_mode) & 0o660 == 0o660):
        return None
    return f"{device} is not open to the group kvm, which makes each start of a guest take a minute and a half."


def mend_kvm(device: Path = KVM) -> str | None:
    """Give the device to the group kvm, as udev does; return what was done, or None."""
    group = _kvm_group()
    if kvm_trap(device) is None or group is None:
        return None
    try:
        os.chown(device, -1, group)
        device.chmod(0o660)
    except OSError as error:
        raise LauncherError(
            f"{device} cannot be given to the group kvm ({error.strerror}).", f"chgrp kvm {device} && chmod 660 {device}"
        ) from error
    return f"gave {device} to the group kvm"


def unbounded_logs(settings: Path = SETTINGS) -> str | None:
    """Return why a guest that writes to its console without end would fill this host's disk, or None."""
    for name, pattern in _UNBOUNDED.items():
        try:
            said = re.search(rf"^\s*({pattern})", (settings / name).read_text(), re.MULTILINE)
        except OSError:
            continue
        if said is not None:
            return f"{settings / name} says {said[1]}: a guest that writes to its console without end would fill the disk."
    return None


def check_logs() -> None:
    """LauncherError when logs of consoles have no bound."""
    reason = unbounded_logs()
    if reason is not None:
        raise LauncherError(reason, LOGS_MEND)


def ensure_libvirt(uri: str = "qemu:///system") -> str:
    """Start libvirt unless it answers; return what was done."""
    if answers(uri):
        return "answers"
    if not uri.startswith("qemu:///"):
        raise LauncherError(f"libvirt does not answer at {uri}.", f"virsh -c {uri} version")
    if Path("/run/systemd/system").exists():
        mend = "systemctl enable --now libvirtd"
        shell.run(mend.split(), failure="systemd could not start libvirt.", mend="journalctl -u libvirtd -n 50")
    else:
        mend = "virtlogd -d; libvirtd -d"
        shell.succeeds(["virtlogd", "-d"])  # fails harmlessly when one runs
        shell.run(
            ["libvirtd", "-d"], failure="libvirt does not answer, and libvirtd does not start.", mend="libvirtd --verbose"
        )
    end = time.monotonic() + _ANSWER_S
    while not answers(uri):
        if time.monotonic() > end:
            raise LauncherError(f"libvirt was started and does not answer at {uri}.", mend)
        time.sleep(0.1)
    return "started"


def answers(uri: str = "qemu:///system") -> bool:
    """Whether libvirt answers there."""
    return shutil.which("virsh") is not None and shell.succeeds(["virsh", "-c", uri, "version"], timeout_s=20)


def _kvm_group() -> int | None:
    try:
        return grp.getgrnam("kvm").gr_gid
    except KeyError:
        return None
