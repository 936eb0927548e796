"""The check atom ``guardian:<perm>``: true when the target was shared with the caller or with the caller's project."""

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from oslo_policy import policy


def has_grant(perm: str, obj: Any, user_id: str | None, project_id: str | None) -> bool:
    """Return whether guardian holds ``perm`` on ``obj`` for the user, or for the role group of the project."""
    if user_id is None:
        return False
    where = {
        "permission__codename": perm.partition(".")[2],
        "content_type": ContentType.objects.get_for_model(obj),
        "object_pk": str(obj.pk),
    }
    grants = apps.get_model("guardian", "UserObjectPermission")
    if grants.objects.filter(user_id=user_id, **where).exists():
        return True
    if project_id is None:
        return False
    shared = apps.get_model("guardian", "GroupObjectPermission")
    return bool(shared.objects.filter(group__name=project_group(project_id), **where).exists())


def granted(perm: str, model: type[Model], user_id: str, project_id: str | None) -> Q:
    """Return the condition under which rows of ``model`` were shared with the user or the project, for lists."""
    where = {"permission__codename": perm.partition(".")[2], "content_type": ContentType.objects.get_for_model(model)}
    grants = apps.get_model("guardian", "UserObjectPermission").objects.filter(user_id=user_id, **where)
    found = Q(pk__in=grants.values("object_pk"))
    if project_id is None:
        return found
    shared = apps.get_model("guardian", "GroupObjectPermission")
    return found | Q(pk__in=shared.objects.filter(group__name=project_group(project_id), **where).values("object_pk"))


def project_group(project_id: str) -> str:
    """Return the name of the Django group that stands for a project in guardian's rows."""
    return f"project:{project_id}"


class GuardianCheck(policy.Check):  # type: ignore[misc]
    """Look up grants on one object; the target carries the object under ``_object``."""

    def __call__(self, target: Any, creds: Any, enforcer: Any, current_rule: str | None = None) -> bool:
        obj = target.get("_object")
        return obj is not None and has_grant(self.match, obj, creds["user_id"], creds["project_id"])


policy.register("guardian", GuardianCheck)
