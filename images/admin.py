"""Images on the operators' site: to look at; what changes them are the services."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from images import policies
from images.models import (
    Image,
    ImageLocation,
    ImageMember,
    ImageProperty,
    ImageTag,
    MetadefAssociation,
    MetadefNamespace,
    MetadefObject,
    MetadefProperty,
    MetadefResourceType,
    MetadefTag,
)
from images.services import registry
from images.states import ImageStatus
from portal.core.admin import OperatorSite, PolicyModelAdmin
from portal.core.errors import CloudError
from portal.core.policy import allowed
from portal.core.requests import CloudRequest


class DetailInline(TabularInline):
    """Rows of an image that are shown and not edited here."""

    admin_site: OperatorSite
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PropertyInline(DetailInline):
    model = ImageProperty
    fields = ("name", "value")


class TagInline(DetailInline):
    model = ImageTag
    fields = ("name",)


class MemberInline(DetailInline):
    model = ImageMember
    fields = ("member", "status", "created_at")


class LocationInline(DetailInline):
    model = ImageLocation
    fields = ("store", "address", "doomed")


@admin.register(Image)
class ImageAdmin(PolicyModelAdmin):
    list_display = ("name", "id", "status", "visibility", "owner", "disk_format", "size", "created_at")
    list_filter = (
        "status",
        "visibility",
        "disk_format",
        "container_format",
        "locations__store",
        "os_hidden",
        "protected",
        "created_at",
    )
    search_fields = ("=id", "name", "=owner", "=checksum", "=os_hash_value", "=tags__name", "=members__member")
    search_help_text = "Part of a name, or a whole id, owner, checksum, hash, tag or member"
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fieldsets = (
        (None, {"fields": ("id", "name", "owner", "visibility", "status", "protected", "os_hidden")}),
        (
            "Content",
            {
                "fields": (
                    "disk_format",
                    "container_format",
                    "size",
                    "virtual_size",
                    "checksum",
                    "os_hash_algo",
                    "os_hash_value",
                )
            },
        ),
        ("Needs of servers", {"fields": ("min_disk", "min_ram")}),
        ("Upload", {"fields": ("upload_store", "upload_id", "upload_seen_at", "upload_bytes", "upload_offset")}),
        ("Times", {"fields": ("created_at", "updated_at", "deleted_at")}),
    )
    inlines = (PropertyInline, TagInline, MemberInline, LocationInline)
    actions = ("deactivate", "reactivate", "delete_images")

    def has_act_permission(self, request: CloudRequest) -> bool:
        return allowed(self.operator(request), policies.DEACTIVATE)

    @admin.action(description="Deactivate", permissions=["act"])
    def deactivate(self, request: CloudRequest, queryset: QuerySet[Image]) -> None:
        self._each(request, queryset, registry.deactivate)

    @admin.action(description="Reactivate", permissions=["act"])
    def reactivate(self, request: CloudRequest, queryset: QuerySet[Image]) -> None:
        self._each(request, queryset, registry.reactivate)

    @admin.action(description="Delete with their data", permissions=["act"])
    def delete_images(self, request: CloudRequest, queryset: QuerySet[Image]) -> None:
        self._each(request, queryset.exclude(status=ImageStatus.DELETED), registry.delete)

    def _each(self, request: CloudRequest, queryset: QuerySet[Image], perform: Any) -> None:
        """Do the same to each image and tell about every refusal."""
        ctx = self.operator(request)
        done = 0
        for image in queryset:
            try:
                perform(ctx=ctx, image=image)
                done += 1
            except CloudError as error:
                self.message_user(request, f"{image}: {error.message}", messages.ERROR)
        if done:
            self.message_user(request, f"{done} done.", messages.SUCCESS)


class AssociationInline(DetailInline):
    model = MetadefAssociation
    fields = ("resource_type", "prefix", "properties_target")


class MetadefPropertyInline(DetailInline):
    model = MetadefProperty
    fields = ("name", "schema")


class MetadefObjectInline(DetailInline):
    model = MetadefObject
    fields = ("name", "description", "required", "properties")


class MetadefTagInline(DetailInline):
    model = MetadefTag
    fields = ("name",)


@admin.register(MetadefNamespace)
class MetadefNamespaceAdmin(PolicyModelAdmin):
    list_display = ("namespace", "display_name", "visibility", "protected", "owner", "updated_at")
    list_filter = ("visibility", "protected", "associations__resource_type")
    search_fields = ("namespace", "display_name", "owner", "properties__name")
    ordering = ("namespace",)
    inlines = (AssociationInline, MetadefPropertyInline, MetadefObjectInline, MetadefTagInline)


@admin.register(MetadefResourceType)
class MetadefResourceTypeAdmin(PolicyModelAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("name",)
