"""The network service as a Django app."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "compute.network"
    label = "network"
