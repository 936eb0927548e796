"""`./nebulet prepare`: all of `up` except starting, for installations that systemd runs."""

import argparse

from deploy.launcher import preparation, processes
from deploy.launcher.config import Config
from deploy.launcher.identity import ensure_root
from deploy.launcher.state import write_whole
from deploy.launcher.terminal import Terminal


def run(config: Config, options: argparse.Namespace) -> int:
    """Bring machine, database and files to the state of the code; return 0 when done."""
    ensure_root(options.arguments)
    identity = preparation.prepare(config, Terminal(), install=not options.no_install)
    processes.plan(config, identity, hosts=(config.host,))  # leaves the queue's settings where its unit finds them
    write_whole(config.run_dir / "public-url", config.public_url + "\n")
    return 0
