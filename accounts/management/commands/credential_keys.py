"""``manage.py credential_keys``: the keys of credentials."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import keys, vault
from portal.core.errors import CloudError


class Command(BaseCommand):
    help = "Shows, makes or rotates the keys that seal credentials at rest; migrate seals all anew with the present key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=("list", "setup", "rotate", "migrate"))

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        try:
            self.do(act)
        except CloudError as error:
            raise CommandError(error.message) from error
        for number, kind in keys.CREDENTIALS.kinds():
            self.stdout.write(f"{number} {kind}")

    def do(self, act: str) -> None:
        if act == "setup":
            keys.CREDENTIALS.ensure()
        elif act == "rotate":
            vault.rotate()
        elif act == "migrate":
            self.stdout.write(f"Sealed anew: {vault.migrate()}")
