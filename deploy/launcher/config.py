"""The launcher's environment, read here and nowhere else."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from deploy.launcher.errors import LauncherError

CHECKOUT = Path(__file__).resolve().parents[2]
APPS = ("portal", "accounts", "images", "compute")
SERVICE_USER = "nebulet"
DEFAULT_STATE_DIR = Path("/var/lib/nebulet")
PASSED_ON = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")
# What an installer behind a proxy or a mirror of its own needs and sudo would drop.
INSTALLERS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "PIP_", "UV_", "NPM_CONFIG_", "NODE_EXTRA_CA_CERTS")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PERSONAL = "NEBULET_ADMIN_PASSWORD"
_DRIVERS = ("libvirt", "fake")
_LONGEST_SOCKET = 100  # the kernel's limit for the path of a Unix socket is 107 bytes


@dataclass(frozen=True)
class Config:
    """One installation, as the variables of docs/developer/architecture.md describe it."""

    checkout: Path
    state_dir: Path
    port: int
    bind: str
    public_url: str
    name: str
    host: str
    driver: str
    admin_password: str | None
    environ: Mapping[str, str]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, *, checkout: Path = CHECKOUT) -> "Config":
        """Return the installation that the environment describes; LauncherError names a value that cannot be."""
        env = os.environ if environ is None else environ
        port = _port(env.get("NEBULET_PORT", "8000"))
        for name in PASSED_ON:
            _check_address(name, env.get(name))
        return cls(
            checkout=checkout,
            state_dir=_state_dir(env.get("NEBULET_STATE_DIR", str(DEFAULT_STATE_DIR))),
            port=port,
            bind=env.get("NEBULET_BIND", "127.0.0.1"),
            public_url=env.get("NEBULET_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/"),
            name=_name(env.get("NEBULET_NAME", "nebulet")),
            host=env.get("NEBULET_HOST", socket.gethostname()),
            driver=_driver(env.get("NEBULET_DRIVER", "libvirt")),
            admin_password=env.get(_PERSONAL) or None,
            environ={key: value for key, value in env.items() if key.startswith("NEBULET_") or key in PASSED_ON},
        )

    def for_demo(self) -> "Config":
        """Return the same with what a demonstration changes: state folder, port, name and driver of its own."""
        port = self.port if "NEBULET_PORT" in self.environ else 8001
        return replace(
            self,
            state_dir=self.state_dir if "NEBULET_STATE_DIR" in self.environ else Path("/tmp/nebulet-demo"),
            port=port,
            public_url=self.environ.get("NEBULET_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/"),
            name=self.environ.get("NEBULET_NAME", "demo"),
            driver="fake",
        )

    def child_environment(self, *, home: Path, host: str | None = None) -> dict[str, str]:
        """Return all that a process of ours may know: its settings, and never a password of a person."""
        settings = {key: value for key, value in self.environ.items() if key != _PERSONAL}
        return {
            **settings,
            "PATH": _PATH,
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",  # `up` compiled the code as the owner of the checkout
            "HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "portal.settings.prod",
            "NEBULET_STATE_DIR": str(self.state_dir),
            "NEBULET_PORT": str(self.port),
            "NEBULET_BIND": self.bind,
            "NEBULET_PUBLIC_URL": self.public_url,
            "NEBULET_NAME": self.name,
            "NEBULET_HOST": host or self.host,
            "NEBULET_DRIVER": self.driver,
        }

    @property
    def prefix(self) -> str:
        """What to type before a command so that it means this installation."""
        return "" if self.state_dir == DEFAULT_STATE_DIR else f"NEBULET_STATE_DIR={self.state_dir} "

    @property
    def venv(self) -> Path:
        """The virtual environment, inside the checkout."""
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter that has the requirements."""
        return self.venv / "bin" / "python"

    @property
    def run_dir(self) -> Path:
        """Sockets, and what the supervisor tells of itself."""
        return self.state_dir / "run"

    @property
    def log_dir(self) -> Path:
        """One file per process."""
        return self.state_dir / "log"

    @property
    def secrets(self) -> Path:
        """The folder of generated secrets."""
        return self.state_dir / "secrets"

    @property
    def needs_queue(self) -> bool:
        """Whether anything uses the private queue."""
        return not {"BROKER_URL", "REDIS_URL"} <= self.environ.keys()

    @property
    def on_mariadb(self) -> bool:
        """Whether the database is MariaDB, whose driver not everybody needs."""
        return urlsplit(self.environ.get("DATABASE_URL", "")).scheme == "mysql"

    @property
    def local_address(self) -> tuple[str, int]:
        """Where this machine itself reaches the web process."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        return everywhere.get(self.bind, self.bind), self.port


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LauncherError(f"NEBULET_PORT is {text!r}, which is no port.", "NEBULET_PORT=8000 ./nebulet up")
    return int(text)


def _check_address(name: str, text: str | None) -> None:
    """LauncherError when an address cannot be read; no part of it is shown, since it may be one of a password."""
    if text is None:
        return
    try:
        urlsplit(text).port  # noqa: B018
        readable = "://" in text
    except ValueError:
        readable = False
    if not readable:
        raise LauncherError(
            f"{name} cannot be read as scheme://user:password@host:port/name; signs like / and # in a password are written %2F and %23.",
            f"unset {name}",
        )


def _state_dir(text: str) -> Path:
    path = Path(text).absolute()
    if len(str(path / "run" / "queue.sock").encode()) > _LONGEST_SOCKET:
        raise LauncherError(
            f"The path of the state folder, {path}, is too long for the sockets in it.",
            "NEBULET_STATE_DIR=/var/lib/nebulet ./nebulet up",
        )
    return path


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,14}", text):
        raise LauncherError(
            f"NEBULET_NAME is {text!r}; it takes up to 15 small letters, digits and dashes, a letter first.",
            "NEBULET_NAME=nebulet ./nebulet up",
        )
    return text


def _driver(text: str) -> str:
    if text not in _DRIVERS:
        raise LauncherError(f"NEBULET_DRIVER is {text!r}; it is libvirt or fake.", "NEBULET_DRIVER=libvirt ./nebulet up")
    return text
