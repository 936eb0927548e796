"""A driver without a hypervisor, for demonstrations, tests and benchmarks: fast, and the same each time."""

import json
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from compute.states import PowerState, TaskState
from compute.virt import boot_logs, fake_copies, fake_diagnostics
from compute.virt.diagnostics import Diagnostics
from compute.virt.driver import (
    PLAIN,
    BuildProgress,
    Built,
    Cancelled,
    Card,
    Display,
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
from compute.virt.errors import BuildCancelled, DriverError, GuestNotFound, GuestNotRunning, OperationCancelled
from compute.virt.fake_changes import UP, FakeChanges, Guest
from compute.virt.fake_display import FakeDisplay
from compute.virt.fake_serial import FakeSerial
from compute.virt.filtering import GroupSpec, PortFilter
from compute.virt.layout import plan
from compute.virt.libvirt import domain_xml, metadata
from portal.core import faults
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

Faults = Mapping[str, Exception]

_SLOW = "slow"
_SLOW_BYTES = 1_900_000_000
_SLOW_TICKS = 200
_STEPS = (TaskState.NETWORKING, TaskState.BLOCK_DEVICE_MAPPING, TaskState.SPAWNING)


@dataclass(frozen=True)
class Pretence:
    """What the host pretends to be. ``step_s`` is how long each of a build's three steps takes.

    With ``slow_s`` a server whose name starts with "slow" fetches its image for that long, so that people can watch a build.
    ``shutdown_s`` is how long a guest takes that is asked to shut down.
    """

    vcpus: int = 16
    memory_mb: int = 65_536
    disk_gb: int = 1_000
    step_s: float = 0.0
    slow_s: float = 0.0
    shutdown_s: float = 0.0
    fetch_images: bool = False
    installation: str = "nebulet"
    version: str = "0"


class FakeDriver(FakeChanges):
    """Fulfils ``compute.virt.driver.Driver``.

    With ``register`` (a file) its guests outlive the process. ``faults`` are for tests: a server whose name contains a key
    fails to spawn with that error.
    """

    def __init__(
        self,
        instances: Path,
        pretence: Pretence | None = None,
        *,
        register: Path | None = None,
        sockets: Path | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._instances = instances
        self._pretence = pretence or Pretence()
        self._register = register
        self._sockets = sockets or instances
        self._faults = dict(faults or {})
        self._lock = threading.RLock()
        self._watchers: list[Callable[[str, PowerState], None]] = []
        self._displays: dict[str, dict[str, FakeDisplay | FakeSerial]] = {}
        self.filters: dict[str, PortFilter] = {}
        self.groups: dict[str, GroupSpec] = {}
        self._guests = self._load()
        instances.mkdir(parents=True, exist_ok=True)

    def facts(self) -> HostFacts:
        running = [guest for guest in self._guests.copy().values() if guest.state == PowerState.RUNNING]
        return HostFacts(
            hypervisor_type="fake",
            hypervisor_version=1_000_000,
            vcpus=self._pretence.vcpus,
            memory_mb=self._pretence.memory_mb,
            memory_mb_used=512 + sum(guest.memory_mb for guest in running),
            disk_gb=self._pretence.disk_gb,
            disk_gb_free=self._pretence.disk_gb - sum(guest.root_gb for guest in self._guests.copy().values()),
            cpu_arch="x86_64",
            cpu_model="pretended",
            cpu_features=[],
            kvm=False,
            address="127.0.0.1",
            vcpus_used=sum(guest.vcpus for guest in running),
        )

    def guests(self) -> dict[str, PowerState]:
        return {server_id: guest.state for server_id, guest in self._guests.copy().items()}

    def spawn(self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled) -> Built:
        known = self._guests.get(spec.server_id)
        if known is not None:
            return Built(known.definition, known.state)
        self.destroy(spec.server_id)
        try:
            return self._build(spec, images, tell, cancelled)
        except BaseException:
            self.destroy(spec.server_id)
            raise

    def destroy(self, server_id: str) -> None:
        with self._lock:
            if self._guests.pop(server_id, None) is not None:
                self._save()
                self._tell(server_id, PowerState.SHUTDOWN)
                faults.reach(Point.STOPPED, server_id)
            self._close_displays(server_id)
        shutil.rmtree(self._instances / server_id, ignore_errors=True)

    def power_on(self, server_id: str) -> None:
        state = self._get(server_id).state
        if state not in (*UP, PowerState.SUSPENDED):
            self._boot(server_id)
        if state != PowerState.RUNNING:
            self._change(server_id, PowerState.RUNNING)
            faults.reach(Point.STARTED, server_id)

    def power_off(self, server_id: str, grace_s: int, cancelled: Cancelled = never) -> None:
        if self._get(server_id).state != PowerState.SUSPENDED:
            self._shut_down(min(grace_s, self._pretence.shutdown_s), cancelled)
            self._change(server_id, PowerState.SHUTDOWN)

    def reboot(self, server_id: str, hard: bool, cancelled: Cancelled = never) -> None:
        self._get(server_id)
        self._shut_down(0 if hard else self._pretence.shutdown_s, cancelled)
        faults.reach(Point.STOPPED, server_id)
        if cancelled():
            raise OperationCancelled(server_id)
        self._own_again(server_id)
        self._boot(server_id)
        self._change(server_id, PowerState.RUNNING)
        faults.reach(Point.STARTED, server_id)

    def attach_interface(
        self, server_id: str, interface: InterfaceSpec, groups: list[GroupSpec], wishes: Wishes = PLAIN
    ) -> None:
        self._get(server_id)
        for key, fault in self._faults.items():
            if key in (interface.tag or ""):
                raise fault
        with self._lock:
            self._get(server_id).cards[interface.port_id] = list(interface.addresses)
            self._save()
        self.set_filters([interface.filter] if interface.filter else [], groups)

    def detach_interface(self, server_id: str, port_id: str) -> None:
        with self._lock:
            self._get(server_id).cards.pop(port_id, None)
            self._save()

    def set_filters(self, ports: list[PortFilter], groups: list[GroupSpec]) -> None:
        with self._lock:
            for port in ports:
                if port.revision >= self.filters.get(port.port_id, port).revision:
                    self.filters[port.port_id] = port
            for group in groups:
                if group.revision >= self.groups.get(group.id, group).revision:
                    self.groups[group.id] = group

    def cards(self, server_id: str) -> dict[str, list[str]]:
        """For tests: the addresses of the guest's network cards, by port."""
        return dict(self._get(server_id).cards)

    def bases(self) -> list[Path]:
        guests = self._guests.copy().values()
        return [Path(base) for guest in guests for base in (guest.base, guest.rescue_base) if base]

    def copy_disk(self, server_id: str, target: Path, quiesce: Quiesce, tell: Tell, cancelled: Cancelled) -> None:
        self._get(server_id)
        self._wait(server_id, self._pretence.step_s, cancelled)
        fake_copies.copy(self._instances / server_id, target, tell)

    def rebuild(
        self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled, *, start: bool, preserve_ephemeral: bool
    ) -> Built:
        faults.reach(Point.STOPPED, spec.server_id)
        built = self._build(spec, images, tell, cancelled)
        if not start:
            self._change(spec.server_id, PowerState.SHUTDOWN)
        return Built(built.definition, self._get(spec.server_id).state)

    def rescue(self, server_id: str, rescue: RescueSpec, images: ImageCache, tell: Tell) -> Built:
        tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING))
        base = str(images.fetch(rescue.image, tell)) if self._pretence.fetch_images else ""
        with self._lock:
            guest = self._get(server_id)
            guest.own, guest.rescue_base = guest.own or guest.definition, base
            guest.definition = fake_copies.rescued(guest.own, rescue, self._instances / server_id)
        faults.reach(Point.DISKS_MADE, server_id)
        tell(BuildProgress(TaskState.SPAWNING))
        return self._start_anew(server_id)

    def unrescue(self, server_id: str) -> Built:
        if self._own_again(server_id):
            return self._start_anew(server_id)
        self.power_on(server_id)
        return Built(self._get(server_id).definition, PowerState.RUNNING)

    def _own_again(self, server_id: str) -> bool:
        """Give a guest the definition that it had before its rescue; False when it is not being rescued."""
        with self._lock:
            guest = self._get(server_id)
            rescued = bool(guest.own)
            guest.definition, guest.own, guest.rescue_base = guest.own or guest.definition, "", ""
        return rescued

    def _start_anew(self, server_id: str) -> Built:
        faults.reach(Point.STOPPED, server_id)
        faults.reach(Point.DEFINED, server_id)
        self._boot(server_id)
        self._change(server_id, PowerState.RUNNING)
        faults.reach(Point.STARTED, server_id)
        return Built(self._get(server_id).definition, PowerState.RUNNING)

    def display(self, server_id: str, kind: str) -> Display:
        if kind not in ("vnc", "serial"):
            raise DriverError(f"Guests of this host have no {kind} display.")
        with self._lock:
            guest = self._get(server_id)
            if guest.state != PowerState.RUNNING:
                raise GuestNotRunning(server_id)
            found = self._displays.setdefault(server_id, {})
            if kind not in found:
                found[kind] = self._make_display(server_id, kind, guest)
            return Display(kind=kind, socket=str(found[kind].path))

    def _make_display(self, server_id: str, kind: str, guest: Guest) -> FakeDisplay | FakeSerial:
        path = self._sockets / f"{kind}-{server_id[:8]}.sock"
        if kind == "vnc":
            return FakeDisplay(path, guest.name)
        return FakeSerial(path, self.console_log(server_id), f"{hostname(guest)} login: ")

    def console_log(self, server_id: str) -> Path:
        return self._instances / server_id / "console.log"

    def definition(self, server_id: str) -> str:
        return self._get(server_id).definition

    def diagnostics(self, server_id: str) -> Diagnostics:
        guest = self._get(server_id)
        if guest.state != PowerState.RUNNING:
            raise GuestNotRunning(server_id)
        return fake_diagnostics.of(guest.definition, guest.vcpus, guest.memory_mb)

    def bridges(self) -> set[str]:
        return set()

    def card_at(self, bridge: str, address: str) -> Card | None:
        definitions = {server_id: guest.definition for server_id, guest in self._guests.copy().items()}
        return metadata.card_at(definitions.items(), bridge, address)

    def watch(self, changed: Callable[[str, PowerState], None], missed: Callable[[], None] | None = None) -> None:
        self._watchers.append(changed)

    def happen(self, server_id: str, state: PowerState) -> None:
        """For tests: the guest changes by itself."""
        self._change(server_id, state)

    def _build(self, spec: GuestSpec, images: ImageCache, tell: Tell, cancelled: Cancelled) -> Built:
        base = ""
        for step in _STEPS:
            tell(BuildProgress(step))
            if step == TaskState.BLOCK_DEVICE_MAPPING and self._pretence.fetch_images:
                base = str(images.fetch(spec.image, tell))
            if step == TaskState.BLOCK_DEVICE_MAPPING and spec.name.startswith(_SLOW):
                self._fetch_slowly(spec.server_id, tell, cancelled)
            self._wait(spec.server_id, self._pretence.step_s, cancelled)
        for key, fault in self._faults.items():
            if key in spec.name:
                raise fault
        machine = domain_xml.Machine(self._pretence.installation, self._pretence.version, "qemu", "none")
        definition = domain_xml.build(spec, plan(self._instances, spec), machine)
        fake_copies.fill(self._instances / spec.server_id, spec)
        faults.reach(Point.DISKS_MADE, spec.server_id)
        with self._lock:
            cards = {card.port_id: card.addresses for card in spec.interfaces}
            guest = Guest(spec.name, spec.vcpus, spec.memory_mb, spec.root_gb, definition, base=base, cards=cards)
            self._guests[spec.server_id] = guest
        self.set_filters([card.filter for card in spec.interfaces if card.filter], spec.groups)
        faults.reach(Point.DEFINED, spec.server_id)
        self._boot(spec.server_id)
        self._change(spec.server_id, PowerState.RUNNING)
        faults.reach(Point.STARTED, spec.server_id)
        return Built(definition, PowerState.RUNNING)

    def _fetch_slowly(self, server_id: str, tell: Tell, cancelled: Cancelled) -> None:
        ticks = _SLOW_TICKS if self._pretence.slow_s else 0
        for tick in range(ticks):
            tell(BuildProgress(TaskState.BLOCK_DEVICE_MAPPING, "", tick * _SLOW_BYTES // ticks, _SLOW_BYTES))
            self._wait(server_id, self._pretence.slow_s / ticks, cancelled)

    def _wait(self, server_id: str, length_s: float, cancelled: Cancelled) -> None:
        end = time.monotonic() + length_s
        while True:
            if cancelled():
                raise BuildCancelled(server_id)
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.02))

    def _shut_down(self, length_s: float, cancelled: Cancelled) -> None:
        end = time.monotonic() + length_s
        while (left := end - time.monotonic()) > 0 and not cancelled():
            time.sleep(min(left, 0.02))

    def _boot(self, server_id: str) -> None:
        guest = self._get(server_id)
        guest.boots += 1
        log = self.console_log(server_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        boot_logs.keep(log.parent)
        log.write_text(boot_log(guest))

    def _get(self, server_id: str) -> Guest:
        guest = self._guests.get(server_id)
        if guest is None:
            raise GuestNotFound(server_id)
        return guest

    def _change(self, server_id: str, state: PowerState) -> None:
        with self._lock:
            self._get(server_id).state = state
            if state != PowerState.RUNNING:
                self._close_displays(server_id)
            self._save()
        self._tell(server_id, state)

    def _tell(self, server_id: str, state: PowerState) -> None:
        for watcher in self._watchers:
            watcher(server_id, state)

    def _close_displays(self, server_id: str) -> None:
        for display in self._displays.pop(server_id, {}).values():
            display.close()

    def _load(self) -> dict[str, Guest]:
        if self._register is None or not self._register.exists():
            return {}
        rows = json.loads(self._register.read_text())
        return {server_id: Guest(**{**row, "state": PowerState(row["state"])}) for server_id, row in rows.items()}

    def _save(self) -> None:
        if self._register is None:
            return
        rows = {server_id: asdict(guest) for server_id, guest in self._guests.items()}
        with tempfile.NamedTemporaryFile("w", dir=self._register.parent, delete=False) as part:
            json.dump(rows, part)
        Path(part.name).replace(self._register)


def boot_log(guest: Guest) -> str:
    """Return what the guest's serial port would have said so far."""
    return (
        "[    0.000000] Linux version 6.1.0-cloud-amd64 (pretended)\r\n"
        "[    0.000000] Command line: root=/dev/vda console=tty0 console=ttyS0\r\n"
        f"[    0.004000] Memory: {guest.memory_mb * 1024}K available\r\n"
        f"[    0.120000] smp: Brought up 1 node, {guest.vcpus} CPU{'s' if guest.vcpus > 1 else ''}\r\n"
        "[    0.900000] virtio_net virtio0 eth0: renamed\r\n"
        f"[    1.300000] init: boot number {guest.boots} is complete\r\n"
        f"\r\n{hostname(guest)} login: "
    )


def hostname(guest: Guest) -> str:
    """Return the name that the guest calls itself by."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else "-" for c in guest.name.lower()) or "guest"
