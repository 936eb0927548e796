"""`./nebulet manage …`: a command of manage.py with this installation's environment, as the service user."""

import argparse

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import ensure_root, find_identity, manage_live


def run(config: Config, options: argparse.Namespace) -> int:
    """Run the command at this terminal; return its exit code."""
    if not (config.secrets).exists():
        raise LauncherError(f"There is no installation in {config.state_dir}.", "./nebulet up")
    ensure_root(options.arguments)
    return manage_live(config, find_identity(config), options.manage)
