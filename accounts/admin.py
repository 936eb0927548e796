"""Identity on the operators' site: to look at, with limits to set and users to let in or keep out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # registers Group, so it must come before we take it off
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import models
from accounts.models import (
    Assignment,
    CatalogService,
    Domain,
    Endpoint,
    ImpliedRole,
    Project,
    Region,
    RevokedToken,
    Role,
    User,
)
from accounts.services import limit_tree, limits, quotas, users
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


@admin.register(models.Group)
class GroupAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "domain", "description")
    list_filter = ("domain",)
    list_select_related = ("domain",)
    search_fields = ("name", "id")


@admin.register(models.Membership)
class MembershipAdmin(PolicyModelAdmin):
    list_display = ("user", "group")
    list_select_related = ("user", "group")
    search_fields = ("user__name", "group__name")


@admin.register(models.ProjectTag)
class ProjectTagAdmin(PolicyModelAdmin):
    list_display = ("name", "project")
    list_select_related = ("project",)
    search_fields = ("name", "project__name")


@admin.register(models.DomainTag)
class DomainTagAdmin(PolicyModelAdmin):
    list_display = ("name", "domain")
    list_select_related = ("domain",)
    search_fields = ("name", "domain__name")


@admin.register(Assignment)
class AssignmentAdmin(PolicyModelAdmin):
    list_display = ("user", "group", "role", "project", "domain", "system", "inherited")
    list_filter = ("system", "inherited", "role")
    list_select_related = ("user", "group", "role", "project", "domain")
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


@admin.register(models.EndpointGroup)
class EndpointGroupAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "filters", "description")


@admin.register(models.ProjectEndpoint)
class ProjectEndpointAdmin(PolicyModelAdmin):
    list_display = ("project", "endpoint")
    list_select_related = ("project", "endpoint__service")


@admin.register(models.Policy)
class PolicyAdmin(PolicyModelAdmin):
    list_display = ("id", "type")


@admin.register(models.PolicyAssociation)
class PolicyAssociationAdmin(PolicyModelAdmin):
    list_display = ("policy", "endpoint", "service", "region")
    list_select_related = ("policy", "endpoint__service", "service", "region")


@admin.register(models.DomainSetting)
class DomainSettingAdmin(PolicyModelAdmin):
    list_display = ("domain", "group", "option")
    list_select_related = ("domain",)
    exclude = ("value",)


@admin.register(models.Consumer)
class ConsumerAdmin(PolicyModelAdmin):
    list_display = ("id", "description")
    exclude = ("secret_hash",)


@admin.register(models.AccessRule)
class AccessRuleAdmin(PolicyModelAdmin):
    list_display = ("user", "service", "method", "path")
    list_select_related = ("user",)
    search_fields = ("user__name", "path")


@admin.register(models.ApplicationCredential)
class ApplicationCredentialAdmin(PolicyModelAdmin):
    list_display = ("name", "user", "project", "unrestricted", "expires_at", "created_at")
    list_filter = ("unrestricted",)
    list_select_related = ("user", "project")
    search_fields = ("name", "user__name", "project__name")
    exclude = ("secret_hash",)


@admin.register(models.Trust)
class TrustAdmin(PolicyModelAdmin):
    list_display = ("trustor", "trustee", "project", "impersonation", "expires_at", "remaining_uses")
    list_select_related = ("trustor", "trustee", "project")
    search_fields = ("trustor__name", "trustee__name")


@admin.register(models.Credential)
class CredentialAdmin(PolicyModelAdmin):
    list_display = ("id", "type", "user", "project")
    list_filter = ("type",)
    list_select_related = ("user", "project")
    exclude = ("sealed",)


@admin.register(models.RecoveryCode)
class RecoveryCodeAdmin(PolicyModelAdmin):
    list_display = ("user",)
    list_select_related = ("user",)
    exclude = ("code_hash",)


@admin.register(models.PastPassword)
class PastPasswordAdmin(PolicyModelAdmin):
    list_display = ("user", "created_at")
    list_select_related = ("user",)
    exclude = ("password_hash",)


@admin.register(models.SignIn)
class SignInAdmin(PolicyModelAdmin):
    list_display = ("user", "address", "agent", "created_at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__name", "address")
    exclude = ("session_key",)


@admin.register(models.RegisteredLimit)
class RegisteredLimitAdmin(PolicyModelAdmin):
    list_display = ("service", "region", "resource_name", "default_limit")
    list_select_related = ("service", "region")
    fields = ("service", "region", "resource_name", "default_limit")
    readonly_fields = ("service", "region", "resource_name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "default_limit" in form.base_fields:
            form.base_fields["default_limit"] = _amount()
        return form

    def save_model(self, request: CloudRequest, obj: Any, form: Any, change: bool) -> None:  # type: ignore[override]
        limits.update_registered(
            ctx=self.operator(request),
            registered_limit=models.RegisteredLimit.objects.get(pk=obj.pk),
            default_limit=obj.default_limit,
        )


def _amount() -> forms.IntegerField:
    return forms.IntegerField(min_value=quotas.UNLIMITED, max_value=quotas.MAX_LIMIT, help_text="-1 is without limit.")


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none when it runs
    """The limit of one project or domain."""

    resource_limit = _amount()

    class Meta:
        model = models.Limit
        fields = ("registered", "project", "domain", "resource_limit")

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        owner = {name: cleaned.get(name, getattr(self.instance, name)) for name in ("project", "domain")}
        registered = cleaned.get("registered") or (self.instance.registered if self.instance.pk else None)
        if registered is None or "resource_limit" not in cleaned:
            return cleaned
        if (owner["project"] is None) == (owner["domain"] is None):
            raise forms.ValidationError(_("Choose a project or a domain."))
        try:
            limit_tree.check(registered=registered, limit=cleaned["resource_limit"], **owner)
        except CloudError as error:
            raise forms.ValidationError(error.message) from error
        return cleaned


@admin.register(models.Limit)
class LimitAdmin(PolicyModelAdmin):
    form = LimitForm
    list_display = ("registered", "project", "domain", "resource_limit")
    list_select_related = ("registered", "project", "domain")
    search_fields = ("project__name", "domain__name", "registered__resource_name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("registered", "project", "domain") if obj else ()

    def save_model(self, request: CloudRequest, obj: Any, form: Any, change: bool) -> None:  # type: ignore[override]
        if change:
            row = models.Limit.objects.get(pk=obj.pk)
            limits.update(ctx=self.operator(request), limit=row, resource_limit=obj.resource_limit)
            return
        registered = obj.registered
        wanted = {
            "service_id": registered.service_id,
            "region_id": registered.region_id,
            "resource_name": registered.resource_name,
            "project_id": obj.project_id,
            "domain_id": obj.domain_id,
            "resource_limit": obj.resource_limit,
        }
        obj.pk = limits.create(ctx=self.operator(request), wanted=[wanted])[0].pk

    def delete_model(self, request: CloudRequest, obj: Any) -> None:  # type: ignore[override]
        limits.delete(ctx=self.operator(request), limit=obj)

    def delete_queryset(self, request: CloudRequest, queryset: Any) -> None:  # type: ignore[override]
        for row in queryset:
            self.delete_model(request, row)


@admin.register(models.Share)
class ShareAdmin(PolicyModelAdmin):
    list_display = ("content_type", "object_pk", "user", "project", "level", "ends_at")
    list_filter = ("content_type", "level")
    list_select_related = ("content_type", "user", "project")


@admin.register(RevokedToken)
class RevokedTokenAdmin(PolicyModelAdmin):
    list_display = ("audit_id", "revoked_at", "expires_at")
