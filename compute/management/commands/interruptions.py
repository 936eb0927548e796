"""`./nebulet manage interruptions`: prints what docs/developer/interruptions.md says of processes that are killed."""

from typing import Any

from django.core.management.base import BaseCommand

from compute.interruptions import page


class Command(BaseCommand):
    help = "Print what users see of an action whose process is killed, for the documentation."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page())
