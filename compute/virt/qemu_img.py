"""The few things asked of ``qemu-img``. The format of every file is said, never guessed: a guessed one can name a host's file."""

import logging
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from compute.virt.errors import DriverError

LOG = logging.getLogger(__name__)

_POLL_S = 0.05


def create_overlay(path: Path, base: Path, base_format: str, size_bytes: int | None) -> None:
    """Make a qcow2 file on top of ``base``, as large as the base when no size is given."""
    size = [] if size_bytes is None else [str(size_bytes)]
    _run(["create", "-q", "-f", "qcow2", "-b", str(base), "-F", base_format, str(path), *size])


def create_blank(path: Path, disk_format: str, size_bytes: int) -> None:
    """Make an empty disk that takes room only as it is written."""
    _run(["create", "-q", "-f", disk_format, str(path), str(size_bytes)])


def convert_to_raw(source: Path, source_format: str, target: Path, still_wanted: Callable[[], None]) -> None:
    """Write ``source`` as a sparse raw file. ``still_wanted`` is called all the while; when it raises, the work stops."""
    _run(["convert", "-q", "-f", source_format, "-O", "raw", str(source), str(target)], still_wanted)


def _run(arguments: list[str], still_wanted: Callable[[], None] | None = None) -> None:
    command = ["qemu-img", *arguments]
    LOG.debug("Running cmd: %s", " ".join(command))
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError as error:
        raise DriverError("qemu-img is not installed on this host.") from error
    try:
        while still_wanted is not None and process.poll() is None:
            still_wanted()
            time.sleep(_POLL_S)
        said = process.communicate()[1].decode(errors="replace").strip()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        raise DriverError(_sentence(said) if said else f"qemu-img {arguments[0]} ended with exit code {process.returncode}.")


def _sentence(said: str) -> str:
    if "No space left on device" in said:
        return "The disk of this host is full."
    return said.splitlines()[-1].removeprefix("qemu-img: ")
