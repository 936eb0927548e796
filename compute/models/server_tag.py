"""Words that people put on servers, to find them again."""

from django.db import models

from compute.models.server import Server

MOST_TAGS = 50
LONGEST_TAG = 60


class ServerTag(models.Model):
    """One word on one server."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=LONGEST_TAG)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["server", "tag"], name="server_tag_once")]
        indexes = [models.Index(fields=["tag"], name="server_tag_word")]

    def __str__(self) -> str:
        return self.tag
