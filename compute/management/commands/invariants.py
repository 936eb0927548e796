"""``manage.py invariants``: check what must be true of a cloud at rest."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compute.services.invariants import ALL

MOST = 20


class Command(BaseCommand):
    help = "Compare rows, claims, hosts, images and queues; name what does not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for name, check in ALL.items():
            sentences = list(check())
            broken += len(sentences)
            self.stdout.write(f"{name}: {'ok' if not sentences else 'BROKEN'}")
            for sentence in sentences[:MOST]:
                self.stdout.write(f"  {sentence}")
            if len(sentences) > MOST:
                self.stdout.write(f"  and {len(sentences) - MOST} more")
        if broken:
            raise CommandError(f"{broken} broken", returncode=1)
