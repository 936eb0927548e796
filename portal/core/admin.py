"""The operators' administration site and the base of everything on it.

Who may open the site, and what may be seen and changed on it, follows from rules: Django asks ``user.has_perm``, which is the
policy engine's own answer.
"""

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from portal.core.context import RequestContext
from portal.core.models import OutboxMessage, PolicyRecord
from portal.core.policies import ADMIN_SITE
from portal.core.policy import allowed
from portal.core.policy.engine import problems
from portal.core.requests import CloudRequest


class OperatorSite(UnfoldAdminSite):
    """The administration site: open to whoever the rule ``portal:admin_site`` lets in."""

    site_header = "Nebulet"
    site_title = "Nebulet"
    index_title = "Administration"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Wrap a view of this site; its theme evaluates expressions in attributes, which the portal's own pages never do."""
        guarded = super().admin_view(view, cacheable)
        return csp_update({"script-src": [UNSAFE_EVAL, UNSAFE_INLINE]})(guarded)

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the start page, with what is wrong with the policy files."""
        for service, found in problems().items():
            for problem in found:
                messages.error(request, f"Policy of {service}: {problem}")
        return super().index(request, extra_context)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the portal's own sign-in page, which asks for the second factor too; refuse whoever is signed in already."""
        if request.user.is_authenticated:
            raise PermissionDenied
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(wanted)

    def has_permission(self, request: HttpRequest) -> bool:
        ctx: RequestContext | None = getattr(request, "ctx", None)
        return ctx is not None and allowed(ctx, ADMIN_SITE)


class PolicyModelAdmin(ModelAdmin):
    """Base of every model's admin: read-mostly, state columns read-only, actions through services."""

    admin_site: OperatorSite
    list_per_page = 50
    show_full_result_count = False

    def operator(self, request: CloudRequest) -> RequestContext:
        """Return the context in which an action of this site calls services."""
        return RequestContext.for_operator(request.user, request.request_id)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PolicyRecord)
class PolicyRecordAdmin(PolicyModelAdmin):
    list_display = ("day", "rule", "allowed", "count", "caller")
    list_filter = ("day", "allowed")
    search_fields = ("rule",)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(PolicyModelAdmin):
    list_display = ("actor", "queue", "created_at")
