"""Devices that a guest has because its flavor or its image asked for them (libvirt: formatdomain.html#devices)."""

from collections.abc import Sequence

from compute.virt.hardware import Hardware
from compute.virt.layout import Disk
from compute.virt.libvirt.markup import E, Element

AGENT_CHANNEL = "org.qemu.guest_agent.0"
_MIB_IN_KIB = 1024


def controllers(wished: Hardware, disks: Sequence[Disk]) -> list[Element]:
    """Return the controllers whose model was chosen; libvirt adds the others by itself."""
    found = []
    if any(disk.bus == "scsi" for disk in disks):
        found.append(E.controller(type="scsi", index="0", model=wished.scsi_model))
    return [*found, *usb_controller(wished)]


def usb_controller(wished: Hardware) -> list[Element]:
    """Return the USB controller, where its model was chosen."""
    return [E.controller(type="usb", index="0", model=wished.usb_model)] if wished.usb_model else []


def disk_limits(wished: Hardware) -> list[Element]:
    """Return how fast a disk may be (libvirt: formatdomain.html#hard-drives-floppy-disks-cdroms)."""
    limits = [getattr(E, name)(str(value)) for name, value in sorted(wished.disk_limits.items())]
    return [E.iotune(*limits)] if limits else []


def card_driver(wished: Hardware) -> list[Element]:
    """Return how a virtio card works, where it differs: several queues, or packed ones."""
    words: dict[str, str] = {}
    if wished.vif_queues > 1:
        words.update(name="vhost", queues=str(wished.vif_queues))
    if wished.packed_ring and wished.vif_model == "virtio":
        words.update(packed="on")
    return [E.driver(**words)] if words else []


def bandwidth(wished: Hardware) -> list[Element]:
    """Return how much a card may carry, in kilobytes (libvirt: formatdomain.html#quality-of-service)."""
    ways = [getattr(E, way)(**{pace: str(value) for pace, value in paces.items()}) for way, paces in wished.vif_limits.items()]
    return [E.bandwidth(*ways)] if ways else []


def guest_agent(wished: Hardware) -> list[Element]:
    """Return the channel to the agent inside the guest; libvirt chooses its socket."""
    return [E.channel(E.target(type="virtio", name=AGENT_CHANNEL), type="unix")] if wished.guest_agent else []


def pointer(wished: Hardware) -> list[Element]:
    """Return a tablet, with which the pointer on the screen is where the viewer's is."""
    return [E.input(type="tablet", bus=wished.pointer_bus)] if wished.pointer_bus else []


def sound(wished: Hardware) -> list[Element]:
    return [E.sound(model=wished.sound_model)] if wished.sound_model else []


def video(wished: Hardware) -> list[Element]:
    """Return the graphics card: Cirrus, unless the image asks for another, shows text and pictures in every guest."""
    model = E.model(type=wished.video_model)
    if wished.video_ram_mb:
        model.set("vram", str(wished.video_ram_mb * _MIB_IN_KIB))
    return [E.video(model)]


def watchdog(wished: Hardware) -> list[Element]:
    return [E.watchdog(model="i6300esb", action=wished.watchdog)] if wished.watchdog else []


def panic() -> list[Element]:
    """Return the port by which a guest says that its kernel panicked, that of x86 machines (libvirt: formatdomain.html#panic-device)."""
    return [E.panic(model="isa")]


def rng(wished: Hardware) -> list[Element]:
    """Return the source of chance, bounded where the flavor says so."""
    if not wished.rng:
        return []
    element = E.rng(model="virtio")
    if wished.rng_bytes:
        element.append(E.rate(period=str(wished.rng_period_ms), bytes=str(wished.rng_bytes)))
    element.append(E.backend("/dev/urandom", model="random"))
    return [element]
