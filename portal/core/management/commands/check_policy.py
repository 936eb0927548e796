"""``manage.py check_policy``: hold every policy.json against the registry."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.core.policy.engine import problems
from portal.core.policy.rules import registry


class Command(BaseCommand):
    help = "Reads each service's policy file and names rules that are broken or not known here."

    def handle(self, *args: Any, **options: Any) -> None:
        found = [f"{service}: {problem}" for service, each in problems().items() for problem in each]
        if found:
            raise CommandError("\n".join(found))
        count = sum(len(registry.of(service)) for service in registry.services())
        self.stdout.write(f"{count} rules of {len(registry.services())} services, no problem")
