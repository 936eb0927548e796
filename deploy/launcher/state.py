"""The state folder: its folders with owners and modes, and the secrets made once."""

import base64
import fcntl
import glob
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError

_PART = "[0-9a-f]" * 16
# Without letters and digits that look like others.
_READABLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Owner:
    """Who owns what the services write."""

    uid: int
    gid: int


@dataclass(frozen=True)
class _Folder:
    name: str
    mode: int
    service: bool


_KEY_FOLDERS = ("fernet", "credential")

# run/ is sticky: the queue makes its socket there and cannot replace what root's supervisor wrote. Logs of processes are opened by
# the supervisor and handed down, stamps are read by root: both stay out of the service user's reach. log/services/ is his own.
_FOLDERS = (
    _Folder("secrets", 0o700, service=True),
    *(_Folder(f"secrets/{keep}", 0o700, service=True) for keep in _KEY_FOLDERS),
    _Folder("db", 0o700, service=True),
    _Folder("images", 0o750, service=True),
    _Folder("staging", 0o700, service=True),
    _Folder("queue", 0o700, service=True),
    _Folder("cache", 0o750, service=True),
    _Folder("static", 0o755, service=True),
    _Folder("instances", 0o711, service=False),
    _Folder("run", 0o1775, service=False),
    _Folder("log", 0o750, service=False),
    _Folder("log/services", 0o750, service=True),
    _Folder("stamps", 0o755, service=False),
)


def lay_out(config: Config, owner: Owner) -> None:
    """Make the folders, or give them the owners and modes they must have."""
    try:
        config.state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        for folder in _FOLDERS:
            make_folder(config.state_dir / folder.name, folder.mode, owner.uid if folder.service else os.geteuid(), owner.gid)
    except OSError as error:
        raise LauncherError(
            f"The state folder {config.state_dir} cannot be used: {error.filename}: {error.strerror}.",
            "NEBULET_STATE_DIR=/path/of/another/folder ./nebulet up",
        ) from error


def make_folder(path: Path, mode: int, uid: int, gid: int) -> None:
    """Make the folder, or give it the owner and mode it must have; a link in its place is refused."""
    path.mkdir(exist_ok=True)
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode):
        raise NotADirectoryError(0, "is not a folder", str(path))
    if (info.st_uid, info.st_gid) != (uid, gid):
        os.chown(path, uid, gid, follow_symlinks=False)
    if stat.S_IMODE(info.st_mode) != mode:
        path.chmod(mode)


def ensure_secrets(config: Config, owner: Owner) -> list[str]:
    """Make the secrets that are missing; return their names."""
    folder = config.secrets
    wanted = {
        "secret-key": lambda: secrets.token_urlsafe(48),
        "queue-key": lambda: secrets.token_urlsafe(48),
        "admin-password": _password,
        "demo-password": _password,
    }
    for keep in _KEY_FOLDERS:
        wanted[f"{keep}/0"] = _fernet_key
        if not any(file.name.isdecimal() and file.name != "0" for file in (folder / keep).iterdir()):
            wanted[f"{keep}/1"] = _fernet_key
    made = [name for name in wanted if not (folder / name).exists()]
    for name in made:
        write_private(folder / name, wanted[name](), owner)
    if config.admin_password and read_secret(config, "admin-password") != config.admin_password:
        write_private(folder / "admin-password", config.admin_password, owner)
        made.append("admin-password")
    return made


def read_secret(config: Config, name: str) -> str:
    """Return a secret's text."""
    return (config.secrets / name).read_text().strip()


def write_private(path: Path, text: str, owner: Owner) -> None:
    """Put the text at ``path``, whole or not at all, readable by its owner only."""
    write_whole(path, text, mode=0o600, owner=owner)


def write_whole(path: Path, text: str, *, mode: int = 0o644, owner: Owner | None = None) -> None:
    """Put the text at ``path``, whole or not at all, also when this process is killed or the machine loses its power.

    The name of the part is random and must be new, so whoever may write to the folder cannot lead us elsewhere. It is locked while it
    is written: one that is not is of a process that was killed, and is taken away.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            file.write(text)
            if owner is not None and owner.uid != os.geteuid():
                os.fchown(descriptor, owner.uid, owner.gid)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
            part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(path.parent)
    for left in path.parent.glob(f".{glob.escape(path.name)}.{_PART}"):
        _take_away(left)


def _sync(folder: Path) -> None:
    """Have the disk know the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_away(part: Path) -> None:
    """Remove a part that nobody writes any more."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink(missing_ok=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _password() -> str:
    return "".join(secrets.choice(_READABLE) for _ in range(16))


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
