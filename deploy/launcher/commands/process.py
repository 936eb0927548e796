"""`./nebulet process NAME`: becomes one process of Nebulet, for systemd units."""

import argparse
import os

from deploy.launcher import processes
from deploy.launcher.config import Config
from deploy.launcher.identity import Identity, find_identity, service_owner


def run(config: Config, options: argparse.Namespace) -> int:
    """Turn into the process; does not return. systemd has chosen the user already, so nothing is changed unless root."""
    root = os.geteuid() == 0
    identity = find_identity(config) if root else Identity(config.checkout, None, service_owner(), config.checkout)
    process = processes.one(config, identity, options.name)
    os.chdir(process.cwd)
    os.execvpe(process.argv[0], process.argv, process.env)  # noqa: S606
