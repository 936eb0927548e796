"""What must hold before anything is changed on this machine."""

import os
import shutil
import socket
import stat
from pathlib import Path

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError

_MIB = 1 << 20
LEAST_BYTES = 256 * _MIB
WANTED_BYTES = 1024 * _MIB


def check_port(config: Config) -> None:
    """LauncherError when another program has the port."""
    family = socket.AF_INET6 if ":" in config.bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.bind, config.port))
        except OSError as error:
            raise LauncherError(
                f"Port {config.port} of {config.bind} cannot be used: {(error.strerror or str(error)).lower()}.",
                f"NEBULET_PORT={config.port + 1} ./nebulet up",
            ) from error


def closed_folder(path: Path) -> Path | None:
    """Return the highest folder on the way to ``path``, itself included, that other users cannot enter."""
    for folder in (*reversed(path.parents), path):
        if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def check_entrance(state_dir: Path) -> None:
    """LauncherError when neither QEMU nor the service user could get into the state folder."""
    folder = closed_folder(state_dir)
    if folder is not None:
        raise LauncherError(
            f"Neither QEMU nor the service user can enter {folder}, on the way to the state folder {state_dir}.",
            f"chmod o+x {folder}",
        )


def check_space(state_dir: Path) -> str:
    """Return a warning when space is short; LauncherError when it will not do at all."""
    folder = next(folder for folder in (state_dir, *state_dir.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free // _MIB} MiB are free in {folder}"
    if free < LEAST_BYTES:
        raise LauncherError(f"Only {text}; Nebulet needs 1 GiB.", "NEBULET_STATE_DIR=/path/with/space ./nebulet up")
    return f"only {text}; 1 GiB and more is wanted" if free < WANTED_BYTES else ""


def check_owner(state_dir: Path) -> None:
    """LauncherError when the state folder is a link or belongs to someone else: in /tmp another user may have put it there."""
    try:
        info = state_dir.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (0, os.geteuid()):
        raise LauncherError(
            f"{state_dir} is a link or belongs to another user.",
            f"NEBULET_STATE_DIR={state_dir}-{os.geteuid()} ./nebulet demo",
        )
