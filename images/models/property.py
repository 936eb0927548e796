"""Properties: free name and value pairs of an image."""

from django.db import models

from images.models.image import Image


class ImageProperty(models.Model):
    """One of an image's own properties."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="properties")
    name = models.CharField(max_length=255)
    value = models.TextField(blank=True)

    class Meta:
        verbose_name = "image property"
        verbose_name_plural = "image properties"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["image", "name"], name="image_property_once")]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"
