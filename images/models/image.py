"""Images: the record of each, and the only statements that change its status."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from images.models.gathered import GatheredList, GatheredObject, of_image
from images.states import BOOTABLE_CONTAINERS, STORED, ImageStatus, Visibility

if TYPE_CHECKING:
    from images.models.task import ImageTask

# Lists can be narrowed by each of these columns; the indexes begin with it and go on in the usual order of lists.
LISTED_BY = (
    "name", "owner", "visibility", "status", "container_format", "disk_format", "size", "virtual_size", "checksum", "os_hash_algo",
    "os_hash_value", "min_disk", "min_ram", "protected", "os_hidden",
)  # fmt: skip


def new_uuid() -> str:
    """Return a fresh UUID with dashes."""
    return str(uuid.uuid4())


_NO_UPLOAD: dict[str, Any] = {"upload_id": None, "upload_bytes": 0, "upload_store": None, "upload_offset": None}


class ImageQuerySet(models.QuerySet["Image"]):
    """Filters, and conditional updates: each carries both the test and the change, so of two callers one wins."""

    def present(self) -> "ImageQuerySet":
        """Leave out what was deleted."""
        return self.exclude(status=ImageStatus.DELETED)

    def with_details(self) -> "ImageQuerySet":
        """Bring properties, tags and the names of stores along in the same query."""
        names = ("ImageProperty", "ImageTag", "ImageLocation")
        properties, tags, locations = (apps.get_model("images", name).objects.all() for name in names)
        return self.annotate(
            gathered_properties=of_image(properties, GatheredObject("name", "value")),
            gathered_tags=of_image(tags, GatheredList("name")),
            gathered_stores=of_image(locations.filter(doomed=False), GatheredList("store")),
        )

    def begin_upload(
        self,
        image_id: str,
        *,
        upload_id: str,
        store: str,
        reserved_bytes: int,
        status: ImageStatus = ImageStatus.SAVING,
        offset: int | None = None,
    ) -> bool:
        """Take a queued image for one upload; False when it is not queued any more."""
        now = timezone.now()
        changed = self.filter(pk=image_id, status=ImageStatus.QUEUED).update(
            status=status,
            upload_id=upload_id,
            upload_seen_at=now,
            upload_bytes=reserved_bytes,
            upload_store=store,
            upload_offset=offset,
            updated_at=now,
        )
        return changed == 1

    def upload_alive(self, image_id: str, upload_id: str) -> bool:
        """Note that bytes still flow; False when the upload lost its image."""
        return self.present().filter(pk=image_id, upload_id=upload_id).update(upload_seen_at=timezone.now()) == 1

    def move_upload(self, image_id: str, upload_id: str, before: int, after: int) -> bool:
        """Note how many bytes of an upload in pieces are safe; False when it stands elsewhere or lost its image."""
        mine = self.filter(pk=image_id, status=ImageStatus.SAVING, upload_id=upload_id, upload_offset=before)
        return mine.update(upload_offset=after, upload_seen_at=timezone.now()) == 1

    def finish_upload(self, image_id: str, upload_id: str, **content: Any) -> bool:
        """Make the image active with what was measured; False when the upload lost its image."""
        mine = self.filter(pk=image_id, status=ImageStatus.SAVING, upload_id=upload_id)
        return mine.update(**_NO_UPLOAD, status=ImageStatus.ACTIVE, updated_at=timezone.now(), **content) == 1

    def finish_staging(self, image_id: str, upload_id: str, size: int) -> bool:
        """Let what has arrived wait for its import; False when the upload lost its image."""
        mine = self.filter(pk=image_id, status=ImageStatus.UPLOADING, upload_id=upload_id)
        staged = {"upload_id": None, "upload_store": None, "upload_bytes": size, "size": size}
        return mine.update(**staged, updated_at=timezone.now()) == 1

    def begin_import(self, image_id: str, task_id: str, before: ImageStatus, after: ImageStatus, stores: list[str]) -> bool:
        """Take an image for one import task; False when it is in another status or another has it."""
        idle = self.filter(pk=image_id, status=before, upload_id=None, import_task_id=None)
        changes = {"status": after, "import_task_id": task_id, "importing_to_stores": ",".join(stores), "failed_import": ""}
        return idle.update(**changes, updated_at=timezone.now()) == 1

    def change_import(self, image_id: str, task_id: str, **changes: Any) -> bool:
        """Change what an import knows of its image; False when the task lost it."""
        mine = self.present().filter(pk=image_id, import_task_id=task_id)
        return mine.update(**changes, updated_at=timezone.now()) == 1

    def abort_upload(self, image_id: str, upload_id: str) -> bool:
        """Put the image back to queued after a failed upload; False when the upload lost its image."""
        mine = self.present().filter(pk=image_id, upload_id=upload_id)
        return mine.update(**_NO_UPLOAD, status=ImageStatus.QUEUED, updated_at=timezone.now()) == 1

    def forget_upload(self, image_id: str, upload_id: str) -> bool:
        """Let a deleted image's record know of no upload any more; False when there was none, or the image lives."""
        return self.filter(pk=image_id, status=ImageStatus.DELETED, upload_id=upload_id).update(**_NO_UPLOAD) == 1

    def silent_uploads(self, before: datetime, kept_before: datetime) -> "ImageQuerySet":
        """Keep uploads of which nothing was heard since ``before``: their process is gone.

        One in pieces that has bytes to go on with may be silent since ``kept_before``.
        """
        ends = ~Q(status=ImageStatus.SAVING) | Q(upload_offset=None) | Q(upload_offset=0) | Q(upload_seen_at__lt=kept_before)
        return self.filter(ends, upload_id__isnull=False, upload_seen_at__lt=before)

    def switch(self, image_id: str, before: ImageStatus, after: ImageStatus) -> bool:
        """Change between active and deactivated; False when the image was in another status."""
        return self.filter(pk=image_id, status=before).update(status=after, updated_at=timezone.now()) == 1

    def mark_deleted(self, image_id: str) -> bool:
        """Delete the record unless it is protected or gone already; an upload that runs is remembered until its part is gone."""
        now = timezone.now()
        changed = (
            self.present()
            .filter(pk=image_id, protected=False)
            .update(status=ImageStatus.DELETED, deleted_at=now, updated_at=now, upload_bytes=0, import_task_id=None)
        )
        return changed == 1


class Image(models.Model):
    """What is known of an image; where its bytes lie is said by its locations.

    ``upload_id`` names the upload that may write now, to ``upload_store``; ``upload_bytes`` is what waits in the staging area, or what
    the upload has reserved of the project's quota; ``upload_offset`` is how many bytes of an upload in pieces are safe, and null for
    every other upload. ``import_task_id`` names the task that may change the image's bytes now.
    """

    member_id: str | None = None
    latest_task: "ImageTask | None" = None

    id = models.CharField(primary_key=True, max_length=36, default=new_uuid)
    name = models.CharField(max_length=255, null=True, blank=True)
    owner = models.CharField(max_length=64, null=True, blank=True)
    visibility = models.CharField(max_length=16, default=Visibility.SHARED)
    status = models.CharField(max_length=16, default=ImageStatus.QUEUED)
    container_format = models.CharField(max_length=20, null=True, blank=True)
    disk_format = models.CharField(max_length=20, null=True, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    virtual_size = models.BigIntegerField(null=True, blank=True)
    checksum = models.CharField(max_length=32, null=True, blank=True)
    os_hash_algo = models.CharField(max_length=64, null=True, blank=True)
    os_hash_value = models.CharField(max_length=128, null=True, blank=True)
    min_disk = models.PositiveIntegerField(default=0)
    min_ram = models.PositiveIntegerField(default=0)
    protected = models.BooleanField(default=False)
    os_hidden = models.BooleanField(default=False)
    upload_store = models.CharField(max_length=255, null=True, blank=True)
    upload_id = models.CharField(max_length=36, null=True, blank=True)
    upload_seen_at = models.DateTimeField(null=True, blank=True)
    upload_bytes = models.BigIntegerField(default=0)
    upload_offset = models.BigIntegerField(null=True, blank=True)
    import_task_id = models.CharField(max_length=36, null=True, blank=True)
    importing_to_stores = models.TextField(null=True, blank=True)
    failed_import = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="image_list"),
            models.Index(fields=["updated_at"], name="image_updated_list"),
            *(models.Index(fields=[name, "-created_at", "-id"], name=f"image_{name}_list") for name in LISTED_BY),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(ImageStatus)), name="image_status_known"),
            models.CheckConstraint(condition=Q(visibility__in=list(Visibility)), name="image_visibility_known"),
            models.CheckConstraint(
                condition=~Q(status__in=[ImageStatus.ACTIVE, ImageStatus.DEACTIVATED]) | Q(size__isnull=False),
                name="image_active_has_content",
            ),
            models.CheckConstraint(
                condition=~Q(status=ImageStatus.DELETED) | Q(protected=False), name="image_protected_stays"
            ),
            models.CheckConstraint(condition=Q(upload_bytes__gte=0) & ~Q(size__lt=0), name="image_bytes_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name or self.id

    @property
    def project_id(self) -> str | None:
        """The project that owns the image."""
        return self.owner

    @property
    def has_data(self) -> bool:
        """Whether all bytes are in the store."""
        return self.status in STORED

    @property
    def boots(self) -> bool:
        """Whether a server can be made of it: it has its bytes, and they are a disk, no archive and no mere kernel or ramdisk."""
        return self.status == ImageStatus.ACTIVE and self.container_format in BOOTABLE_CONTAINERS

    @property
    def least_disk_gb(self) -> int:
        """The smallest disk of a server that is made of it: what its people said, or what its content needs, if that is more."""
        content = (self.virtual_size or 0) if self.container_format in BOOTABLE_CONTAINERS else 0
        return max(self.min_disk, -(-content // (1 << 30)))

    @cached_property
    def custom(self) -> dict[str, str]:
        """The image's own properties, such as ``kernel_id`` or ``os_distro``."""
        if hasattr(self, "gathered_properties"):
            return dict(msgspec.json.decode(self.gathered_properties or "{}"))
        return {row.name: row.value for row in self.properties.all()}

    @cached_property
    def tag_names(self) -> list[str]:
        """The image's tags in order."""
        if hasattr(self, "gathered_tags"):
            return sorted(msgspec.json.decode(self.gathered_tags or "[]"))
        return sorted(row.name for row in self.tags.all())

    @cached_property
    def store_names(self) -> set[str]:
        """The stores that hold a copy."""
        if hasattr(self, "gathered_stores"):
            return set(msgspec.json.decode(self.gathered_stores or "[]"))
        return {row.store for row in self.locations.all() if not row.doomed}

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about; ``member_id`` is the asking project when the image is shared with it."""
        return {
            "image_id": self.pk,
            "project_id": self.owner,
            "owner": self.owner,
            "tenant": self.owner,
            "visibility": self.visibility,
            "status": self.status,
            "member_id": self.member_id,
        }
