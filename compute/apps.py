"""Compute as a Django app."""

from django.apps import AppConfig


class ComputeConfig(AppConfig):
    name = "compute"

    def ready(self) -> None:
        """Make rules and quota resources known to the engine and to admission."""
        from compute import policies
        from compute.services import quotas

        assert policies.RULES
        quotas.declare()
