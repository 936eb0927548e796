"""The network service as a Django app."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "compute.network"
    label = "network"

    def ready(self) -> None:
        """Make quota resources known."""
        from compute.network.services import quotas

        quotas.declare()
