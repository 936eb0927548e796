"""One process that has Django loaded with an installation's own settings, and forks for each step of an installation that is to be killed.

Run as a program it reads lines, a step and a number, and answers each with one word, see `Stage.ends`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import django
from django.core.management import call_command
from django.db import connection
from django.db.backends.signals import connection_created

from deploy.launcher import installation, state
from deploy.launcher.config import CHECKOUT, Config
from deploy.launcher.identity import Identity
from deploy.launcher.state import Owner
from tests.kit import killing

STEPS = ("migrate", "collect_static", "seed", "seed_images")


class Stage:
    """An installation in a state folder, whose steps are done in processes that may be killed."""

    def __init__(self, config: Config, owner: Owner) -> None:
        self.config = config
        state.lay_out(config, owner)
        state.ensure_secrets(config, owner)
        command = [sys.executable, "-W", "ignore", "-m", "tests.deploy.stage"]
        environment = {**config.child_environment(home=config.state_dir), "PYTHONPATH": str(CHECKOUT)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=CHECKOUT, text=True
        )

    def ends(self, step: str, at: int = 0) -> bool:
        """Whether a step comes to its end, killed before its change number ``at``; AssertionError when it fails."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{step} {at}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer in ("ended", "killed"), f"{step}, killed before change {at}: {answer or 'the stage is gone'}"
        return answer == "ended"

    def deaths(self, step: str, growth: float = 1.0) -> Iterator[int]:
        """Yield each time that a step was killed, after one change more than the last time or ``growth`` so many, until it ends."""
        at = 1
        while not self.ends(step, at):
            yield at
            at = max(at + 1, int(at * growth))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _do(step: str, config: Config, killer: killing.Killer) -> None:
    connection_created.connect(lambda connection, **_kwargs: killer.watch(connection.connection), weak=False)
    identity = Identity(config.checkout, None, Owner(os.geteuid(), os.getegid()), config.checkout)
    getattr(installation.Installation(config, identity), step)()


def _manage(_config: Config, _identity: Identity, *arguments: str) -> str:
    """Do what a process of its own does otherwise, at whose end its connection is closed and the journal is in the database."""
    with redirect_stdout(StringIO()) as printed:
        call_command(*arguments)
    connection.close()
    return printed.getvalue()


def main() -> None:
    """Do each step that is asked for, in a child."""
    django.setup()
    installation.manage = _manage
    config = Config.read()
    for line in sys.stdin:
        step, at = line.split()
        try:
            answer = "ended" if killing.ends(lambda killer: _do(step, config, killer), int(at)) else "killed"
        except AssertionError as error:
            answer = str(error)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
