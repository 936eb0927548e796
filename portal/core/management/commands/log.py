"""``manage.py log``: how much the running processes log."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Shows or turns the switch that brings the fullest detail; running processes follow with their next piece of work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("debug",))
        parser.add_argument("turn", choices=("on", "off"), nargs="?")

    def handle(self, *args: Any, turn: str | None, **options: Any) -> None:
        switch = settings.LOG["switch"]
        if turn == "on":
            switch.touch()
        elif turn == "off":
            switch.unlink(missing_ok=True)
        state = "on" if switch.exists() else "off"
        self.stdout.write(f"debug is {state}")
        if state == "off" and settings.LOG["debug"]:
            self.stdout.write("NEBULET_DEBUG=1 keeps it on in processes that were started with it.")
