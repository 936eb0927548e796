"""What is done to a guest that is there: rest, resize, a password, an interrupt."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt

from compute.states import PowerState
from compute.virt.driver import Cancelled, GuestSize, never
from compute.virt.errors import GuestNotRunning
from compute.virt.libvirt import agent, domain_xml, power
from compute.virt.libvirt.connection import Connection, translated
from compute.virt.libvirt.resizing import Resizing


class Changes(ABC):
    """A part of the driver, which says how a guest is found and readied for a start."""

    _instances: Path
    _connection: Connection

    @abstractmethod
    def _get(self, server_id: str) -> libvirt.virDomain: ...

    @abstractmethod
    def _plug_again(self, domain: libvirt.virDomain) -> None: ...

    @abstractmethod
    def _machine(self) -> domain_xml.Machine: ...

    @abstractmethod
    def power_on(self, server_id: str) -> None: ...

    def pause(self, server_id: str) -> None:
        with self._running(server_id) as domain:
            power.pause(domain)

    def unpause(self, server_id: str) -> None:
        with self._running(server_id) as domain:
            power.start(domain)

    def suspend(self, server_id: str) -> None:
        with translated(server_id):
            domain = self._get(server_id)
            if power.state(domain) == PowerState.SHUTDOWN:
                raise GuestNotRunning(server_id)
            power.suspend(domain)

    def resume(self, server_id: str) -> None:
        self.power_on(server_id)

    def resize(self, server_id: str, size: GuestSize, token: str, grace_s: int, cancelled: Cancelled = never) -> None:
        with translated(server_id):
            self._resizing(server_id).resize(size, token, grace_s, cancelled)

    def confirm_resize(self, server_id: str) -> None:
        with translated(server_id):
            self._resizing(server_id).confirm()

    def revert_resize(self, server_id: str) -> None:
        with translated(server_id):
            self._resizing(server_id).revert()

    def set_password(self, server_id: str, user: str, password: str) -> None:
        with self._running(server_id) as domain:
            agent.set_password(domain, user, password)

    def crash_dump(self, server_id: str) -> None:
        with self._running(server_id) as domain:
            domain.injectNMI()

    @contextmanager
    def _running(self, server_id: str) -> Iterator[libvirt.virDomain]:
        with translated(server_id):
            domain = self._get(server_id)
            if not domain.isActive():
                raise GuestNotRunning(server_id)
            yield domain

    def _resizing(self, server_id: str) -> Resizing:
        return Resizing(
            self._connection.get(),
            self._get(server_id),
            self._instances / server_id,
            plug=self._plug_again,
            shares=lambda vcpus: domain_xml.cpu_shares(vcpus, self._machine()),
        )
