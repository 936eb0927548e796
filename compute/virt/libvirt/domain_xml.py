"""The domain definition of a guest, one small function per part.

The order and the words are those of libvirt's format (libvirt: formatdomain.html); names come from users and are escaped by lxml.
"""

from dataclasses import dataclass

from compute.virt.driver import GuestSpec, InterfaceSpec
from compute.virt.layout import Disk, Layout
from compute.virt.libvirt.markup import E, Element, maker, render, text
from compute.virt.naming import tap

NOVA = "http://openstack.org/xmlns/libvirt/nova/1.0"
OURS = "urn:nebulet:domain:1"
MAX_SOCKET_NAME = 107
DEFAULT_CMDLINE = "root=/dev/vda console=tty0 console=ttyS0"

_N = maker("nova", NOVA)
_O = maker("nebulet", OURS)
_VIDEO_MODELS = ("cirrus", "vga", "virtio", "qxl", "bochs")


@dataclass(frozen=True)
class Machine:
    """What the host adds to a definition. ``filterref``: let libvirt's own filter stop spoofing, where nftables cannot."""

    installation: str
    version: str
    virt_type: str
    cache: str
    filterref: bool = False
    unified_cgroups: bool = False


def build(spec: GuestSpec, layout: Layout, machine: Machine) -> str:
    """Return the whole definition, indented for people."""
    domain = E.domain(
        E.uuid(spec.server_id),
        E.name(text(spec.domain_name)),
        E.memory(str(spec.memory_mb * 1024)),
        E.vcpu(str(spec.vcpus)),
        E.metadata(nova_metadata(spec, machine), our_metadata(spec, machine)),
        sysinfo(spec, machine),
        boot(spec, layout),
        E.features(E.acpi(), E.apic()),
        E.cputune(E.shares(str(cpu_shares(spec.vcpus, machine)))),
        clock(),
        cpu(spec.vcpus, machine),
        devices(spec, layout, machine),
        type=machine.virt_type,
    )
    return render(domain)


def nova_metadata(spec: GuestSpec, machine: Machine) -> Element:
    """What OpenStack's tools look for in a definition."""
    return _N.instance(
        _N.package(version=machine.version),
        _N.name(text(spec.name)),
        _N.creationTime(spec.created_at.replace("T", " ")[:19]),
        _N.flavor(
            _N.memory(str(spec.memory_mb)),
            _N.disk(str(spec.root_gb)),
            _N.swap(str(spec.swap_mb)),
            _N.ephemeral(str(spec.ephemeral_gb)),
            _N.vcpus(str(spec.vcpus)),
            name=text(spec.flavor_name),
        ),
        _N.owner(
            _N.user(text(spec.user_name), uuid=text(spec.user_id)),
            _N.project(text(spec.project_name), uuid=text(spec.project_id)),
        ),
    )


def our_metadata(spec: GuestSpec, machine: Machine) -> Element:
    """Whose guest this is, and what must be given back when it goes."""
    ports = [
        _O.port(
            id=text(interface.port_id),
            mac=text(interface.mac),
            addresses=" ".join(interface.addresses),
            network=text(interface.network.name),
            bridge=text(interface.network.bridge),
            gateway=interface.network.gateway_ip,
        )
        for interface in spec.interfaces
    ]
    return _O.guest(_O.installation(machine.installation), *ports)


def sysinfo(spec: GuestSpec, machine: Machine) -> Element:
    """What the guest reads from its SMBIOS tables (libvirt: formatdomain.html#smbios-system-information)."""
    entries = {
        "manufacturer": "Nebulet",
        "product": "Nebulet Compute",
        "version": machine.version,
        "serial": spec.server_id,
        "uuid": spec.server_id,
        "family": "Virtual Machine",
    }
    return E.sysinfo(E.system(*(E.entry(value, name=name) for name, value in entries.items())), type="smbios")


def boot(spec: GuestSpec, layout: Layout) -> Element:
    """From the disk, or straight into the image's own kernel (libvirt: formatdomain.html#direct-kernel-boot)."""
    parts = [E.type("hvm")]
    if layout.kernel is None:
        parts.append(E.boot(dev="hd"))
    else:
        parts.append(E.kernel(str(layout.kernel)))
        if layout.ramdisk is not None:
            parts.append(E.initrd(str(layout.ramdisk)))
        parts.append(E.cmdline(text(spec.kernel_args) or DEFAULT_CMDLINE))
    parts.append(E.smbios(mode="sysinfo"))
    return E.os(*parts)


def cpu_shares(vcpus: int, machine: Machine) -> int:
    """A guest's weight against others. Unified control groups know no weight above 10000 (libvirt: formatdomain.html#cpu-tuning)."""
    shares = 1024 * vcpus
    return min(shares, 10_000) if machine.unified_cgroups else shares


def clock() -> Element:
    """Timers that keep a guest's time right when it did not run for a while."""
    return E.clock(
        E.timer(name="pit", tickpolicy="delay"),
        E.timer(name="rtc", tickpolicy="catchup"),
        E.timer(name="hpet", present="no"),
        offset="utc",
    )


def cpu(vcpus: int, machine: Machine) -> Element:
    """One socket per vCPU; under KVM the host's model, so that guests have its instructions."""
    topology = E.topology(sockets=str(vcpus), cores="1", threads="1")
    return E.cpu(topology, mode="host-model") if machine.virt_type == "kvm" else E.cpu(topology, match="exact")


def devices(spec: GuestSpec, layout: Layout, machine: Machine) -> Element:
    """Everything that is plugged in."""
    return E.devices(
        *(disk(one, machine) for one in layout.disks),
        *(interface(one, machine) for one in spec.interfaces),
        serial(layout),
        E.serial(type="pty"),
        display(),
        E.video(E.model(type=video_model(spec))),
        E.memballoon(E.stats(period="10"), model="virtio"),
        E.rng(E.backend("/dev/urandom", model="random"), model="virtio"),
    )


def disk(one: Disk, machine: Machine) -> Element:
    """A disk on virtio; freed blocks go back to the host (libvirt: formatdomain.html#hard-drives-floppy-disks-cdroms)."""
    driver = E.driver(name="qemu", type=one.format, cache=machine.cache)
    if not one.readonly:
        driver.set("discard", "unmap")
    element = E.disk(driver, E.source(file=str(one.path)), E.target(bus="virtio", dev=one.target), type="file", device="disk")
    if one.readonly:
        element.append(E.readonly())
    return element


def interface(one: InterfaceSpec, machine: Machine) -> Element:
    """A network card on the network's bridge."""
    element = E.interface(
        E.mac(address=one.mac),
        E.model(type="virtio"),
        E.source(bridge=one.network.bridge),
        E.target(dev=tap(one.port_id)),
        type="bridge",
    )
    if one.network.mtu != 1500:
        element.append(E.mtu(size=str(one.network.mtu)))
    if machine.filterref:
        element.append(E.filterref(*(E.parameter(name="IP", value=ip) for ip in one.addresses), filter="clean-traffic"))
    return element


def serial(layout: Layout) -> Element:
    """The first serial port: a socket to type at, and a log of all that is printed (libvirt: formatdomain.html#unix-domain-socket-client-server).

    Linux takes no longer name of a socket; in a deeper folder there is the log alone.
    """
    if len(str(layout.serial)) > MAX_SOCKET_NAME:
        return E.serial(E.source(path=str(layout.console)), type="file")
    source = E.source(mode="bind", path=str(layout.serial))
    return E.serial(source, E.log(file=str(layout.console), append="off"), type="unix")


def display() -> Element:
    """VNC on a socket that libvirt makes in a folder of its own, closed to all but root and QEMU's user."""
    return E.graphics(E.listen(type="socket"), type="vnc")


def video_model(spec: GuestSpec) -> str:
    """Cirrus shows text and pictures in every guest; an image may ask for another."""
    wanted = spec.image_properties.get("hw_video_model", "")
    return wanted if wanted in _VIDEO_MODELS else "cirrus"
