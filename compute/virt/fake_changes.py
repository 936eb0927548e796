"""What is done to a pretended guest that is there."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from compute.states import PowerState
from compute.virt.driver import Cancelled, GuestSize, never
from compute.virt.errors import DriverError, GuestNotRunning
from portal.core import faults
from portal.core.faults import Point

UP = (PowerState.RUNNING, PowerState.PAUSED)


@dataclass
class Guest:
    """One pretended guest. ``own`` is its definition without the rescue that goes on."""

    name: str
    vcpus: int
    memory_mb: int
    root_gb: int
    definition: str
    state: PowerState = PowerState.RUNNING
    boots: int = 0
    base: str = ""
    cards: dict[str, list[str]] = field(default_factory=dict)
    own: str = ""
    rescue_base: str = ""
    before: dict[str, Any] = field(default_factory=dict)


class FakeChanges(ABC):
    """A part of the fake driver, which keeps the guests."""

    @abstractmethod
    def _get(self, server_id: str) -> Guest: ...

    @abstractmethod
    def _change(self, server_id: str, state: PowerState) -> None: ...

    @abstractmethod
    def _boot(self, server_id: str) -> None: ...

    @abstractmethod
    def _save(self) -> None: ...

    @abstractmethod
    def power_on(self, server_id: str) -> None: ...

    def pause(self, server_id: str) -> None:
        self._running(server_id)
        self._change(server_id, PowerState.PAUSED)

    def unpause(self, server_id: str) -> None:
        self._running(server_id)
        self._change(server_id, PowerState.RUNNING)

    def suspend(self, server_id: str) -> None:
        if self._get(server_id).state != PowerState.SUSPENDED:
            self._running(server_id)
            self._change(server_id, PowerState.SUSPENDED)

    def resume(self, server_id: str) -> None:
        self.power_on(server_id)

    def resize(self, server_id: str, size: GuestSize, token: str, grace_s: int, cancelled: Cancelled = never) -> None:
        guest = self._get(server_id)
        if guest.before.get("token") == token:
            return
        if 0 < size.root_gb < guest.root_gb:
            raise DriverError(f"The disk of {guest.root_gb} GB cannot become smaller.")
        faults.reach(Point.STOPPED, server_id)
        figures = {"vcpus": guest.vcpus, "memory_mb": guest.memory_mb, "root_gb": guest.root_gb}
        guest.before = {"token": token, "state": guest.state, **figures}
        faults.reach(Point.KEPT, server_id)
        guest.vcpus, guest.memory_mb, guest.root_gb = size.vcpus, size.memory_mb, size.root_gb or guest.root_gb
        self._restart(server_id, guest.state)

    def confirm_resize(self, server_id: str, token: str) -> None:
        guest = self._get(server_id)
        if guest.before.get("token") == token:
            guest.before = {}
            self._save()

    def revert_resize(self, server_id: str, token: str) -> None:
        guest = self._get(server_id)
        if guest.before.get("token") == token:
            before, guest.before = guest.before, {}
            faults.reach(Point.STOPPED, server_id)
            guest.vcpus, guest.memory_mb, guest.root_gb = before["vcpus"], before["memory_mb"], before["root_gb"]
            self._restart(server_id, PowerState(before["state"]))

    def set_password(self, server_id: str, user: str, password: str) -> None:
        self._running(server_id)

    def crash_dump(self, server_id: str) -> None:
        self._running(server_id)

    def _running(self, server_id: str) -> None:
        if self._get(server_id).state not in UP:
            raise GuestNotRunning(server_id)

    def _restart(self, server_id: str, state: PowerState) -> None:
        faults.reach(Point.DEFINED, server_id)
        if state == PowerState.RUNNING:
            self._boot(server_id)
        self._change(server_id, state)
        faults.reach(Point.STARTED, server_id)
