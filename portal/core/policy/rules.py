"""A rule of the cloud and the registry of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """What may be allowed or refused, under the name that OpenStack gives it.

    ``check`` is an oslo.policy check string, ``perm`` the Django permission (``app.codename``) that mirrors the rule, ``summary``
    one sentence for people. ``base`` marks building blocks such as ``project_member`` that stand for no operation.
    """

    name: str
    check: str
    summary: str = ""
    perm: str | None = None
    base: bool = False


class Registry:
    """All rules of one service, by name."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, Rule]] = {}

    def register(self, service: str, rules: Iterable[Rule]) -> None:
        """Add a service's rules; a name can be declared once."""
        known = self._services.setdefault(service, {})
        for rule in rules:
            if known.get(rule.name, rule) != rule:
                raise ValueError(f"Rule {rule.name} is declared twice.")
            known[rule.name] = rule

    def services(self) -> list[str]:
        """Return the names of the services that declared rules."""
        return sorted(self._services)

    def of(self, service: str) -> dict[str, Rule]:
        """Return a service's rules by name."""
        return self._services[service]

    def service_of(self, name: str) -> str | None:
        """Return the service that declared a rule, or None."""
        return next((service for service, rules in self._services.items() if name in rules), None)

    def with_perm(self) -> list[Rule]:
        """Return every rule that is also a Django permission."""
        return [rule for rules in self._services.values() for rule in rules.values() if rule.perm]


registry = Registry()
