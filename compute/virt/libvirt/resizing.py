"""Giving a guest another size on its own host, and the way back.

While a resize waits to be confirmed, the guest's folder holds ``resize/`` (copies of its disks and the old definition, whole once
the definition is there) and ``resize.json``, which tells whose resize it is and how far it came. So a command that comes again goes
on where the first one was interrupted, and a crash at any step leaves a guest that can go back.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import libvirt

from compute.virt import qemu_img
from compute.virt.driver import Cancelled, GuestSize
from compute.virt.errors import DriverError, HypervisorUnreachable, OperationCancelled
from compute.virt.layout import EPHEMERAL_DISK, GIB, MIB, ROOT_DISK, SWAP_DISK, Disk
from compute.virt.libvirt import power, storage
from compute.virt.libvirt.domain_xml import Machine
from compute.virt.libvirt.markup import read
from compute.virt.libvirt.resized_xml import disk_of, resized
from portal.core import faults
from portal.core.faults import Point

LOG = logging.getLogger(__name__)

_KEPT = (ROOT_DISK, EPHEMERAL_DISK, SWAP_DISK)
_DEFINITION = "domain.xml"
_FOLDER, _NOTE = "resize", "resize.json"


@dataclass(frozen=True)
class Note:
    """Which resize is under way or waits to be confirmed, whether the guest ran when it began, and whether it has its new size."""

    token: str
    running: bool
    done: bool = False


class Resizing:
    """The resize of one guest on a ``machine``. ``plug`` readies its networks for a start."""

    def __init__(
        self,
        connect: libvirt.virConnect,
        domain: libvirt.virDomain,
        folder: Path,
        *,
        plug: Callable[[libvirt.virDomain], None],
        machine: Machine,
    ) -> None:
        self._connect = connect
        self._domain = domain
        self._server_id = domain.UUIDString()
        self._folder = folder
        self._kept = folder / _FOLDER
        self._note_file = folder / _NOTE
        self._plug = plug
        self._machine = machine

    def resize(self, size: GuestSize, token: str, grace_s: int, cancelled: Cancelled) -> None:
        """Carry the resize out, once; on any failure the guest is as it was."""
        note = self._note()
        if note is None or note.token != token:
            self._forget()
            note = Note(token, running=bool(self._domain.isActive()))
        try:
            if not note.done:
                self._give(size, note, grace_s, cancelled)
            self._start(note)
        except BaseException:
            self._go_back(token)
            raise

    def _give(self, size: GuestSize, note: Note, grace_s: int, cancelled: Cancelled) -> None:
        """Give the guest, which is off afterwards, its new size."""
        self._refuse_smaller(size)
        self._write(note)
        power.stop(self._domain, grace_s, cancelled)
        if cancelled():
            raise OperationCancelled(self._server_id)
        faults.reach(Point.STOPPED, self._server_id)
        self._keep()
        faults.reach(Point.KEPT, self._server_id)
        self._change(size)
        faults.reach(Point.DEFINED, self._server_id)
        self._write(replace(note, done=True))

    def confirm(self, token: str) -> None:
        """Throw away what would undo this resize."""
        note = self._note()
        if note is not None and note.token == token:
            self._forget()

    def _forget(self) -> None:
        forget(self._folder)

    def revert(self, token: str) -> None:
        """Make the guest what it was before this resize."""
        note = self._note()
        if note is None or note.token != token:
            return
        if (self._kept / _DEFINITION).exists():
            if note.done:  # else nothing is to be written: the disk may be full
                self._write(replace(note, done=False))
            self._put_back()
            faults.reach(Point.DEFINED, self._server_id)
        self._start(note)
        self._forget()

    def _go_back(self, token: str) -> None:
        """Undo a resize that failed; when that cannot be done now, the note stays and the next command goes on from it."""
        try:
            self.revert(token)
        except (libvirt.libvirtError, DriverError, HypervisorUnreachable) as error:
            LOG.warning("A resize that failed could not be undone: %s", error)

    def _refuse_smaller(self, size: GuestSize) -> None:
        for name, wanted_gb in ((ROOT_DISK, size.root_gb), (EPHEMERAL_DISK, size.ephemeral_gb)):
            disk = self._folder / name
            if not disk.exists() or (name == ROOT_DISK and not wanted_gb):
                continue
            has_gb = -(-storage.virtual_size(disk) // GIB)
            if wanted_gb < has_gb:
                raise DriverError(
                    f"A disk of {has_gb} GB cannot become smaller; flavor {size.flavor_name} gives {wanted_gb} GB."
                )

    def _keep(self) -> None:
        """Copy what the guest writes to and what it is, unless that was done before an interruption."""
        if (self._kept / _DEFINITION).exists():
            return
        storage.remove(self._kept)
        with storage.sentences():
            self._kept.mkdir(mode=0o711)
            for name in _KEPT:
                if (self._folder / name).exists():
                    storage.copy(self._folder / name, self._kept / name)
            flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
            storage.replace_private(self._kept / _DEFINITION, self._domain.XMLDesc(flags))

    def _change(self, size: GuestSize) -> None:
        root, ephemeral, swap = (self._folder / name for name in _KEPT)
        added, removed = [], []
        _grow(root, size.root_gb * GIB)
        if ephemeral.exists():
            _grow(ephemeral, size.ephemeral_gb * GIB)
        elif size.ephemeral_gb:
            qemu_img.create_blank(ephemeral, "qcow2", size.ephemeral_gb * GIB)
            added.append(Disk("ephemeral", ephemeral, "qcow2", ""))
        if size.swap_mb:
            storage.make_swap(swap, "raw", size.swap_mb * MIB)
            added.append(Disk("swap", swap, "raw", ""))
        elif swap.exists():
            swap.unlink()
            removed.append(swap)
        before = (self._kept / _DEFINITION).read_text()
        self._define(resized(before, size, self._machine, added, removed))

    def _put_back(self) -> None:
        definition = (self._kept / _DEFINITION).read_text()
        power.pull_plug(self._domain)
        faults.reach(Point.STOPPED, self._server_id)
        self._define(definition)
        root = read(definition)
        with storage.sentences():
            for name in _KEPT:
                if (self._kept / name).exists():
                    (self._kept / name).replace(self._folder / name)
                elif disk_of(root, self._folder / name) is None:
                    (self._folder / name).unlink(missing_ok=True)
            (self._kept / _DEFINITION).unlink()

    def _define(self, definition: str) -> None:
        self._domain = self._connect.defineXML(definition)
        with storage.sentences():
            storage.write_private(self._folder / _DEFINITION, definition)

    def _start(self, note: Note) -> None:
        if note.running:
            self._plug(self._domain)
            power.start(self._domain)
        faults.reach(Point.STARTED, self._server_id)

    def _note(self) -> Note | None:
        try:
            return Note(**json.loads(self._note_file.read_text()))
        except FileNotFoundError:
            return None

    def _write(self, note: Note) -> None:
        storage.replace_private(self._note_file, json.dumps(asdict(note)))


def _grow(disk: Path, size_bytes: int) -> None:
    if size_bytes > storage.virtual_size(disk):
        qemu_img.grow(disk, "qcow2", size_bytes)


def forget(folder: Path) -> None:
    """Remove what was kept of a resize: nobody goes back any more."""
    with storage.sentences():
        (folder / _NOTE).unlink(missing_ok=True)
    storage.remove(folder / _FOLDER)
