"""The domain definition of a guest, one small function per part.

The order and the words are those of libvirt's format (libvirt: formatdomain.html); names come from users and are escaped by lxml.
"""

from dataclasses import dataclass

from compute.virt import hardware
from compute.virt.driver import GuestSpec, InterfaceSpec
from compute.virt.hardware import Hardware
from compute.virt.layout import Disk, Layout
from compute.virt.libvirt import extras, processor
from compute.virt.libvirt.markup import E, Element, maker, render, text
from compute.virt.naming import tap

NOVA = "http://openstack.org/xmlns/libvirt/nova/1.0"
OURS = "urn:nebulet:domain:1"
OUR_PREFIX = "nebulet"
MAX_SOCKET_NAME = 107
DEFAULT_CMDLINE = "root=/dev/{} console=tty0 console=ttyS0"
_N = maker("nova", NOVA)
_O = maker(OUR_PREFIX, OURS)
_PLAIN = Hardware()


@dataclass(frozen=True)
class Machine:
    """What the host adds to a definition.

    ``filterref``: let libvirt's own filter stop spoofing, where nftables cannot. ``cpu`` is a mode or model of processor, or ``auto``.
    """

    installation: str
    version: str
    virt_type: str
    cache: str
    filterref: bool = False
    unified_cgroups: bool = False
    cpu: str = "auto"


def build(spec: GuestSpec, layout: Layout, machine: Machine) -> str:
    """Return the whole definition, indented for people."""
    wished = hardware.resolve(spec.vcpus, spec.extra_specs, spec.image_properties)
    domain = E.domain(
        E.uuid(spec.server_id),
        E.name(text(spec.domain_name)),
        E.memory(str(spec.memory_mb * 1024)),
        *processor.memory_backing(wished),
        E.vcpu(str(spec.vcpus)),
        E.metadata(nova_metadata(spec, machine), our_metadata(spec, machine)),
        sysinfo(spec, machine),
        boot(spec, layout, wished),
        processor.features(wished, machine.virt_type),
        processor.tuning(wished, cpu_shares(spec.vcpus, machine, wished)),
        processor.clock(wished, machine.virt_type),
        processor.model(wished, machine.virt_type, machine.cpu),
        after_panic(),
        devices(spec, layout, machine, wished),
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
    ports = [_O.port(**port_attributes(interface)) for interface in spec.interfaces]
    return _O.guest(_O.installation(machine.installation), *ports)


def port_attributes(interface: InterfaceSpec) -> dict[str, str]:
    """What we note of a network card, for it to be guarded and, in the end, given back."""
    return {
        "id": text(interface.port_id),
        "mac": text(interface.mac),
        "addresses": " ".join(interface.addresses),
        "network": text(interface.network.name),
        "bridge": text(interface.network.bridge),
        "gateway": interface.network.gateway_ip,
    }


def sysinfo(spec: GuestSpec, machine: Machine) -> Element:
    """What the guest reads from its SMBIOS tables (libvirt: formatdomain.html#smbios-system-information).

    The product's name is the one by which cloud-init recognises a cloud of this kind, and so asks the metadata service.
    """
    entries = {
        "manufacturer": "Nebulet",
        "product": "OpenStack Compute",
        "version": machine.version,
        "serial": spec.server_id,
        "uuid": spec.server_id,
        "family": "Virtual Machine",
    }
    return E.sysinfo(E.system(*(E.entry(value, name=name) for name, value in entries.items())), type="smbios")


def boot(spec: GuestSpec, layout: Layout, wished: Hardware = _PLAIN) -> Element:
    """From the disk, or straight into the image's own kernel (libvirt: formatdomain.html#direct-kernel-boot).

    Which firmware file is right for UEFI, libvirt chooses among those that the host has (formatdomain.html#bios-bootloader).
    """
    parts = [E.type("hvm", machine=wished.machine) if wished.machine else E.type("hvm")]
    if wished.secure_boot:
        parts.append(E.loader(secure="yes"))
    if layout.kernel is None:
        parts.append(E.boot(dev="hd"))
    else:
        parts.append(E.kernel(str(layout.kernel)))
        if layout.ramdisk is not None:
            parts.append(E.initrd(str(layout.ramdisk)))
        parts.append(E.cmdline(text(spec.kernel_args) or DEFAULT_CMDLINE.format(layout.disks[0].target)))
    if wished.boot_menu:
        parts.append(E.bootmenu(enable="yes"))
    parts.append(E.smbios(mode="sysinfo"))
    return E.os(*parts, firmware="efi") if wished.uefi else E.os(*parts)


def after_panic() -> Element:
    """A guest whose kernel panicked is off: it holds no memory and can be started (libvirt: formatdomain.html#events-configuration)."""
    return E.on_crash("destroy")


def cpu_shares(vcpus: int, machine: Machine, wished: Hardware = _PLAIN) -> int:
    """A guest's weight against others. Unified control groups know no weight above 10000 (libvirt: formatdomain.html#cpu-tuning)."""
    shares = wished.cpu_shares or 1024 * vcpus
    return min(shares, 10_000) if machine.unified_cgroups else shares


def devices(spec: GuestSpec, layout: Layout, machine: Machine, wished: Hardware = _PLAIN) -> Element:
    """Everything that is plugged in."""
    return E.devices(
        *extras.controllers(wished, layout.disks),
        *(disk(one, machine, wished) for one in layout.disks),
        *(interface(one, machine, wished) for one in spec.interfaces),
        serial(layout),
        *(E.serial(type="pty") for _ in range(wished.serial_ports)),
        *extras.guest_agent(wished),
        *extras.pointer(wished),
        display(),
        *extras.sound(wished),
        *extras.video(wished),
        *extras.watchdog(wished),
        *extras.panic(),
        E.memballoon(E.stats(period="10"), model="virtio"),
        *extras.rng(wished),
    )


def disk(one: Disk, machine: Machine, wished: Hardware = _PLAIN) -> Element:
    """A disk; freed blocks go back to the host (libvirt: formatdomain.html#hard-drives-floppy-disks-cdroms)."""
    driver = E.driver(name="qemu", type=one.format, cache=machine.cache)
    if not one.readonly:
        driver.set("discard", "unmap")
    if wished.packed_ring and one.bus == "virtio":
        driver.set("packed", "on")
    element = E.disk(
        driver, E.source(file=str(one.path)), E.target(bus=one.bus, dev=one.target), type="file", device=one.device
    )
    element.extend([E.readonly()] if one.readonly else extras.disk_limits(wished))
    return element


def interface(one: InterfaceSpec, machine: Machine, wished: Hardware = _PLAIN) -> Element:
    """A network card on the network's bridge."""
    element = E.interface(
        E.mac(address=one.mac),
        E.model(type=wished.vif_model),
        E.source(bridge=one.network.bridge),
        E.target(dev=tap(one.port_id)),
        type="bridge",
    )
    element.extend(extras.card_driver(wished))
    if one.network.mtu != 1500:
        element.append(E.mtu(size=str(one.network.mtu)))
    element.extend(extras.bandwidth(wished))
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
