"""A copy of a guest's root disk as it is at one moment, in one file that needs no other.

A guest that runs goes on: QEMU mirrors its disk into the file until both are equal, and lets go of the file there and then
(libvirt: html/libvirt-libvirt-domain.html#virDomainBlockCopy). The guest's own disk is never changed for it, so whatever is interrupted
leaves a mirror at most, and the next copy ends that first.
"""

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt

from compute.states import TaskState
from compute.virt import qemu_img
from compute.virt.driver import BuildProgress, Cancelled, Quiesce, Tell
from compute.virt.errors import DriverError, OperationCancelled
from compute.virt.libvirt import storage
from compute.virt.libvirt.markup import E, read, render
from portal.core.disks.qemu_img import KEEP_FREE_BYTES

LOG = logging.getLogger(__name__)

_AGENT_S = 30

_LOOK_EVERY_S = 0.2
_WORDS = "copying the disk"


@storage.sentences()
def copy(
    domain: libvirt.virDomain, disk: Path, target: Path, quiesce: Quiesce, ask: Callable[[int, int], None], *, live: bool
) -> None:
    """Write the copy; ``ask`` is told how far it is and may raise, which ends it."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    size = storage.virtual_size(disk)
    ask(0, size)
    try:
        if live and domain.isActive():
            with _mirrored(domain, disk, part, ask) as device, _still(domain, quiesce):
                domain.blockJobAbort(device)
        else:
            base = storage.backing_file(disk)
            qemu_img.flatten(disk, base, part, virtual_bytes=size, still_wanted=lambda: ask(_written(part), size))
        _keep(part, target)
    finally:
        part.unlink(missing_ok=True)


def asking(server_id: str, tell: Tell, cancelled: Cancelled) -> Callable[[int, int], None]:
    """Return what tells how far a copy is, and ends it once its server is to be destroyed."""

    def ask(done: int, total: int) -> None:
        if cancelled():
            raise OperationCancelled(server_id)
        tell(BuildProgress(TaskState.IMAGE_SNAPSHOT, _WORDS, min(done, total), total))

    return ask


@contextmanager
def _mirrored(domain: libvirt.virDomain, disk: Path, part: Path, ask: Callable[[int, int], None]) -> Iterator[str]:
    """While the file is equal to the disk; afterwards the mirror is ended, whatever happened."""
    device = _device(domain, disk)
    _end(domain, device)  # what an interrupted copy left
    wanted = E.disk(E.source(file=str(part)), E.driver(name="qemu", type="qcow2"), type="file")
    domain.blockCopy(device, render(wanted), {}, libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
    try:
        while not _is_equal(domain, device):
            info = domain.blockJobInfo(device)
            if not info:
                raise DriverError("The hypervisor stopped copying the disk.")
            ask(info["cur"], info["end"])
            if shutil.disk_usage(part.parent).free < KEEP_FREE_BYTES:
                raise DriverError("The copy would fill the disk of this host.")
            time.sleep(_LOOK_EVERY_S)
        yield device
    finally:
        _end(domain, device)


def _device(domain: libvirt.virDomain, disk: Path) -> str:
    for one in read(domain.XMLDesc()).iterfind("./devices/disk"):
        source, target = one.find("source"), one.find("target")
        if source is not None and target is not None and source.get("file") == str(disk):
            return str(target.get("dev"))
    raise DriverError("The root disk of the instance is not where it should be.")


def _is_equal(domain: libvirt.virDomain, device: str) -> bool:
    mirror = read(domain.XMLDesc()).find(f"./devices/disk[target]/target[@dev='{device}']/../mirror")
    return mirror is not None and mirror.get("ready") == "yes"


def _end(domain: libvirt.virDomain, device: str) -> None:
    try:
        if domain.blockJobInfo(device):
            domain.blockJobAbort(device)
    except libvirt.libvirtError as error:
        LOG.info("The copying of %s ended by itself: %s", device, error)


@contextmanager
def _still(domain: libvirt.virDomain, quiesce: Quiesce) -> Iterator[None]:
    """While the guest's agent holds its file systems, if that is wanted; they are let go whatever happens.

    An agent that failed, or did not answer in time, may hold them all the same.
    """
    asked = quiesce != Quiesce.NO
    if asked:
        try:
            domain.agentSetResponseTimeout(_AGENT_S)
            domain.fsFreeze()
        except libvirt.libvirtError as error:
            _let_go(domain)
            asked = False
            if quiesce == Quiesce.REQUIRED:
                raise DriverError(f"The guest's file systems could not be held: {error.get_error_message()}.") from error
            LOG.warning("The guest's file systems are copied as they are: %s", error)
    try:
        yield
    finally:
        if asked:
            _let_go(domain)


def _let_go(domain: libvirt.virDomain) -> None:
    with contextlib.suppress(libvirt.libvirtError):
        domain.fsThaw()


def _keep(part: Path, target: Path) -> None:
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(target)


def _written(part: Path) -> int:
    try:
        return part.stat().st_blocks * 512
    except FileNotFoundError:
        return 0
