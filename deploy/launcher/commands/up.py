"""`./nebulet up`: does what is missing, starts Nebulet, waits until it is ready."""

import argparse
import os
import sys
from collections.abc import Callable

from deploy.launcher import control, preconditions, preparation, processes, readiness
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import Identity, ensure_root
from deploy.launcher.state import read_secret, write_whole
from deploy.launcher.terminal import Terminal


def run(config: Config, options: argparse.Namespace) -> int:
    """Bring Nebulet up; return 0 once it is ready (or, at a terminal, once it ended)."""
    terminal = Terminal()
    if say_running(config, terminal, end="./nebulet down"):
        return 0
    ensure_root(options.arguments)
    preconditions.check_port(config)
    identity = preparation.prepare(config, terminal, install=not options.no_install)
    return start(config, identity, terminal, hosts=(config.host,), detach=options.detach)


def say_running(config: Config, terminal: Terminal, *, end: str) -> bool:
    """Say so, and what ends it, if this installation runs already."""
    status = control.read_status(config)
    if status is None:
        return False
    terminal.line(f"Nebulet already runs at {status.address} (supervisor {status.pid}); `{end}` ends it.")
    return True


def start(
    config: Config,
    identity: Identity,
    terminal: Terminal,
    *,
    hosts: tuple[str, ...],
    detach: bool,
    then: Callable[[], None] = lambda: None,
) -> int:
    """Start the supervisor, wait until Nebulet is ready, do what is to be done ``then``.

    Without ``detach`` this process becomes the supervisor.
    """
    plan = processes.plan(config, identity, hosts=hosts)
    write_whole(config.run_dir / "public-url", config.public_url + "\n")
    if detach:
        daemon = control.start_supervisor(config, plan)
        try:
            with terminal.step("services"):
                readiness.wait(config, lambda: daemon.poll() is None)
            then()
        except BaseException:
            # By its handle, not by the state folder: that may be held by another `up` that was first.
            daemon.terminate()
            daemon.wait()
            raise
        say_ready(config, terminal)
        return 0
    sys.stdout.flush()
    watcher = os.fork()
    if watcher == 0:
        os._exit(_watch(config, terminal, then))
    control.become_supervisor(config, plan, watcher=watcher)
    return 1


def _watch(config: Config, terminal: Terminal, then: Callable[[], None]) -> int:
    """Wait for our parent, who became the supervisor, to be ready; a failure ends it too."""
    try:
        with terminal.step("services"):
            readiness.wait(config, readiness.parent_alive(os.getppid()))
        then()
        say_ready(config, terminal)
        terminal.line("Ctrl-C ends it.")
    except LauncherError as error:
        terminal.failure(error)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def say_ready(config: Config, terminal: Terminal) -> None:
    """Print where Nebulet is and how to get in."""
    terminal.line()
    terminal.line(f"  Dashboard   {config.public_url}")
    terminal.line(f"  User        admin    {_password(config, 'admin')}")
    terminal.line(f"  User        demo     {_password(config, 'demo')}")
    terminal.line(f"  Clients     {config.prefix}source {config.checkout / 'openrc'}")
    terminal.line(f"  Logs        {config.log_dir}")


def _password(config: Config, user: str) -> str:
    try:
        return read_secret(config, f"{user}-password")
    except OSError:
        return f"(in {config.secrets / f'{user}-password'})"
