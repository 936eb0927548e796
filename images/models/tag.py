"""Tags: words by which people find images."""

from django.db import models

from images.models.image import Image


class ImageTag(models.Model):
    """One word on one image."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=255)

    class Meta:
        verbose_name = "image tag"
        ordering = ["name"]
        indexes = [models.Index(fields=["name", "image"], name="image_tag_found")]
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="image_tag_once")]

    def __str__(self) -> str:
        return self.name
