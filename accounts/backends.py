"""Django's two questions, answered by identity and by the rules: who is this, and may he do that."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts import workplaces
from accounts.models import User
from accounts.services import second_factor
from accounts.services.attempts import attempt
from portal.core.context import RequestContext
from portal.core.policy import Rule, allowed, registry


class PasswordBackend(BaseBackend):
    """Signs in by name, domain and password; unknown, wrong and disabled look and cost the same."""

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        name: str | None = None,
        domain: str | None = None,
    ) -> User | None:
        """Return the user whom a password alone lets in, or None. ``domain`` is a domain's name; without it the default one is meant.

        The sign-in page does more: it asks for the second factor, and for a new password when the old one has expired.
        """
        chosen = name if name is not None else username
        if chosen is None or password is None:
            return None
        address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        user = attempt(password, address=address, name=chosen, domain_name=domain or None).user
        return None if user is None or user.password_expired or second_factor.is_enrolled(user) else user

    def get_user(self, user_id: str) -> User | None:
        """Return the user of a session while he may sign in."""
        user = User.objects.select_related("domain").filter(pk=user_id).first()
        return user if user is not None and user.enabled and user.domain.enabled else None


class PolicyBackend(BaseBackend):
    """Makes ``user.has_perm`` the engine's own answer.

    ``perm`` is a rule's permission (``compute.start_server``) or ``rule:`` and a rule's name. With an object the user's present
    project decides (``user.ctx``, else his first project); without one, any of his projects may.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        rule = _rule(perm)
        if rule is None or not _may_act(user_obj):
            return False
        return any(allowed(ctx, rule, obj) for ctx in _contexts(user_obj, obj))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        rules = [rule for rule in registry.with_perm() if rule.perm and rule.perm.startswith(f"{app_label}.")]
        return self._any(user_obj, rules)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not _may_act(user_obj):
            return set()
        found = _contexts(user_obj, obj)
        rules = registry.with_perm()
        return {rule.perm for rule in rules if rule.perm and any(allowed(ctx, rule, obj) for ctx in found)}

    def _any(self, user_obj: Any, rules: Iterable[Rule]) -> bool:
        if not _may_act(user_obj):
            return False
        found = _contexts(user_obj, None)
        return any(allowed(ctx, rule) for rule in rules for ctx in found)


def _may_act(user: Any) -> bool:
    return isinstance(user, User) and user.enabled and user.domain.enabled


def _contexts(user: User, obj: Any) -> list[RequestContext]:
    if obj is not None and user.ctx is not None:
        return [user.ctx]
    found = workplaces.project_contexts(user)
    return found[:1] if obj is not None else found


def _rule(perm: str) -> Rule | None:
    if perm.startswith("rule:"):
        name = perm.removeprefix("rule:")
        service = registry.service_of(name)
        return registry.of(service)[name] if service else None
    return next((rule for rule in registry.with_perm() if rule.perm == perm), None)
