"""Properties: free name and value pairs of an image."""

from django.db import models
from django.db.models.functions import Substr

from images.models.image import Image

HEAD = 64


class ImageProperty(models.Model):
    """One of an image's own properties; ``head`` is as much of its value as an index can hold on every database."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="properties")
    name = models.CharField(max_length=255)
    value = models.TextField(blank=True)
    head = models.GeneratedField(
        expression=Substr("value", 1, HEAD), output_field=models.CharField(max_length=HEAD), db_persist=True
    )

    class Meta:
        verbose_name = "image property"
        verbose_name_plural = "image properties"
        ordering = ["name"]
        indexes = [models.Index(fields=["name", "head", "image"], name="image_property_found")]
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="image_property_once")]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"
