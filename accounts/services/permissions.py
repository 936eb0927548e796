"""Django permissions that mirror rules: one row for each ``Rule.perm``, made after each migration."""

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import router

from portal.core.policy import registry

LOG = logging.getLogger(__name__)


def create_permissions(app_config: AppConfig, using: str = "default", apps: Any = installed, **options: Any) -> None:
    """Make the permission rows of one app's rules (a ``post_migrate`` receiver).

    ``compute.start_server`` belongs to the model ``server``: the longest model name that ends the codename.
    """
    if not router.allow_migrate_model(using, Permission):
        return
    wanted = dict(_wanted(app_config, using))
    rows = Permission.objects.using(using)
    there = {(row.content_type_id, row.codename): row for row in rows.filter(content_type__app_label=app_config.label)}
    missing = [
        Permission(content_type_id=of, codename=name, name=text)
        for (of, name), text in wanted.items()
        if (of, name) not in there
    ]
    rows.bulk_create(missing)
    for key, row in there.items():
        if row.name != wanted.get(key, row.name):
            rows.filter(pk=row.pk).update(name=wanted[key])


def _wanted(app_config: AppConfig, using: str) -> Iterator[tuple[tuple[int, str], str]]:
    """Yield content type, codename and name of each permission of an app's rules."""
    types = ContentType.objects.db_manager(using)
    for rule in registry.with_perm():
        assert rule.perm is not None
        app_label, _dot, codename = rule.perm.partition(".")
        if app_label != app_config.label:
            continue
        model = _model_of(app_config, codename)
        if model is None:
            LOG.error("Permission %s of rule %s names no model of %s", rule.perm, rule.name, app_label)
            continue
        content_type = types.get_for_model(model, for_concrete_model=False)
        yield (content_type.pk, codename), rule.summary[:255] or codename


def _model_of(app_config: AppConfig, codename: str) -> Any:
    named = [model for model in app_config.get_models() if codename.endswith(f"_{model._meta.model_name}")]
    return max(named, key=lambda model: len(str(model._meta.model_name)), default=None)
