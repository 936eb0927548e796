"""The kernel as a Django app, and the operators' site as Django's default admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.module_loading import autodiscover_modules

from portal.core import lookups


class CoreConfig(AppConfig):
    name = "portal.core"
    label = "core"
    default = True

    def ready(self) -> None:
        """Register every app's rules, so that no question comes before its rule, and how text is searched."""
        lookups.register()
        autodiscover_modules("policies")


class OperatorAdminConfig(admin_apps.AdminConfig):
    default_site = "portal.core.admin.OperatorSite"
    default = False
