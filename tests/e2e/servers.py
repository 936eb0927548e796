"""PostgreSQL, MariaDB, RabbitMQ and Redis of a test's own: loopback ports, data folders and passwords that nothing else uses."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import psycopg
import redis

from tests.e2e.cloud import free_port
from tests.kit.waiting import wait_for

_RABBITMQ = Path("/usr/lib/rabbitmq/bin")
_RABBITMQ_CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = nebulet
default_pass = {password}
disk_free_limit.absolute = 50MB
"""
# The database itself is made as an operator in a hurry would: its collation finds a and A equal.
_MARIADB_SQL = """\
CREATE USER nebulet@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO nebulet@'127.0.0.1';
CREATE DATABASE nebulet CHARACTER SET latin1;
ALTER USER root@localhost ACCOUNT LOCK;
"""


@dataclass
class Servers:
    """The servers of a scaled-out installation; each can be ended and started again."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="nebulet-servers-", dir="/var/tmp")))
    password: str = field(default_factory=lambda: f"pw-{secrets.token_hex(8)}")

    def __post_init__(self) -> None:
        self.folder.chmod(0o755)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {
            name: free_port() for name in ("postgresql", "standby", "mariadb", "rabbitmq", "redis", "epmd", "erlang")
        }

    @property
    def database_url(self) -> str:
        return f"postgres://nebulet:{self.password}@127.0.0.1:{self._ports['postgresql']}/nebulet"

    @property
    def several_url(self) -> str:
        """The address that names both servers of PostgreSQL, the standby first."""
        places = ",".join(f"127.0.0.1:{self._ports[name]}" for name in ("standby", "postgresql"))
        return f"postgres://nebulet:{self.password}@{places}/nebulet"

    @property
    def mariadb_url(self) -> str:
        return f"mysql://nebulet:{self.password}@127.0.0.1:{self._ports['mariadb']}/nebulet"

    @property
    def broker_url(self) -> str:
        return f"amqp://nebulet:{self.password}@127.0.0.1:{self._ports['rabbitmq']}/%2f"

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self._ports['redis']}/1"

    def start(self) -> "Servers":
        self.start_rabbitmq()
        self.start_postgresql()
        self.start_redis()
        return self

    def stop(self) -> None:
        """End what was started here, and nothing else."""
        for name in reversed(list(self._running)):
            self.end(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self, name: str) -> None:
        process = self._running.pop(name)
        # SIGINT is PostgreSQL's fast shutdown; the Erlang machine takes SIGTERM, behind the shell that started it.
        os.killpg(process.pid, signal.SIGINT if name in ("postgresql", "standby") else signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self, name: str) -> None:
        """End a server as a machine that loses its power would."""
        process = self._running.pop(name)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        process.wait()

    def start_standby(self) -> None:
        """Start a second server of PostgreSQL which follows the first; that one answers when both have what was written."""
        self._home("standby", "postgres")
        data, port = self.folder / "standby" / "data", self._ports["standby"]
        copy = [self._postgresql / "pg_basebackup", "-D", data, "-R", "-c", "fast", "--no-sync", "-d", self.database_url]
        subprocess.run(self._as("postgres", *copy), check=True, capture_output=True, cwd="/")
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        self._run("standby", "postgres", self._postgresql / "postgres", "-D", data, "-k", data, "-p", str(port), *options)
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            following = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            self._answer("standby", lambda: connection.execute(following).fetchone())

    def promote(self) -> None:
        """Make the standby the server that takes writes."""
        with self.ask("standby") as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

    def port(self, name: str) -> int:
        """Return where a server listens."""
        return self._ports[name]

    def ask(self, name: str) -> psycopg.Connection:
        """Return a connection to one of the servers of PostgreSQL."""
        address = f"postgres://nebulet:{self.password}@127.0.0.1:{self._ports[name]}/nebulet"
        return psycopg.connect(address, autocommit=True)

    @property
    def _postgresql(self) -> Path:
        """The folder of the newest PostgreSQL's programs."""
        return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))

    def start_postgresql(self) -> None:
        programs = self._postgresql
        data, port = self.folder / "postgresql" / "data", self._ports["postgresql"]
        fresh = not data.exists()
        if fresh:
            home = self._home("postgresql", "postgres")
            (home / "password").write_text(self.password)
            made = [programs / "initdb", "-D", data, "-U", "nebulet", "-A", "scram-sha-256", "--no-sync", "-E", "UTF8"]
            command = self._as("postgres", *made, f"--pwfile={home / 'password'}")
            subprocess.run(command, check=True, capture_output=True, cwd="/")
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        self._run("postgresql", "postgres", programs / "postgres", "-D", data, "-k", data, "-p", str(port), *options)

        def connect(name: str) -> psycopg.Connection:
            return psycopg.connect(self.database_url.rpartition("/")[0] + f"/{name}", autocommit=True)

        with self._answer("postgresql", lambda: connect("postgres"), psycopg.OperationalError) as connection:
            if fresh:
                connection.execute("CREATE DATABASE nebulet")

    def start_mariadb(self) -> None:
        data, port = self.folder / "mariadb" / "data", self._ports["mariadb"]
        first = self.folder / "mariadb" / "first.sql"
        fresh = not data.exists()
        if fresh:
            self._home("mariadb", "mysql")
            first.write_text(_MARIADB_SQL.format(password=self.password))
            made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
            subprocess.run(self._as("mysql", *made, "--skip-test-db"), check=True, capture_output=True, cwd="/")
        options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={data}/socket", f"--pid-file={data}/pid"]
        options += [f"--init-file={first}"] if fresh else []
        options += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
        self._run("mariadb", "mysql", "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", *options)
        ping = ["mariadb-admin", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", f"-P{port}", "-u", "nebulet", "ping"]
        env = {**os.environ, "MYSQL_PWD": self.password}
        self._answer("mariadb", lambda: subprocess.run(ping, env=env, capture_output=True, check=False).returncode == 0)

    def start_rabbitmq(self) -> None:
        home = self._home("rabbitmq", "rabbitmq")
        (home / "rabbitmq.conf").write_text(_RABBITMQ_CONF.format(port=self._ports["rabbitmq"], password=self.password))
        (home / "plugins").write_text("[].")
        (home / "env.conf").touch()
        if "epmd" not in self._running:
            self._run("epmd", "rabbitmq", "epmd", "-port", str(self._ports["epmd"]), "-address", "127.0.0.1")
        self._run("rabbitmq", "rabbitmq", _RABBITMQ / "rabbitmq-server", env=self._erlang)
        parameters = pika.URLParameters(self.broker_url)
        self._answer("rabbitmq", lambda: pika.BlockingConnection(parameters), pika.exceptions.AMQPError, OSError).close()

    def rabbitmqctl(self, *words: str) -> str:
        """Return what RabbitMQ's own command prints."""
        command = self._as("rabbitmq", _RABBITMQ / "rabbitmqctl", "-q", *words)
        return subprocess.run(command, env=self._erlang, capture_output=True, text=True, check=True, cwd="/").stdout

    def start_redis(self) -> None:
        home = self._home("redis", None)
        (home / "redis.conf").write_text(f"requirepass {self.password}\n")
        options = ["--port", str(self._ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
        self._run("redis", None, shutil.which("valkey-server") or "redis-server", home / "redis.conf", *options)
        self._answer("redis", lambda: redis.Redis.from_url(self.redis_url).ping(), redis.RedisError)

    @property
    def _erlang(self) -> dict[str, str]:
        home = self.folder / "rabbitmq"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "nebulet@localhost",
            "RABBITMQ_DIST_PORT": str(self._ports["erlang"]),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
        }

    def _home(self, name: str, user: str | None) -> Path:
        home = self.folder / name
        home.mkdir(mode=0o700, exist_ok=True)
        if user and os.geteuid() == 0:
            entry = pwd.getpwnam(user)
            os.chown(home, entry.pw_uid, entry.pw_gid)
        return home

    def _as(self, user: str | None, *command: str | Path) -> list[str]:
        """Return the command as the server's own user runs it: PostgreSQL refuses root."""
        become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--"] if user and os.geteuid() == 0 else []
        return [*become, *map(str, command)]

    def _run(self, name: str, user: str | None, *command: str | Path, env: dict[str, str] | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._as(user, *command),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def _answer(self, name: str, ask: Callable[[], Any], *faults: type[Exception]) -> Any:
        """Return the first answer of a server that was just started."""

        def probe() -> Any:
            if self._running[name].poll() is not None:
                raise AssertionError(f"{name} ended\n{(self.folder / f'{name}.log').read_text()[-4000:]}")
            try:
                return ask()
            except faults:
                return None

        return wait_for(name, probe, 60)
