"""The distribution's packages: which are missing, and how they come."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.launcher import shell
from deploy.launcher.errors import LauncherError

BUILD = ("python3", "python3-venv", "python3-dev", "gcc", "libc6-dev", "pkg-config", "libvirt-dev")
# What makes, reads and converts disks.
_DISKS = ("qemu-utils",)
HYPERVISOR = (
    "libvirt-daemon-system",
    "libvirt-clients",
    "qemu-system-x86",
    *_DISKS,
    "dnsmasq-base",
    "iptables",
    "nftables",
    "iproute2",
)
# The builder of the tiny image unpacks all else it needs by itself.
IMAGE_BUILDER = ("e2fsprogs", "zstd", *_DISKS)
# What the driver of MariaDB is built against.
MARIADB_CLIENT = ("libmariadb-dev",)
# What the tests of databases and of a scaled-out installation run on ports and folders of their own.
_SERVERS = ("postgresql", "mariadb-server", "rabbitmq-server")
# Firmware for guests that boot by UEFI.
_FIRMWARE = ("ovmf",)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# A package's scripts ask this program whether they may start its service; 101 says no.
_POLICY = "/usr/sbin/policy-rc.d"
_START_NOTHING = """\
[ -e "$0" ] || { trap 'rm -f "$0"' EXIT && printf '#!/bin/sh\\nexit 101\\n' >"$0" && chmod 755 "$0"; } || exit
"$@"
"""


def for_running(driver: str, *, on_mariadb: bool = False) -> tuple[str, ...]:
    """Return the packages that an installation with this driver and database needs."""
    hypervisor = () if driver == "fake" else HYPERVISOR + IMAGE_BUILDER
    return (*BUILD, *hypervisor, *(MARIADB_CLIENT if on_mariadb else ()))


def for_tests(*, fast: bool) -> tuple[str, ...]:
    """Return the packages that the tests need; the fast ones drive no hypervisor, browser or client."""
    queue = () if shutil.which("valkey-server") else ("redis-server",)
    if fast:
        return (*BUILD, *queue, *_DISKS)
    browser = () if any(shutil.which(name) for name in _BROWSERS) else ("chromium",)
    return (
        *BUILD,
        *queue,
        *HYPERVISOR,
        *IMAGE_BUILDER,
        *MARIADB_CLIENT,
        *_SERVERS,
        *_FIRMWARE,
        "openssh-client",
        "strace",
        *browser,
    )


def missing(names: Sequence[str]) -> list[str]:
    """Return which of the packages dpkg does not know as installed."""
    if shutil.which("dpkg-query") is None:
        raise LauncherError(
            "This is neither Debian nor Ubuntu: install what these packages stand for, then go on without this step: "
            + " ".join(names),
            "./nebulet up --no-install",
        )
    command = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *names]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    installed = {line.split()[0] for line in lines if line.split()[1:2] == ["ii"]}
    return [name for name in dict.fromkeys(names) if name not in installed]


def ensure(names: Sequence[str], *, start: bool = True) -> str:
    """Install those of the packages that are missing; return what was done."""
    absent = missing(names)
    if not absent:
        return ""
    install(absent, start=start)
    return f"installed {' '.join(absent)}"


def install(names: Sequence[str], *, start: bool = True) -> None:
    """Install the packages, as root or through sudo; LauncherError names them if apt cannot.

    Without ``start`` no service of theirs is started.
    """
    by_hand = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}"
    prefix: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise LauncherError(f"Packages are missing and only root can install them: {' '.join(names)}.", by_hand)
        prefix = ["sudo", "--"]
        print(f"Packages are missing; running: sudo apt-get install {' '.join(names)}", flush=True)
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if not Path("/run/systemd/system").exists():
        environment.append("RUNLEVEL=1")  # without an init, a package's service started by dpkg would belong to nobody
    idle = [] if start else ["sh", "-c", _START_NOTHING, _POLICY]
    # A machine that has just been started often updates itself for a while.
    apt = [*prefix, *environment, *idle, "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    failure = f"apt could not fetch and install {' '.join(names)}."
    # An `up` that was interrupted here left packages half configured, and apt does nothing before they are whole.
    shell.succeeds([*prefix, *environment, "dpkg", "--configure", "-a"], timeout_s=600)
    shell.run(
        [*apt, "update"], failure=f"apt's mirrors do not answer, so these stay missing: {' '.join(names)}.", mend=by_hand
    )
    shell.run([*apt, "install", "--no-install-recommends", *names], failure=failure, mend=by_hand)
