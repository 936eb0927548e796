"""`./nebulet down`: ends Nebulet; servers go on running."""

import argparse

from deploy.launcher import control
from deploy.launcher.config import Config
from deploy.launcher.identity import ensure_root
from deploy.launcher.terminal import Terminal


def run(config: Config, options: argparse.Namespace) -> int:
    """End the supervisor of this state folder; harmless when none runs."""
    terminal = Terminal()
    if control.supervisor_pid(config) is None:
        terminal.line(f"Nebulet does not run on {config.state_dir}.")
        return 0
    ensure_root(options.arguments)
    with terminal.step("end services"):
        control.end_supervisor(config)
    return 0
