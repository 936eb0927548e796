"""Locations: where an image's bytes lie, one row for each copy."""

from django.db import models

from images.models.image import Image

MAX_ADDRESS = 512


class ImageLocation(models.Model):
    """One whole copy of an image's bytes.

    A store of ours finds its copy by the image's id; ``address`` is set where the bytes lie at an address that somebody gave, and are
    not ours to delete. With ``doomed`` nothing reads the copy any more, and it waits to be deleted from its store.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="locations")
    store = models.CharField(max_length=64)
    address = models.CharField(max_length=MAX_ADDRESS, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    doomed = models.BooleanField(default=False)

    class Meta:
        verbose_name = "image location"
        ordering = ["pk"]
        indexes = [models.Index(fields=["doomed"], name="image_location_doomed")]
        constraints = [models.UniqueConstraint(fields=["image", "store", "address"], name="image_location_once")]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.store}"
