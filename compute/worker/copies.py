"""The commands that copy, replace or put aside disks of guests.

One that was interrupted begins anew, except that a copy that is whole is only sent, from where sending stopped.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from compute.copy_messages import CopyCommand, CopyDisk, Offload, Rebuild, Rescue, Unrescue, Unshelve
from compute.messages import OperationFinished
from compute.states import PowerState
from compute.virt.driver import BuildProgress, Built, Driver, ImageCache, ImageRef, Tell
from compute.virt.errors import DriverError, OperationCancelled
from compute.worker.build import Builder, Timings
from compute.worker.commands import Commands
from compute.worker.operations import Operations
from compute.worker.reporter import Progress, Reporter
from compute.worker.upload import Upload
from portal.core import faults
from portal.core.faults import Point

COPIES = "copies"


class CopyCommands:
    """Carries them out on one host, by the way of its other ``commands``. While images are needed, ``keeping`` holds them in the cache."""

    def __init__(
        self,
        driver: Driver,
        commands: Commands,
        reporter: Reporter,
        operations: Operations,
        *,
        images: ImageCache,
        builder: Builder,
        instances: Path,
        keeping: Callable[[Iterable[str]], AbstractContextManager[None]] = lambda _image_ids: nullcontext(),
    ) -> None:
        self._driver = driver
        self._commands = commands
        self._reporter = reporter
        self._operations = operations
        self._images = images
        self._builder = builder
        self._instances = instances
        self._keeping = keeping

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return what takes each kind of command."""
        return {
            CopyDisk: self.copy_disk,
            Rebuild: self.rebuild,
            Rescue: self.rescue,
            Unrescue: self.unrescue,
            Offload: self.offload,
            Unshelve: self.unshelve,
        }

    def give_up(self, command: Any) -> None:
        """Report a command that was tried often enough."""
        self._commands.give_up(command)

    def copy_disk(self, command: CopyDisk) -> None:
        """Copy the root disk and send it; a guest that was to be shut down for it and failed to be copied runs again."""
        folder = self._instances / command.server_id / COPIES

        def work() -> None:
            ran = self._driver.guests().get(command.server_id) == PowerState.RUNNING
            try:
                self._copy_and_send(command, folder)
            except (DriverError, OSError):
                if command.stop_s is not None and ran:
                    self._driver.power_on(command.server_id)
                _clear(folder)
                raise

        self._carry_out(command, work)
        _clear(folder)

    def rebuild(self, command: Rebuild) -> None:
        """Replace a guest's disks; after a failure the next try replaces them all again."""
        guest = command.guest

        def work() -> Built:
            self._commands.begins(command)
            with self._holding(guest.image, guest.kernel, guest.ramdisk):
                return self._driver.rebuild(
                    self._builder.opened(guest),
                    self._images,
                    self._tell(command),
                    self._operations.cancelled(command.server_id),
                    start=command.start,
                    preserve_ephemeral=command.preserve_ephemeral,
                )

        self._carry_out(command, work)

    def rescue(self, command: Rescue) -> None:
        """Start a guest from a rescue disk."""
        wanted = command.rescue

        def work() -> Built:
            with self._holding(wanted.image, wanted.kernel, wanted.ramdisk):
                opened = self._builder.opened(wanted)
                return self._driver.rescue(command.server_id, opened, self._images, self._tell(command))

        self._carry_out(command, work)

    def unrescue(self, command: Unrescue) -> None:
        """Start a guest from its own disk again."""
        self._carry_out(command, lambda: self._driver.unrescue(command.server_id))

    def offload(self, command: Offload) -> None:
        """Remove a guest; unlike a destroyed one it may be built here again."""
        self._carry_out(command, lambda: self._driver.destroy(command.server_id))

    def unshelve(self, command: Unshelve) -> None:
        """Start a guest that is here, or build it."""

        def work() -> Built | None:
            if command.guest is None:
                self._driver.power_on(command.server_id)
                return None
            return self._builder.build(command, Timings())

        self._carry_out(command, work)

    def _copy_and_send(self, command: CopyDisk, folder: Path) -> None:
        tell = self._tell(command)
        if command.stop_s is not None:
            self._driver.power_off(command.server_id, command.stop_s, self._commands.interrupted(command))
            faults.reach(Point.STOPPED, command.server_id)
        target = folder / command.image_id
        if not target.exists():
            _clear(folder)
            folder.mkdir(mode=0o711, exist_ok=True)
            cancelled = self._commands.interrupted(command)
            self._driver.copy_disk(command.server_id, target, command.quiesce, tell, cancelled)
        faults.reach(Point.COPIED, command.server_id)
        Upload(target, command.address, tell).send(in_pieces=command.in_pieces)
        faults.reach(Point.UPLOADED, command.server_id)

    def _carry_out(self, command: CopyCommand, work: Callable[[], Built | None]) -> None:
        """Do the work, and tell; ``work`` may leave a new definition to be shown."""
        built: list[Built] = []

        def work_and_keep() -> None:
            left = work()
            if left is not None:
                built.append(left)

        def told(report: OperationFinished) -> OperationFinished:
            return replace(report, definition=built[0].definition) if built else report

        self._commands.carry_out(command, work_and_keep, told)

    def _tell(self, command: CopyCommand) -> Tell:
        """Return what reports each step, and ends the work once its server is to be destroyed; a copy, once something goes before it."""
        progress = Progress(self._reporter, command)
        copies = isinstance(command, CopyDisk)
        cancelled = self._commands.interrupted(command) if copies else self._operations.cancelled(command.server_id)

        def tell(step: BuildProgress) -> None:
            if cancelled():
                raise OperationCancelled(command.server_id)
            progress.tell(step)

        return tell

    def _holding(self, *images: ImageRef | None) -> AbstractContextManager[None]:
        return self._keeping(image.id for image in images if image is not None)


def _clear(folder: Path) -> None:
    """Remove what is left of copies: they are as large as disks."""
    if folder.is_dir():
        for left in folder.iterdir():
            left.unlink(missing_ok=True)
        folder.rmdir()
