"""Processor, memory, clock and features of a guest (libvirt: formatdomain.html#cpu-model-and-topology, #hypervisor-features, #time-keeping)."""

from compute.virt.hardware import Hardware
from compute.virt.libvirt.markup import E, Element

_MODES = ("host-model", "host-passthrough", "maximum")
# What makes a Windows guest keep time and idle cheaply.
_ENLIGHTENMENTS = ("relaxed", "vapic", "vpindex", "runtime", "synic", "reset", "frequencies")
_SPINLOCK_RETRIES = "8191"


def model(wished: Hardware, virt_type: str, cpu: str) -> Element:
    """Return the processor. Left to itself it is the host's model under KVM, so that guests have its instructions.

    Flags can only be asked of a processor that has a name; without KVM that is the most that QEMU can play.
    """
    element = E.cpu(_topology(wished))
    if cpu == "auto":
        cpu = "host-model" if virt_type == "kvm" else "maximum" if wished.cpu_flags else ""
    if cpu in _MODES:
        element.set("mode", cpu)
    else:
        element.set("match", "exact")
    if cpu and cpu not in _MODES:
        element.set("mode", "custom")
        element.insert(0, E.model(cpu, fallback="forbid"))
    element.extend(E.feature(policy=policy, name=name) for name, policy in sorted(wished.cpu_flags.items()))
    return element


def _topology(wished: Hardware) -> Element:
    sockets, cores, threads = wished.topology
    return E.topology(sockets=str(sockets), cores=str(cores), threads=str(threads))


def tuning(wished: Hardware, shares: int) -> Element:
    """Return the guest's share of the host's processors, and its limit (libvirt: formatdomain.html#cpu-tuning)."""
    element = E.cputune(E.shares(str(shares)))
    if wished.cpu_period is not None:
        element.append(E.period(str(wished.cpu_period)))
    if wished.cpu_quota is not None:
        element.append(E.quota(str(wished.cpu_quota)))
    return element


def features(wished: Hardware, virt_type: str) -> Element:
    """Return what the machine offers beside its devices. Only KVM has help for Windows to give, or itself to hide."""
    element, kvm = E.features(E.acpi(), E.apic()), virt_type == "kvm"
    if kvm and wished.os_type == "windows":
        element.append(_enlightened(wished))
    if kvm and wished.hidden:
        element.append(E.kvm(E.hidden(state="on")))
    if wished.pmu is not None:
        element.append(E.pmu(state="on" if wished.pmu else "off"))
    if wished.secure_boot:
        element.append(E.smm(state="on"))
    return element


def _enlightened(wished: Hardware) -> Element:
    element = E.hyperv(*(getattr(E, name)(state="on") for name in _ENLIGHTENMENTS), mode="custom")
    element.append(E.spinlocks(state="on", retries=_SPINLOCK_RETRIES))
    if wished.hidden:
        # Some drivers refuse to work when they meet the hypervisor's own name.
        element.append(E.vendor_id(state="on", value="1234567890ab"))
    return element


def clock(wished: Hardware, virt_type: str) -> Element:
    """Return timers that keep a guest's time right when it did not run for a while. Windows keeps local time in its clock."""
    windows = wished.os_type == "windows"
    element = E.clock(
        E.timer(name="pit", tickpolicy="delay"),
        E.timer(name="rtc", tickpolicy="catchup"),
        E.timer(name="hpet", present="yes" if wished.hpet else "no"),
        offset="localtime" if windows else "utc",
    )
    if windows and virt_type == "kvm":
        element.append(E.timer(name="hypervclock", present="yes"))
    return element


def memory_backing(wished: Hardware) -> list[Element]:
    """Return on which pages the guest's memory lies, where that was asked (libvirt: formatdomain.html#memory-backing)."""
    parts = []
    if wished.pages == "large":
        parts.append(E.hugepages())
    elif wished.pages:
        parts.append(E.hugepages(E.page(size=wished.pages, unit="KiB")))
    if wished.locked_memory:
        parts.append(E.locked())
    return [E.memoryBacking(*parts)] if parts else []
