"""Members: the projects an image is shared with, and what each answered."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from images.models.image import Image
from images.states import MemberStatus


class ImageMember(models.Model):
    """A project that an image was shared with; it shows in that project's lists once accepted."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="members")
    member = models.CharField(max_length=64)
    status = models.CharField(max_length=16, default=MemberStatus.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "image member"
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["member", "status", "image"], name="image_member_found")]
        constraints = [
            models.UniqueConstraint(fields=["image", "member"], name="image_member_once"),
            models.CheckConstraint(condition=Q(status__in=list(MemberStatus)), name="image_member_status_known"),
        ]

    def __str__(self) -> str:
        return f"{self.member} ({self.status})"

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about: the image's owner and the project it is shared with."""
        return {**self.image.policy_target(), "member_id": self.member}
