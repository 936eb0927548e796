"""`./nebulet lock`: pins requirements anew from the *.in files."""

import argparse
from pathlib import Path

from deploy.launcher import shell, venv
from deploy.launcher.config import Config
from deploy.launcher.terminal import Terminal

_FILES = ("requirements.in", "requirements-dev.in", *(f"deploy/requirements/{name}.in" for name in ("uv", "node", "mariadb")))
# No index address may enter the files: each machine has its own.
_OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links")


def run(config: Config, options: argparse.Namespace) -> int:
    """Write a *.txt beside each *.in; versions that still fit stay."""
    terminal = Terminal()
    with terminal.step("uv") as step:
        step.note = venv.ensure(config)
        venv.ensure_uv(config)
    for name in _FILES:
        source = Path(name)
        with terminal.step(name):
            shell.run(
                [
                    config.venv / "bin" / "uv",
                    "pip",
                    "compile",
                    *_OPTIONS,
                    "--no-header",
                    "-q",
                    source,
                    "-o",
                    source.with_suffix(".txt"),
                ],
                failure=f"uv could not pin {name}.",
                mend="./nebulet lock",
                cwd=config.checkout,
            )
    return 0
