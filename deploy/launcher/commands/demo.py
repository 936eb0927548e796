"""`./nebulet demo`: the whole portal with three pretend hosts; takes no root."""

import argparse

from deploy.launcher import control, preconditions, preparation
from deploy.launcher.commands import up
from deploy.launcher.config import Config
from deploy.launcher.installation import Installation
from deploy.launcher.terminal import Terminal

HOSTS = ("host-1", "host-2", "host-3")


def run(config: Config, options: argparse.Namespace) -> int:
    """Bring the demonstration up, or end it with --stop."""
    config, terminal = config.for_demo(), Terminal()
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

    # It starts servers as a user would, which takes the hosts.
    return up.start(config, identity, terminal, hosts=HOSTS, detach=options.detach, then=fill)
