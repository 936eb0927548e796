"""The web side's environment, read here and nowhere else."""

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_TIMEOUTS_S = {"build": 1800, "power": 180, "copy": 1800, "delete": 300}


def _one_of(text: str, *words: str) -> str:
    if text not in words:
        raise ValueError(f"{text!r} is not one of {', '.join(words)}.")
    return text


@dataclass(frozen=True)
class PasswordRules:
    """What passwords must be like, under the names of docs/operator/passwords.md."""

    min_length: int
    regex: str
    regex_words: str
    unique_last: int
    expires_days: int
    min_age_days: int
    change_at_first_use: bool

    @classmethod
    def read(cls) -> "PasswordRules":
        """Return the rules that ``os.environ`` gives."""
        return cls(
            min_length=_number("NEBULET_PASSWORD_MIN_LENGTH", 8, 1),
            regex=_pattern("NEBULET_PASSWORD_REGEX"),
            regex_words=os.environ.get("NEBULET_PASSWORD_REGEX_WORDS", ""),
            unique_last=_number("NEBULET_PASSWORD_UNIQUE_LAST", 2),
            expires_days=_number("NEBULET_PASSWORD_EXPIRES_DAYS", 0),
            min_age_days=_number("NEBULET_PASSWORD_MIN_AGE_DAYS", 0),
            change_at_first_use=_flag("NEBULET_PASSWORD_CHANGE_AT_FIRST_USE"),
        )


@dataclass(frozen=True)
class ImageRules:
    """What is done with images that come in, under the names of docs/operator/images.md."""

    max_virtual_bytes: int
    conversion_format: str
    inject: dict[str, str]
    inject_ignored_roles: list[str]

    @classmethod
    def read(cls) -> "ImageRules":
        """Return the rules that ``os.environ`` gives."""
        env = os.environ
        return cls(
            max_virtual_bytes=_number("NEBULET_IMAGE_MAX_VIRTUAL_GIB", 16 << 10, 1) << 30,
            conversion_format=_one_of(env.get("NEBULET_IMAGE_CONVERSION", ""), "", "raw", "qcow2"),
            inject=_pairs("NEBULET_IMAGE_INJECT"),
            inject_ignored_roles=[role for role in env.get("NEBULET_IMAGE_INJECT_IGNORED_ROLES", "admin").split(",") if role],
        )


@dataclass(frozen=True)
class Environment:
    """What the variables of docs/developer/architecture.md say, with their defaults filled in."""

    state_dir: Path
    bind: str
    port: int
    viewer_port: int
    public_url: str
    allowed_hosts: list[str]
    name: str
    network_cidr: str | None
    image_settings: Path
    vendor_data: Path
    admin_password: str | None = field(repr=False)
    debug: bool
    log_format: str
    limit_model: str
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    passwords: PasswordRules
    images: ImageRules
    sign_in_tries: int
    sign_in_wait_s: int
    cpu_allocation_ratio: float
    ram_allocation_ratio: float
    disk_allocation_ratio: float
    shelved_offload_time_s: int
    reclaim_interval_s: int
    resize_confirm_window_s: int
    timeouts_s: dict[str, int]
    faults: Path | None

    @classmethod
    def read(cls) -> "Environment":
        """Return the settings that ``os.environ`` gives."""
        env = os.environ
        state = Path(env.get("NEBULET_STATE_DIR", "/var/lib/nebulet"))
        port = int(env.get("NEBULET_PORT", "8000"))
        public_url = env.get("NEBULET_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
        hosts = [name for name in env.get("NEBULET_ALLOWED_HOSTS", "").split(",") if name]
        hosts += ["127.0.0.1", "localhost", "[::1]", urlsplit(public_url).hostname or "127.0.0.1"]
        socket = state / "run" / "queue.sock"
        return cls(
            state_dir=state,
            bind=env.get("NEBULET_BIND", "127.0.0.1"),
            port=port,
            viewer_port=_number("NEBULET_VIEWER_PORT", 6081),
            public_url=public_url,
            allowed_hosts=list(dict.fromkeys(hosts)),
            name=env.get("NEBULET_NAME", "nebulet"),
            network_cidr=env.get("NEBULET_NETWORK_CIDR"),
            image_settings=Path(env.get("NEBULET_IMAGE_SETTINGS", state / "images.toml")),
            vendor_data=Path(env.get("NEBULET_VENDOR_DATA", state / "vendor_data.json")),
            admin_password=env.get("NEBULET_ADMIN_PASSWORD"),
            debug=_flag("NEBULET_DEBUG"),
            log_format=_one_of(env.get("NEBULET_LOG_FORMAT", "text"), "text", "json"),
            limit_model=_one_of(env.get("NEBULET_LIMIT_MODEL", "flat"), "flat", "strict_two_level"),
            database_url=env.get("DATABASE_URL", f"sqlite:///{state}/db/nebulet.sqlite3"),
            broker_url=env.get("BROKER_URL", f"unix://{socket}?db=0"),
            redis_url=env.get("REDIS_URL", f"unix://{socket}?db=1"),
            passwords=PasswordRules.read(),
            images=ImageRules.read(),
            sign_in_tries=_number("NEBULET_SIGN_IN_TRIES", 2, 1),
            cpu_allocation_ratio=_ratio("NEBULET_CPU_ALLOCATION_RATIO", 16.0),
            ram_allocation_ratio=_ratio("NEBULET_RAM_ALLOCATION_RATIO", 1.5),
            disk_allocation_ratio=_ratio("NEBULET_DISK_ALLOCATION_RATIO", 1.0),
            shelved_offload_time_s=_number("NEBULET_SHELVED_OFFLOAD_TIME_S", 0, -1),
            reclaim_interval_s=_number("NEBULET_RECLAIM_INTERVAL_S", 0),
            resize_confirm_window_s=_number("NEBULET_RESIZE_CONFIRM_WINDOW_S", 0),
            sign_in_wait_s=_number("NEBULET_SIGN_IN_WAIT_S", 5, 1),
            timeouts_s={
                name: _number(f"NEBULET_{name.upper()}_TIMEOUT_S", default, 1) for name, default in _TIMEOUTS_S.items()
            },
            faults=Path(env["NEBULET_FAULTS"]) if env.get("NEBULET_FAULTS") else None,
        )

    @property
    def secrets(self) -> Path:
        """The folder of generated secrets."""
        return self.state_dir / "secrets"


def _flag(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")


def _number(name: str, default: int, least: int = 0) -> int:
    number = int(os.environ.get(name) or default)
    if number < least:
        raise ValueError(f"{name} must be at least {least}")
    return number


def _ratio(name: str, default: float) -> float:
    """Return how often over a resource of a host is given out."""
    ratio = float(os.environ.get(name) or default)
    if not 0 < ratio < math.inf:  # nor NaN
        raise ValueError(f"{name} must be a number above 0")
    return ratio


def _pairs(name: str) -> dict[str, str]:
    """Return what ``name=value,name=value`` says."""
    pairs = [part.partition("=") for part in os.environ.get(name, "").split(",") if part.strip()]
    if not all(key.strip() and equals for key, equals, _value in pairs):
        raise ValueError(f"{name} is not like name=value,name=value")
    return {key.strip(): value.strip() for key, _equals, value in pairs}


def _pattern(name: str) -> str:
    text = os.environ.get(name, "")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{name} is not a regular expression: {error}") from error
    return text
