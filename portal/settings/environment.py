"""The web side's environment, read here and nowhere else."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


def _one_of(text: str, *words: str) -> str:
    if text not in words:
        raise ValueError(f"{text!r} is not one of {', '.join(words)}.")
    return text


@dataclass(frozen=True)
class Environment:
    """What the variables of docs/developer/architecture.md say, with their defaults filled in."""

    state_dir: Path
    port: int
    public_url: str
    allowed_hosts: list[str]
    name: str
    network_cidr: str | None
    admin_password: str | None = field(repr=False)
    debug: bool
    log_format: str
    limit_model: str
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    redis_url: str = field(repr=False)

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
            port=port,
            public_url=public_url,
            allowed_hosts=list(dict.fromkeys(hosts)),
            name=env.get("NEBULET_NAME", "nebulet"),
            network_cidr=env.get("NEBULET_NETWORK_CIDR"),
            admin_password=env.get("NEBULET_ADMIN_PASSWORD"),
            debug=env.get("NEBULET_DEBUG", "0") not in ("", "0"),
            log_format=_one_of(env.get("NEBULET_LOG_FORMAT", "text"), "text", "json"),
            limit_model=_one_of(env.get("NEBULET_LIMIT_MODEL", "flat"), "flat", "strict_two_level"),
            database_url=env.get("DATABASE_URL", f"sqlite:///{state}/db/nebulet.sqlite3"),
            broker_url=env.get("BROKER_URL", f"unix://{socket}?db=0"),
            redis_url=env.get("REDIS_URL", f"unix://{socket}?db=1"),
        )

    @property
    def secrets(self) -> Path:
        """The folder of generated secrets."""
        return self.state_dir / "secrets"
