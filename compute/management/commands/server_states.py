"""`./nebulet manage server_states`: prints what docs/developer/server-states.md says of the state table."""

from typing import Any

from django.core.management.base import BaseCommand

from compute.state_diagram import page


class Command(BaseCommand):
    help = "Print the table and the diagram of server states for the documentation."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page())
