"""The compute worker's environment, read here and nowhere else."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compute.virt.fake import Pretence
from portal import VERSION

_LONGEST_SOCKET = 100  # the kernel takes 107 bytes
_LAST_PORT = 65535


@dataclass(frozen=True)
class Config:
    """One compute host, as the variables of docs/developer/architecture.md describe it.

    ``relay`` is ``unix:/path`` or ``tcp:host:port``. The queue key and addresses with passwords never show in a log.
    """

    state_dir: Path
    host: str
    name: str
    driver: str
    libvirt_uri: str
    virt_type: str
    cpu: str
    broker_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    relay: str
    debug: bool
    log_format: str
    version: str
    pretence: Pretence
    image_cache_days: int
    public_url: str
    metadata_port: int
    guests_may_reach: tuple[str, ...]
    resume_guests: bool
    queue_key: bytes = field(repr=False)
    faults: Path | None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Return the host that the environment describes; raises SystemExit with a sentence when it cannot be."""
        state_dir = Path(environ.get("NEBULET_STATE_DIR", "/var/lib/nebulet")).absolute()
        host = environ.get("NEBULET_HOST", socket.gethostname())
        driver = _one_of(environ, "NEBULET_DRIVER", "libvirt", "fake")
        queue = f"unix://{state_dir}/run/queue.sock"
        name, version = environ.get("NEBULET_NAME", "nebulet"), VERSION
        return cls(
            state_dir=state_dir,
            host=host,
            name=name,
            driver=driver,
            libvirt_uri=environ.get("NEBULET_LIBVIRT_URI", "qemu:///system"),
            virt_type=_one_of(environ, "NEBULET_VIRT_TYPE", "auto", "kvm", "qemu"),
            cpu=_cpu(environ),
            broker_url=environ.get("BROKER_URL", f"{queue}?db=0"),
            redis_url=environ.get("REDIS_URL", f"{queue}?db=1"),
            relay=environ.get("NEBULET_RELAY") or _relay(state_dir, host, driver),
            debug=environ.get("NEBULET_DEBUG", "0") not in ("", "0"),
            log_format=_one_of(environ, "NEBULET_LOG_FORMAT", "text", "json"),
            version=version,
            pretence=_pretence(environ, name, version),
            image_cache_days=_number(environ, "NEBULET_IMAGE_CACHE_DAYS", 14),
            public_url=environ.get("NEBULET_PUBLIC_URL", f"http://127.0.0.1:{environ.get('NEBULET_PORT', '8000')}"),
            metadata_port=_number(environ, "NEBULET_METADATA_PORT", 8775, most=_LAST_PORT),
            guests_may_reach=_services(environ, "NEBULET_GUESTS_MAY_REACH"),
            resume_guests=_one_of(environ, "NEBULET_RESUME_GUESTS", "0", "1") == "1",
            queue_key=_queue_key(state_dir),
            faults=Path(environ["NEBULET_FAULTS"]) if environ.get("NEBULET_FAULTS") else None,
        )

    @property
    def instances(self) -> Path:
        """The guests' folders and the image cache."""
        return self.state_dir / "instances"

    @property
    def run_dir(self) -> Path:
        """Sockets."""
        return self.state_dir / "run"

    @property
    def place(self) -> Path:
        """The file that the worker holds while it runs."""
        return self.run_dir / _own_name("compute.lock", self.host, self.driver)


def _one_of(environ: Mapping[str, str], name: str, default: str, *others: str) -> str:
    """Return a variable's word, which is one of a few."""
    word, words = environ.get(name, default), (default, *others)
    if word not in words:
        raise SystemExit(f"{name} is {word!r}; it is {', '.join(words[:-1])} or {words[-1]}.")
    return word


def _cpu(environ: Mapping[str, str]) -> str:
    """Return which processor guests see: ``auto``, a mode of libvirt's, or the name of a model."""
    word = environ.get("NEBULET_CPU", "auto")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", word):
        raise SystemExit(f"NEBULET_CPU is {word!r}; it is auto, host-model, host-passthrough, maximum or the name of a model.")
    return word


def _number(environ: Mapping[str, str], name: str, default: int, *, most: int | None = None) -> int:
    """Return a variable's whole number, which is not negative."""
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise SystemExit(f"{name} is {text!r}, which is no whole number.")
    if most is not None and int(text) > most:
        raise SystemExit(f"{name} is {text!r}; it is {most} at most.")
    return int(text)


def _services(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return a variable's list of services, each a protocol and a port such as ``tcp/3142``."""
    found = []
    for word in environ.get(name, "").replace(",", " ").split():
        service = re.fullmatch(r"(tcp|udp)/([0-9]{1,5})", word)
        if service is None or not 0 < int(service[2]) <= _LAST_PORT:
            raise SystemExit(f"{name} names {word!r}, which is no service; write a list such as tcp/3142,udp/123.")
        found.append(f"{service[1]}/{int(service[2])}")
    return tuple(found)


def _own_name(name: str, host: str, driver: str) -> str:
    """Return a file's name; pretended hosts share a state folder, so each has files of its own."""
    stem, suffix = name.split(".")
    return name if driver == "libvirt" else f"{stem}-{re.sub(r'[^A-Za-z0-9.-]', '-', host)}.{suffix}"


def _relay(state_dir: Path, host: str, driver: str) -> str:
    path = str(state_dir / "run" / _own_name("relay.sock", host, driver))
    if len(path.encode()) > _LONGEST_SOCKET:
        raise SystemExit(f"{path} is too long for the path of a socket; set NEBULET_RELAY or a shorter NEBULET_STATE_DIR.")
    return f"unix:{path}"


def _pretence(environ: Mapping[str, str], name: str, version: str) -> Pretence:
    kinds: dict[str, type] = {"vcpus": int, "memory_mb": int, "disk_gb": int, "step_s": float, "slow_s": float}
    wanted: dict[str, Any] = {}
    for option, kind in kinds.items():
        text = environ.get(f"NEBULET_FAKE_{option.upper()}")
        if text is not None:
            try:
                wanted[option] = kind(text)
            except ValueError as error:
                raise SystemExit(f"NEBULET_FAKE_{option.upper()} is {text!r}, which is no number.") from error
    return Pretence(installation=name, version=version, **wanted)


def _queue_key(state_dir: Path) -> bytes:
    path = state_dir / "secrets" / "queue-key"
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise SystemExit(f"{path} cannot be read ({error.strerror}); ./nebulet up makes it.") from error
