"""`./nebulet demo`: the whole portal with three pretend hosts; takes no root."""

import argparse
from dataclasses import replace

from deploy.launcher import control, preconditions, preparation
from deploy.launcher.commands import up
from deploy.launcher.config import Config
from deploy.launcher.installation import Installation
from deploy.launcher.state import read_secret
from deploy.launcher.terminal import Terminal

HOSTS = ("host-1", "host-2", "host-3")
PEOPLE = ("operator", "manager", "member", "reader", "stranger")
# Builds take long enough to be watched; one goes on for a quarter of an hour.
PACE = {"NEBULET_FAKE_STEP_S": "0.3", "NEBULET_FAKE_SLOW_S": "900"}


def run(config: Config, options: argparse.Namespace) -> int:
    """Bring the demonstration up, or end it with --stop."""
    config, terminal = config.for_demo(), Terminal()
    config = replace(config, environ={**PACE, **config.environ})
    if options.stop:
        ended = control.end_supervisor(config)
        terminal.line("The demonstration ended." if ended else "No demonstration runs.")
        return 0
    if up.say_running(config, terminal, end="./nebulet demo --stop"):
        return 0
    preconditions.check_owner(config.state_dir)
    preconditions.check_port(config)
    identity = preparation.prepare(config, terminal, install=True, demo=True)

    def fill() -> None:
        with terminal.step("demonstration") as step:
            step.note = Installation(config, identity).seed_demo()
        terminal.line()
        for name in PEOPLE:
            terminal.line(f"  User        {name:<8} {read_secret(config, f'{name}-password')}")

    # It starts servers as a user would, which takes the hosts.
    return up.start(config, identity, terminal, hosts=HOSTS, detach=options.detach, then=fill)
