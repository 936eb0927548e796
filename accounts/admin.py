"""Identity on the operators' site: to look at, with limits to set and users to let in or keep out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # registers Group, so it must come before we take it off
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.models import (
    Assignment,
    CatalogService,
    Domain,
    Endpoint,
    ImpliedRole,
    Project,
    Quota,
    Region,
    RevokedToken,
    Role,
    User,
)
from accounts.services import quotas, users
from portal.core.admin import PolicyModelAdmin
from portal.core.errors import CloudError
from portal.core.requests import CloudRequest

__all__ = ["auth_admin"]

admin.site.unregister(Group)


@admin.register(Domain)
class DomainAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "enabled", "description")
    list_filter = ("enabled",)
    search_fields = ("name", "id")


@admin.register(Project)
class ProjectAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "domain", "enabled", "description")
    list_filter = ("enabled", "domain")
    list_select_related = ("domain",)
    search_fields = ("name", "id")


@admin.register(User)
class UserAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "domain", "enabled", "email", "last_login", "password_changed_at")
    list_filter = ("enabled", "domain")
    list_select_related = ("domain",)
    search_fields = ("name", "id", "email")
    exclude = ("password", "groups")
    actions = ("let_in", "keep_out")

    @admin.action(description="Enable selected users")
    def let_in(self, request: CloudRequest, queryset: Any) -> None:
        self._set_enabled(request, queryset, True)

    @admin.action(description="Disable selected users and end their tokens")
    def keep_out(self, request: CloudRequest, queryset: Any) -> None:
        self._set_enabled(request, queryset, False)

    def _set_enabled(self, request: CloudRequest, queryset: Any, enabled: bool) -> None:
        for user in queryset.select_related("domain"):
            try:
                users.update(ctx=self.operator(request), user=user, enabled=enabled)
            except CloudError as error:
                self.message_user(request, f"{user}: {error.message}", "error")


@admin.register(Role)
class RoleAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "domain", "description")
    search_fields = ("name", "id")


@admin.register(ImpliedRole)
class ImpliedRoleAdmin(PolicyModelAdmin):
    list_display = ("prior", "implied")
    list_select_related = ("prior", "implied")


@admin.register(Assignment)
class AssignmentAdmin(PolicyModelAdmin):
    list_display = ("user", "role", "target_type", "project", "domain", "inherited")
    list_filter = ("target_type", "role")
    list_select_related = ("user", "role", "project", "domain")
    search_fields = ("user__name", "project__name")


@admin.register(Region)
class RegionAdmin(PolicyModelAdmin):
    list_display = ("id", "description", "parent")


@admin.register(CatalogService)
class CatalogServiceAdmin(PolicyModelAdmin):
    list_display = ("type", "name", "id", "enabled", "description")


@admin.register(Endpoint)
class EndpointAdmin(PolicyModelAdmin):
    list_display = ("service", "interface", "region", "url", "enabled")
    list_filter = ("interface", "service")
    list_select_related = ("service", "region")


@admin.register(RevokedToken)
class RevokedTokenAdmin(PolicyModelAdmin):
    list_display = ("audit_id", "revoked_at", "expires_at")


class QuotaForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none when it runs
    """One limit of one project; the resources are those that the apps declared."""

    project_id = forms.ChoiceField(label="Project")
    resource = forms.ChoiceField()
    limit = forms.IntegerField(min_value=quotas.UNLIMITED, max_value=quotas.MAX_LIMIT, help_text="-1 is without limit.")

    class Meta:
        model = Quota
        fields = ("project_id", "resource", "limit")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "project_id" not in self.fields:  # on a limit that is there already both are read-only
            return
        fields: dict[str, Any] = self.fields
        projects = Project.objects.select_related("domain")
        fields["project_id"].choices = [(row.pk, f"{row.name} ({row.domain.name})") for row in projects]
        fields["resource"].choices = [(name, f"{name} (default {limit})") for name, limit in quotas.defaults().items()]


@admin.register(Quota)
class QuotaAdmin(PolicyModelAdmin):
    form = QuotaForm
    list_display = ("project_id", "resource", "limit")
    list_filter = ("resource",)
    search_fields = ("project_id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("project_id", "resource") if obj else ()

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        quotas.set_limits(obj.project_id, {obj.resource: obj.limit})
        obj.pk = Quota.objects.get(project_id=obj.project_id, resource=obj.resource).pk

    def delete_model(self, request: HttpRequest, obj: Quota) -> None:
        quotas.reset(obj.project_id, obj.resource)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)
