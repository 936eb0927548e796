"""``manage.py heal``: find what is wrong with a cloud, mend it, and tell both."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compute.services import healing


class Command(BaseCommand):
    help = "Run every repair that the conductor makes by the clock, at once; name what was found and what is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, only name what would be mended")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        open_ = self._heal(dry_run) + (0 if dry_run else self._tidy()) + self._name_what_is_left()
        if open_:
            raise CommandError(f"{open_} found" if dry_run else f"{open_} left", returncode=1)
        self.stdout.write("All is well.")

    def _heal(self, dry_run: bool) -> int:
        """Return how much is not mended, which is all of it in a rehearsal."""
        open_ = 0
        for finding, well in healing.heal(dry_run=dry_run):
            open_ += dry_run or not well
            done = f"to do: {finding.remedy}" if dry_run else finding.remedy if well else "not mended, see the log"
            self.stdout.write(f"{finding.what}: {done}")
        return open_

    def _tidy(self) -> int:
        """Return how many chores failed."""
        failed = 0
        for name, count in healing.tidy():
            failed += count is None
            if count != 0:
                self.stdout.write(f"{name}: {'not mended, see the log' if count is None else count}")
        return failed

    def _name_what_is_left(self) -> int:
        """Return how much is broken."""
        sentences = list(healing.left())
        for sentence in sentences:
            self.stdout.write(f"broken: {sentence}")
        return len(sentences)
