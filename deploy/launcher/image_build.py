"""Builds the first images while requirements are installed; `manage.py seed_images` then finds them built."""

import subprocess

from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.identity import find_identity
from deploy.launcher.venv import base_python


def start(config: Config) -> subprocess.Popen[bytes] | None:
    """Start the build if there is none yet; its failure is for `seed_images` to find again and explain."""
    cache = config.state_dir / "cache"
    output = cache / "images-build"
    if (output / "manifest.json").exists():
        return None
    try:
        python = base_python()
        identity = find_identity(config, python=python)
    except LauncherError:
        return None
    command = [python, "-m", "images.builder", "--output", str(output), "--cache", str(output / "packages")]
    command += ["--work", str(output / "work")]
    with (config.log_dir / "images-build.log").open("ab") as log:
        return subprocess.Popen(
            identity.service(command),
            env=config.child_environment(home=config.state_dir),
            cwd=config.checkout,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
