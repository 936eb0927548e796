"""The kernel as a Django app, and the operators' site as Django's default admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class CoreConfig(AppConfig):
    name = "portal.core"
    label = "core"
    default = True


class OperatorAdminConfig(admin_apps.AdminConfig):
    default_site = "portal.core.admin.OperatorSite"
    default = False
