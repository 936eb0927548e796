"""Users: who signs in, to the pages by a session and to the APIs by tokens."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

from accounts.models.domain import DEFAULT_DOMAIN_ID, Domain, new_id
from portal.core.context import RequestContext
from portal.core.policies import ADMIN_SITE

ADMIN_SITE_PERM = f"rule:{ADMIN_SITE.name}"


class UserManager(BaseUserManager["User"]):
    """Finds users by the name that Django knows them under: that of the default domain."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.select_related("domain").get(name=username, domain_id=DEFAULT_DOMAIN_ID)


class User(AbstractBaseUser):
    """A person or a program.

    Names are unique inside a domain and compared exactly. ``tokens_valid_from`` cuts off every token issued before it: it moves
    when the password changes and when the user is disabled. ``password_own_choice`` tells a password that he chose himself from
    one that he was given. What a user may do follows from assignments and rules alone, so there are no superusers; ``ctx`` is the
    project in which a signed-in user works at present.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    name = models.CharField(max_length=255)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="users")
    enabled = models.BooleanField(default=True)
    email = models.CharField(max_length=254, blank=True, default="")
    description = models.TextField(null=True, blank=True)
    default_project_id = models.CharField(max_length=64, null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    password_expires_at = models.DateTimeField(null=True, blank=True)
    password_own_choice = models.BooleanField(default=False)
    tokens_valid_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    groups = models.ManyToManyField("auth.Group", blank=True, related_name="user_set", related_query_name="user")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "name"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    ctx: RequestContext | None = None

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="user_name_once_per_domain")]
        indexes = [models.Index(fields=["name", "id"], name="user_in_order")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Django's word for a user who may sign in."""
        return self.enabled

    @property
    def is_staff(self) -> bool:
        """Whether the operators' site opens to this user in some project."""
        return self.has_perm(ADMIN_SITE_PERM)

    @property
    def is_superuser(self) -> bool:
        """Always false: nobody is beyond the rules."""
        return False

    def get_full_name(self) -> str:
        return self.name

    get_short_name = get_full_name

    def set_password(self, raw_password: str | None) -> None:
        """Take a new password; tokens from before it end when this is saved."""
        super().set_password(raw_password)
        self.password_changed_at = self.tokens_valid_from = timezone.now()

    @property
    def password_expired(self) -> bool:
        """Whether the password is only good for choosing another one."""
        if self.password_expires_at is None or self.options.get("ignore_password_expiry"):
            return False
        return bool(self.password_expires_at <= timezone.now())

    def accepts_token_from(self, issued_at: datetime) -> bool:
        """Whether a token of that time is still good for this user."""
        return self.enabled and self.domain.enabled and issued_at >= self.tokens_valid_from

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return the rule engine's answer, by way of the authentication backends."""
        return any(backend.has_perm(self, perm, obj) for backend in auth.get_backends() if hasattr(backend, "has_perm"))

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(
            backend.has_module_perms(self, app_label)
            for backend in auth.get_backends()
            if hasattr(backend, "has_module_perms")
        )

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {
            "user_id": self.pk,
            "target.user.id": self.pk,
            "target.user.domain_id": self.domain_id,
            "target.domain_id": self.domain_id,
        }
