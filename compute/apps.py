"""Compute as a Django app."""

from django.apps import AppConfig


class ComputeConfig(AppConfig):
    name = "compute"

    def ready(self) -> None:
        """Make rules, quota resources and what can be shared known."""
        from compute import policies
        from compute.services import quotas, sharing

        assert policies.RULES
        quotas.declare()
        sharing.declare()
