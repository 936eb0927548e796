"""The libvirt driver: one host, reached through libvirt only."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import libvirt

from compute.states import PowerState, TaskState
from compute.virt import boot_logs, hardware
from compute.virt.diagnostics import Diagnostics
from compute.virt.driver import (
    PLAIN,
    BuildProgress,
    Built,
    Cancelled,
    Card,
    Display,
    GuestSize,
    GuestSpec,
    HostFacts,
    ImageCache,
    InterfaceSpec,
    Quiesce,
    RescueSpec,
    Tell,
    Wishes,
    never,
)
from compute.virt.errors import BuildCancelled, DriverError, GuestNotRunning, HypervisorUnreachable, OperationCancelled
from compute.virt.filtering import GroupSpec, PortFilter
from compute.virt.layout import ROOT_DISK, Layout, plan
from compute.virt.libvirt import agent, diagnostics, domain_xml, facts, metadata, power, rebuild, rescuing, snapshots, storage
from compute.virt.libvirt.cards import Cards
from compute.virt.libvirt.connection import UP, Connection, translated
from compute.virt.libvirt.guard import Guard, NoGuard
from compute.virt.libvirt.guests import Guests, inactive
from compute.virt.libvirt.markup import Malformed
from compute.virt.libvirt.metadata import Port
from compute.virt.libvirt.network import Networks
from compute.virt.libvirt.plugging import Plugging
from compute.virt.libvirt.resizing import Resizing
from portal.core import faults
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

_RESCUE_GRACE_S = 20


@dataclass(frozen=True)
class Options:
    """What an installation chooses. ``soft_reboot_s``: how long a guest may take to shut down before it is reset.

    ``reachable``: services of this host that its guests may use, such as ``tcp/3142``.
    """

    uri: str
    instances: Path
    installation: str
    version: str
    virt_type: str = "auto"
    cpu: str = "auto"
    soft_reboot_s: int = 60
    reachable: tuple[str, ...] = ()


class LibvirtDriver:
    """Fulfils ``compute.virt.driver.Driver``; sees only the guests of its own installation."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._instances = options.instances
        self._instances.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._instances.chmod(0o711)
        self._connection = Connection(options.uri)
        self._networks = Networks(self._connection, self._instances / "_dhcp")
        pretended = options.uri.startswith("test:")
        filters = self._instances / "_filters"
        self._guard: Guard = (NoGuard if pretended else Guard)(options.installation, filters, options.reachable)
        self._guarded = self._guard.install()
        self._virt_type = "test" if pretended else facts.virt_type(options.virt_type)
        self._cache = storage.cache_mode(self._instances)
        self._guests = Guests(self._connection, options.installation)
        self._processor: tuple[str, str, list[str]] | None = None
        self._connection.opened = self._guard_again

    def facts(self) -> HostFacts:
        with translated():
            connect = self._connection.get()
            if self._processor is None:
                self._processor = facts.processor(connect)
            used = sum(
                count for state, _, _, count, _ in self._guests.ask(lambda domain: domain.info()).values() if state in UP
            )
            arch, model, features = self._processor
            memory, memory_used = facts.memory_mb()
            disk, disk_free = facts.disk_gb(self._instances)
            return HostFacts(
                hypervisor_type=connect.getType(),
                hypervisor_version=connect.getVersion(),
                vcpus=facts.vcpus(),
                memory_mb=memory,
                memory_mb_used=memory_used,
                disk_gb=disk,
                disk_gb_free=disk_free,
                cpu_arch=arch,
                cpu_model=model,
                cpu_features=features,
                kvm=self._virt_type == "kvm",
                address=facts.address(),
                vcpus_used=used,
                foreign_guests=self._guests.foreign(),
            )

    def guests(self) -> dict[str, PowerState]:
        with translated():
            return self._guests.ask(power.state)

    def spawn(self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled) -> Built:
        """Build and start a guest. One that is there already is a success; what a crash left half built is removed first.

        libvirt knows a guest only once its disks are whole, so one that it knows is never built again: a Spawn that comes a
        second time must not cost a stopped guest its disk. One that never ran was left by a crash just before its start.
        """
        with translated(spec.server_id):
            domain = self._guests.find(spec.server_id)
            if domain is not None:
                if not self.console_log(spec.server_id).exists():
                    self._plug_again(domain)
                    power.start(domain)
                return self._built(domain)
            self.destroy(spec.server_id)
            layout = plan(self._instances, spec)
            try:
                return self._built(self._build(spec, layout, images, tell, cancelled))
            except BaseException:
                self._clean_up(spec.server_id)
                raise

    def destroy(self, server_id: str) -> None:
        with translated(server_id):
            domain = self._guests.find(server_id)
            folder = self._instances / server_id
            ports = self._ports(folder, domain)
            if domain is not None:
                power.undefine(domain)
                faults.reach(Point.STOPPED, server_id)
            if self._guarded:
                self._guard.forget(ports)
            for port in ports:
                self._networks.release(port)
            storage.remove(folder)
            self._guests.forget(server_id)

    def power_on(self, server_id: str) -> None:
        with translated(server_id):
            domain = self._guests.get(server_id)
            self._plug_again(domain)
            self._start(domain)

    def power_off(self, server_id: str, grace_s: int, cancelled: Cancelled = never) -> None:
        with translated(server_id):
            power.stop(self._guests.get(server_id), grace_s, cancelled)

    def reboot(self, server_id: str, hard: bool, cancelled: Cancelled = never) -> None:
        """Off and on again, so that also a changed definition counts, and as itself: no rescued server is rebooted."""
        with translated(server_id):
            domain, folder = self._guests.get(server_id), self._instances / server_id
            power.stop(domain, 0 if hard else self._options.soft_reboot_s, cancelled)
            power.forget_memory(domain)
            faults.reach(Point.STOPPED, server_id)
            if cancelled():
                raise OperationCancelled(server_id)
            own = rescuing.own_definition(folder, domain)
            if own is None:
                self._plug_again(domain)
                self._start(domain)
            else:
                self._restart(own)
                rescuing.forget(folder)

    def attach_interface(
        self, server_id: str, interface: InterfaceSpec, groups: list[GroupSpec], wishes: Wishes = PLAIN
    ) -> None:
        wished = hardware.resolve(wishes.vcpus, wishes.extra_specs, wishes.image_properties)
        with translated(server_id):
            domain = self._guests.get(server_id)
            self._tell_filters([interface.filter] if interface.filter else [], groups)
            self._cards(domain).attach(interface, wished)
            storage.keep_definition(self._instances / server_id, domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def detach_interface(self, server_id: str, port_id: str) -> None:
        with translated(server_id):
            domain = self._guests.get(server_id)
            self._cards(domain).detach(port_id)
            storage.keep_definition(self._instances / server_id, domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def set_filters(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        if self._guarded:
            self._guard.hear(ports, groups)

    def copy_disk(self, server_id: str, target: Path, quiesce: Quiesce, tell: Tell, cancelled: Cancelled) -> None:
        with translated(server_id):
            ask = snapshots.asking(server_id, tell, cancelled)
            disk = self._instances / server_id / ROOT_DISK
            snapshots.copy(self._guests.get(server_id), disk, target, quiesce, ask, live=self._virt_type != "test")

    def rebuild(
        self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled, *, start: bool, preserve_ephemeral: bool
    ) -> Built:
        """Whatever was interrupted is done again from the beginning: nothing of the old disks is looked at."""
        with translated(spec.server_id):
            tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING))
            rebuild.fetch(spec, images, tell)
            layout = plan(self._instances, spec)
            definition = domain_xml.build(spec, layout, self._machine())
            rebuild.describe(layout, definition)
            domain = self._guests.find(spec.server_id)
            if domain is not None:
                rebuild.stop(domain)
                faults.reach(Point.STOPPED, spec.server_id)
            rebuild.clear(layout)
            storage.fill(rebuild.new_disks(layout, keep_ephemeral=preserve_ephemeral), spec, images, tell, cancelled)
            self._tell_filters([one.filter for one in spec.interfaces if one.filter], spec.groups)
            self._plug(spec.interfaces, metadata.ports(definition))
            faults.reach(Point.DISKS_MADE, spec.server_id)
            tell(BuildProgress(TaskState.SPAWNING))
            domain = self._connection.get().defineXML(definition)
            faults.reach(Point.DEFINED, spec.server_id)
            if start:
                self._start(domain)
            return self._built(domain)

    def rescue(self, server_id: str, rescue: RescueSpec, images: ImageCache, tell: Tell) -> Built:
        with translated(server_id):
            domain, folder = self._guests.get(server_id), self._instances / server_id
            tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING))
            before = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
            definition = rescuing.prepare(folder, domain, rescue, images, tell)
            faults.reach(Point.DISKS_MADE, server_id)
            power.stop(domain, _RESCUE_GRACE_S, never)
            faults.reach(Point.STOPPED, server_id)
            tell(BuildProgress(TaskState.SPAWNING))
            try:
                return self._restart(definition)
            except BaseException:
                self._connection.get().defineXML(rescuing.own_definition(folder, domain) or before)
                rescuing.forget(folder)
                raise

    def unrescue(self, server_id: str) -> Built:
        with translated(server_id):
            domain, folder = self._guests.get(server_id), self._instances / server_id
            own = rescuing.own_definition(folder, domain)
            if own is None:
                self.power_on(server_id)
            else:
                power.stop(domain, _RESCUE_GRACE_S, never)
                faults.reach(Point.STOPPED, server_id)
                self._restart(own)
            rescuing.forget(folder)
            return self._built(domain)

    def _restart(self, definition: str) -> Built:
        """Start a guest that is off with another definition."""
        domain = self._connection.get().defineXML(definition)
        faults.reach(Point.DEFINED, domain.UUIDString())
        self._plug_again(domain)
        self._start(domain)
        return self._built(domain)

    def pause(self, server_id: str) -> None:
        with self._guests.running(server_id) as domain:
            power.pause(domain)

    def unpause(self, server_id: str) -> None:
        with self._guests.running(server_id) as domain:
            power.start(domain)

    def suspend(self, server_id: str) -> None:
        with translated(server_id):
            domain = self._guests.get(server_id)
            if power.state(domain) == PowerState.SHUTDOWN:
                raise GuestNotRunning(server_id)
            power.suspend(domain)

    def resume(self, server_id: str) -> None:
        self.power_on(server_id)

    def resize(self, server_id: str, size: GuestSize, token: str, grace_s: int, cancelled: Cancelled = never) -> None:
        with translated(server_id):
            self._resizing(server_id).resize(size, token, grace_s, cancelled)

    def confirm_resize(self, server_id: str, token: str) -> None:
        with translated(server_id):
            self._resizing(server_id).confirm(token)

    def revert_resize(self, server_id: str, token: str) -> None:
        with translated(server_id):
            self._resizing(server_id).revert(token)

    def set_password(self, server_id: str, user: str, password: str) -> None:
        with self._guests.running(server_id) as domain:
            agent.set_password(domain, user, password)

    def crash_dump(self, server_id: str) -> None:
        with self._guests.running(server_id) as domain:
            domain.injectNMI()

    def bases(self) -> list[Path]:
        return storage.bases(self._instances)

    def display(self, server_id: str, kind: str) -> Display:
        find = {"vnc": metadata.display_socket, "serial": metadata.serial_socket}.get(kind)
        if find is None:
            raise DriverError(f"Guests of this host have no {kind} display.")
        with self._guests.running(server_id) as domain:
            socket = find(domain.XMLDesc())
        if socket is None:
            raise DriverError(f"Instance {server_id} has no {kind} display.")
        return Display(kind=kind, socket=socket)

    def console_log(self, server_id: str) -> Path:
        return self._instances / server_id / "console.log"

    def definition(self, server_id: str) -> str:
        with translated(server_id):
            return str(self._guests.get(server_id).XMLDesc())

    def diagnostics(self, server_id: str) -> Diagnostics:
        with self._guests.running(server_id) as domain:
            return diagnostics.of(domain, self._virt_type)

    def bridges(self) -> set[str]:
        return self._networks.bridges()

    def card_at(self, bridge: str, address: str) -> Card | None:
        with translated():
            return self._guests.card_at(bridge, address)

    def watch(self, changed: Callable[[str, PowerState], None], missed: Callable[[], None] | None = None) -> None:
        told: dict[str, PowerState] = {}

        def reopened() -> None:
            told.clear()  # a guest may have changed twice meanwhile
            if missed is not None:
                missed()

        self._connection.reopened = reopened
        threading.Thread(target=self._watch, args=(changed, told), name="guest-events", daemon=True).start()

    def _watch(self, changed: Callable[[str, PowerState], None], told: dict[str, PowerState]) -> None:
        while True:
            server_id, state = self._connection.events.get()
            try:
                if self._guests.find(server_id) is None:
                    told.pop(server_id, None)
                elif told.get(server_id) != state:  # a start is told twice: as started and as resumed
                    told[server_id] = state
                    changed(server_id, state)
            except (libvirt.libvirtError, DriverError, HypervisorUnreachable) as error:
                LOG.warning("An event of guest %s was not told: %s", server_id, error)
            except Exception:
                LOG.exception("An event of guest %s was not told", server_id)

    def _build(
        self, spec: GuestSpec, layout: Layout, images: ImageCache, tell: Tell, cancelled: Cancelled
    ) -> libvirt.virDomain:
        definition = domain_xml.build(spec, layout, self._machine())
        LOG.debug("Start to build the guest with definition\n%s", definition)
        storage.prepare(layout, definition)
        tell(BuildProgress(TaskState.NETWORKING))
        self._tell_filters([one.filter for one in spec.interfaces if one.filter], spec.groups)
        plugging = Plugging(lambda: self._plug(spec.interfaces, metadata.ports(definition)))
        try:
            tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING))
            storage.fill(layout, spec, images, tell, cancelled)
        finally:
            plugging.join()
        plugging.check()
        faults.reach(Point.DISKS_MADE, spec.server_id)
        if cancelled():
            raise BuildCancelled(spec.server_id)
        tell(BuildProgress(TaskState.SPAWNING))
        domain = self._connection.get().defineXML(definition)
        storage.tell_places(layout, spec, metadata.addresses_on_buses(inactive(domain)))
        faults.reach(Point.DEFINED, spec.server_id)
        domain.create()
        faults.reach(Point.STARTED, spec.server_id)
        return domain

    def _machine(self) -> domain_xml.Machine:
        return domain_xml.Machine(
            installation=self._options.installation,
            version=self._options.version,
            virt_type=self._virt_type,
            cache=self._cache,
            filterref=not self._guarded,
            unified_cgroups=facts.unified_cgroups(),
            cpu=self._options.cpu,
        )

    def _tell_filters(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        if self._guarded:
            self._guard.filter(ports, groups)

    def _plug(self, interfaces: list[InterfaceSpec], ports: list[Port]) -> None:
        """Make the networks and open them to the guest's cards, before the guest exists."""
        for interface in interfaces:
            self._networks.ensure(interface.network)
        if self._guarded:
            self._guard.allow(ports)
        for port in ports:
            self._networks.reserve(port)

    def _cards(self, domain: libvirt.virDomain) -> Cards:
        return Cards(domain, self._networks, self._guard if self._guarded else None, self._machine())

    def _start(self, domain: libvirt.virDomain) -> None:
        """Start the guest with a new console log; the one of its last boot is kept."""
        if not domain.isActive():
            boot_logs.keep(self._instances / domain.UUIDString())
        power.start(domain)
        faults.reach(Point.STARTED, domain.UUIDString())

    def _plug_again(self, domain: libvirt.virDomain) -> None:
        """After a restart of the host neither network nor guard may be there."""
        ports = metadata.ports(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        for port in ports:
            self._networks.start(port.network)
        if self._guarded:
            self._guard.allow(ports)

    def _guard_again(self, connect: libvirt.virConnect) -> None:
        if self._guarded and self._guard.install():
            for domain in self._guests.all(connect):
                self._guard.allow(metadata.ports(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))

    def _clean_up(self, server_id: str) -> None:
        """Remove what a failed build left. What cannot be removed now is, by the next spawn or destroy."""
        try:
            self.destroy(server_id)
        except (libvirt.libvirtError, DriverError, HypervisorUnreachable) as error:
            LOG.warning("The remains of a failed build could not be removed: %s", error)

    def _built(self, domain: libvirt.virDomain) -> Built:
        return Built(definition=domain.XMLDesc(), power_state=power.state(domain))

    def _resizing(self, server_id: str) -> Resizing:
        return Resizing(
            self._connection.get(),
            self._guests.get(server_id),
            self._instances / server_id,
            plug=self._plug_again,
            machine=self._machine(),
        )

    def _ports(self, folder: Path, domain: libvirt.virDomain | None) -> list[Port]:
        try:
            return metadata.ports((folder / "domain.xml").read_text())
        except (OSError, Malformed):
            return [] if domain is None else metadata.ports(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
