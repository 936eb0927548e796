"""``manage.py fernet``: the keys of tokens."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.services import keys


class Command(BaseCommand):
    help = "Shows, makes or rotates the keys that seal tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=("list", "setup", "rotate"))

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        if act == "setup":
            keys.TOKENS.ensure()
        elif act == "rotate":
            keys.TOKENS.rotate()
        for number, kind in keys.TOKENS.kinds():
            self.stdout.write(f"{number} {kind}")
