"""Reads the command line and runs one subcommand."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.terminal import Terminal

_INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code. A failure is one sentence and the command that mends it."""
    options = parse(arguments)
    try:
        # Only the module of the subcommand at hand is loaded.
        command = importlib.import_module(f"deploy.launcher.commands.{options.module}")
        return int(command.run(Config.read(), options))
    except LauncherError as error:
        Terminal().failure(error)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nInterrupted; run the same command again to go on.")
        return _INTERRUPTED


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the subcommand and its options; what `test` does not know is pytest's."""
    top = parser()
    options, unknown = top.parse_known_args(arguments)
    if unknown and options.module != "tests":
        top.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.pytest, options.arguments = unknown, list(arguments)
    return options


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    top = argparse.ArgumentParser(prog="nebulet", description="A private cloud that fits in one Django project.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, summary: str, module: str | None = None) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.set_defaults(module=module or name)
        return command

    up = add("up", "Prepare this machine as far as needed and run Nebulet on it.")
    up.add_argument("--detach", action="store_true", help="return once it is ready")
    up.add_argument("--no-install", action="store_true", help="install no packages, requirements or bundle")
    prepare = add("prepare", "Do all of `up` but start nothing: for systemd.")
    prepare.add_argument("--no-install", action="store_true", help="install no packages, requirements or bundle")
    process = add("process", "Be one process of Nebulet: for systemd.")
    process.add_argument("name", choices=["queue", "web", "conductor", "compute"])
    add("down", "End Nebulet; servers go on running.")
    add("status", "Tell what runs.").add_argument("--json", action="store_true")
    add("check", "Check format, lint, types, imports, migrations and rules.")
    test = add("test", "Install what tests need and run them; what follows goes to pytest.", "tests")
    test.add_argument("--fast", action="store_true", help="leave out tests that drive a hypervisor, browser or client")
    demo = add("demo", "Show the portal with three pretend hosts; takes no root.")
    demo.add_argument("--detach", action="store_true", help="return once it is ready")
    demo.add_argument("--stop", action="store_true", help="end the demonstration")
    add("doctor", "Look for what would keep this host from running servers.").add_argument("--json", action="store_true")
    add("manage", "Run a command of manage.py in this installation.").add_argument("manage", nargs=argparse.REMAINDER)
    add("lock", "Pin requirements anew from the *.in files.")
    return top
