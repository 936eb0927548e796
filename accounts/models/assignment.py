"""Assignments: who holds which role where."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.domain import Domain
from accounts.models.group import Group
from accounts.models.project import Project
from accounts.models.role import Role

_PLACES = (
    Q(project__isnull=False, domain=None, system=None)
    | Q(project=None, domain__isnull=False, system=None)
    | Q(project=None, domain=None, system=True, inherited=False)
)
_ACTORS = Q(user__isnull=False, group=None) | Q(user=None, group__isnull=False)


class Assignment(models.Model):
    """A role of a user or a group on a project, on a domain, or on the system.

    ``inherited`` ones do not act on their place itself but on every project below it. ``system`` is true or null, never false:
    nulls differ from each other, and so one constraint an actor and kind of place holds on every database.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="assignments")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, related_name="assignments")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments")
    system = models.BooleanField(null=True)
    inherited = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=_PLACES, name="assignment_has_one_place"),
            models.CheckConstraint(condition=_ACTORS, name="assignment_has_one_actor"),
            *(
                models.UniqueConstraint(
                    fields=[actor, "role", place, "inherited"], name=f"assignment_of_{actor}_once_on_{place}"
                )
                for actor in ("user", "group")
                for place in ("project", "domain", "system")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group} is {self.role} in {self.place_id}"

    @property
    def place_id(self) -> str:
        """The id of the project or domain, or the word ``system``."""
        return self.project_id or self.domain_id or "system"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.project_id, "user_id": self.user_id}
