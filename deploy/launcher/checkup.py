"""What `./nebulet doctor` looks at: one function per subject, each a finding."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher import bundle, control, hypervisor, kvm, preconditions, processes
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError

OK, WARN, FAIL = "ok", "warn", "fail"
_LEAST_MEMORY_MB = 2048
_QEMU_USERS = ("libvirt-qemu", "qemu")


@dataclass(frozen=True)
class Finding:
    """One line of the report: how it is, in a sentence, and what would mend it."""

    subject: str
    level: str
    sentence: str
    command: str | None = None


def python(config: Config) -> Finding:
    """Which Python this is; one too old does not get as far as here."""
    return Finding("Python", OK, f"Python {'.'.join(map(str, sys.version_info[:3]))}.")


def processor(config: Config) -> Finding:
    """Whether guests run with the processor's help."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if not hypervisor.KVM.exists():
        reason = (
            "has no /dev/kvm" if flags & {"vmx", "svm"} else "does not offer virtualization to this system (no vmx or svm)"
        )
        return Finding(
            "KVM", WARN, f"This machine {reason}: guests run in slow emulation.", "modprobe kvm_intel || modprobe kvm_amd"
        )
    trap = hypervisor.kvm_trap()
    if trap:
        return Finding("KVM", FAIL, trap, f"chgrp kvm {hypervisor.KVM} && chmod 660 {hypervisor.KVM}")
    if not os.access(hypervisor.KVM, os.R_OK | os.W_OK):
        return Finding("KVM", WARN, "You may not open /dev/kvm, so it was not tried.", "sudo ./nebulet doctor")
    failure = kvm.runs_guests()
    if failure is None:
        return Finding("KVM", OK, "A guest ran under KVM.")
    sentence = f"/dev/kvm is there and no guest runs under it ({failure}): guests run in slow emulation."
    return Finding("KVM", WARN, sentence, "NEBULET_VIRT_TYPE=qemu ./nebulet up")


def libvirt(config: Config) -> Finding:
    """Whether libvirt answers."""
    uri = config.environ.get("NEBULET_LIBVIRT_URI", "qemu:///system")
    if shutil.which("virsh") is None:
        return Finding("libvirt", FAIL, "libvirt is not installed.", "./nebulet up")
    unbounded = hypervisor.unbounded_logs()
    if unbounded:
        return Finding("libvirt", FAIL, unbounded, hypervisor.LOGS_MEND)
    if hypervisor.answers(uri):
        return Finding("libvirt", OK, f"libvirt answers at {uri}.")
    systemd = Path("/run/systemd/system").exists()
    return Finding(
        "libvirt",
        FAIL,
        f"libvirt does not answer at {uri}.",
        "systemctl enable --now libvirtd" if systemd else "virtlogd -d; libvirtd -d",
    )


def space(config: Config) -> Finding:
    """Whether the state folder has room."""
    try:
        warning = preconditions.check_space(config.state_dir)
    except LauncherError as error:
        return Finding("space", FAIL, error.sentence, error.command)
    if warning:
        return Finding("space", WARN, f"{warning[0].upper()}{warning[1:]}.", f"df -h {config.state_dir.anchor}")
    return Finding("space", OK, f"There is room for {config.state_dir}.")


def entrance(config: Config) -> Finding:
    """Whether QEMU gets to the folder of a server's disk; tried as QEMU's user where we may."""
    instances = config.state_dir / "instances"
    closed = preconditions.closed_folder(instances)
    user = next((name for name in _QEMU_USERS if _has_user(name)), None)
    if os.geteuid() == 0 and user and instances.exists():
        tried = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "test", "-x", str(instances)], check=False)
        closed = (closed or instances) if tried.returncode else None
    if closed:
        return Finding("disks", FAIL, f"QEMU cannot enter {closed}, where servers' disks lie.", f"chmod o+x {closed}")
    return Finding("disks", OK, f"QEMU can enter {instances}.")


def network(config: Config) -> Finding:
    """Whether networks for servers can be made."""
    for program, package in (("ip", "iproute2"), ("dnsmasq", "dnsmasq-base"), ("iptables", "iptables")):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            return Finding("network", FAIL, f"{program} is missing.", f"apt-get install -y {package}")
    if os.geteuid() == 0 and (reason := _bridge_trouble()):
        return Finding("network", FAIL, f"No bridge can be made: {reason}.", "modprobe bridge")
    if Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() != "1":
        return Finding(
            "network",
            WARN,
            "IPv4 is not forwarded; libvirt turns it on with its first network.",
            "sysctl -w net.ipv4.ip_forward=1",
        )
    return Finding("network", OK, "Bridges and addresses can be made.")


def clock(config: Config) -> Finding:
    """Whether the clock is kept right; tokens and hosts' reports go by it."""
    told = _output(["timedatectl", "show", "--property", "NTPSynchronized", "--value"])
    if told == "yes":
        return Finding("clock", OK, "The clock is synchronised.")
    return Finding("clock", WARN, "Nothing says that the clock is synchronised.", "apt-get install -y systemd-timesyncd")


def memory(config: Config) -> Finding:
    """Whether there is memory for a few servers."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free_mb = int(lines["MemAvailable"].split()[0]) // 1024
    if free_mb < _LEAST_MEMORY_MB:
        return Finding("memory", WARN, f"Only {free_mb} MiB of memory are available.", "free -m")
    return Finding("memory", OK, f"{free_mb} MiB of memory are available.")


def port(config: Config) -> Finding:
    """Whether the port is ours or free."""
    if control.supervisor_pid(config) is not None:
        return Finding("port", OK, f"Nebulet runs at {config.public_url}.")
    try:
        preconditions.check_port(config)
    except LauncherError as error:
        return Finding("port", FAIL, error.sentence, error.command)
    return Finding("port", OK, f"Port {config.port} is free.")


def queue(config: Config) -> Finding:
    """Whether there is a server for the queue."""
    if not config.needs_queue:
        return Finding("queue", OK, "BROKER_URL and REDIS_URL name the servers.")
    try:
        return Finding("queue", OK, f"{processes.find_queue_server(config)} is there.")
    except LauncherError as error:
        return Finding("queue", WARN, f"{error.sentence[:-1]} yet; `./nebulet up` brings one.", error.command)


def node(config: Config) -> Finding:
    """Whether there is a Node for the browser bundle."""
    found = bundle.find_node()
    if found:
        return Finding("node", OK, f"Node and npm are in {found}.")
    return Finding("node", OK, "No Node 20 or newer is on PATH; `./nebulet up` brings one.")


CHECKS: tuple[Callable[[Config], Finding], ...] = (
    python, processor, libvirt, space, entrance, network, clock, memory, port, queue, node,
)  # fmt: skip
HYPERVISOR_CHECKS = (processor, libvirt, entrance, network)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _bridge_trouble() -> str:
    """Make and take away a bridge; return why it could not be made, or nothing."""
    name = f"nbtest{os.getpid() % 100000}"
    done = subprocess.run(["ip", "link", "add", name, "type", "bridge"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
        return ""
    return (done.stderr.strip().splitlines() or ["ip failed"])[-1]


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
