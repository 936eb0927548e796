"""Identity as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Identity"

    def ready(self) -> None:
        from accounts.services.permissions import create_permissions  # models are loaded only now

        post_migrate.connect(create_permissions, dispatch_uid="accounts.create_permissions")
