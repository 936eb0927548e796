"""Somebody who went away and left something open, such as a console or an upload: may he still?"""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts import contexts, delegations, holdings, workplaces
from accounts.delegations import APPLICATION_CREDENTIAL, TRUST, Delegation
from accounts.models import Domain, Project, User
from portal.core.context import RequestContext


@dataclass(frozen=True)
class Standing:
    """Who it was, in which project or domain, and what he had been lent: enough to work out what he may do at any later time.

    In neither means on the system, or nowhere.
    """

    user_id: str
    project_id: str | None
    application_credential_id: str | None = None
    trust_id: str | None = None
    domain_id: str | None = None

    @classmethod
    def of(cls, ctx: RequestContext) -> "Standing":
        """Return what is to be remembered of a caller."""
        return cls(ctx.user_id or "", ctx.project_id, ctx.application_credential_id, ctx.trust_id, ctx.domain_id)

    def context(self, **request: Any) -> RequestContext | None:
        """Return the caller with his roles as they stand now; None when he has no right there any more."""
        user = User.objects.select_related("domain").filter(pk=self.user_id, enabled=True, domain__enabled=True).first()
        if user is None:
            return None
        if self.project_id is None:
            return self._outside_projects(user, request)
        if not (self.application_credential_id or self.trust_id):
            found = workplaces.project_contexts(user, **request)
            return next((ctx for ctx in found if ctx.project_id == self.project_id), None)
        return self._lent(user, request)

    def _outside_projects(self, user: User, request: dict[str, Any]) -> RequestContext | None:
        """Return him on his domain, or on the system; without any role there he may do what others granted to him alone."""
        if self.domain_id is None:
            roles = holdings.roles(holdings.SYSTEM, user_id=user.pk, scope_id="")
            return contexts.system_context(user, roles, **request) if roles else contexts.unscoped_context(user, **request)
        domain = Domain.objects.filter(pk=self.domain_id, enabled=True).first()
        roles = holdings.roles(holdings.DOMAIN, user_id=user.pk, scope_id=self.domain_id)
        return contexts.domain_context(user, domain, roles, **request) if domain is not None and roles else None

    def _lent(self, user: User, request: dict[str, Any]) -> RequestContext | None:
        delegation = self._delegation()
        project = Project.objects.select_related("domain").filter(pk=self.project_id).first()
        if delegation is None or project is None or not project.usable:
            return None
        roles = delegation.of_those(holdings.roles(holdings.PROJECT, user_id=delegation.lender_id, scope_id=project.pk))
        return contexts.project_context(user, project, roles, **delegation.request(), **request) if roles else None

    def _delegation(self) -> Delegation | None:
        """Return what was lent, None when it was taken back, has ended, or somebody of its chain is disabled."""
        if self.trust_id:
            found = delegations.of(TRUST, self.trust_id)
        else:
            found = delegations.of(APPLICATION_CREDENTIAL, self.application_credential_id or "")
        now = timezone.now()
        if found is None or (found.expires_at is not None and found.expires_at <= now):
            return None
        return found if found.accepts_token_from(now) else None
