"""Metadata definitions: what keys may mean on images, flavors and servers, gathered in namespaces."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from images.states import NamespaceVisibility

NAME = 80


class Dated(models.Model):
    """A row that knows when it was made and last changed."""

    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class MetadefNamespace(Dated):
    """A set of definitions under one name; all of it belongs to a project and is open to that project or to everybody."""

    namespace = models.CharField(max_length=NAME, unique=True)
    display_name = models.CharField(max_length=NAME, blank=True, default="")
    description = models.TextField(blank=True, default="")
    visibility = models.CharField(max_length=16, default=NamespaceVisibility.PRIVATE)
    protected = models.BooleanField(default=False)
    owner = models.CharField(max_length=255)

    class Meta:
        verbose_name = "metadata namespace"
        ordering = ["namespace"]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="metadef_owner_list"),
            models.Index(fields=["visibility", "-created_at", "-id"], name="metadef_open_list"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(namespace=""), name="metadef_namespace_named"),
            models.CheckConstraint(condition=~Q(owner=""), name="metadef_namespace_owned"),
            models.CheckConstraint(condition=Q(visibility__in=list(NamespaceVisibility)), name="metadef_visibility_known"),
        ]

    def __str__(self) -> str:
        return self.namespace

    def policy_target(self) -> dict[str, Any]:
        """Return what rules can speak about."""
        return {"project_id": self.owner, "owner": self.owner, "tenant": self.owner, "visibility": self.visibility}


class MetadefProperty(Dated):
    """One key: ``schema`` is its type, title, description and limits as a JSON schema."""

    namespace = models.ForeignKey(MetadefNamespace, on_delete=models.CASCADE, related_name="properties")
    name = models.CharField(max_length=NAME)
    schema = models.JSONField(default=dict)

    class Meta:
        verbose_name = "metadata definition property"
        verbose_name_plural = "metadata definition properties"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["namespace", "name"], name="metadef_property_once")]

    def __str__(self) -> str:
        return self.name


class MetadefObject(Dated):
    """Keys that belong together: ``properties`` maps each to its schema, ``required`` names those that must be there."""

    namespace = models.ForeignKey(MetadefNamespace, on_delete=models.CASCADE, related_name="object_definitions")
    name = models.CharField(max_length=NAME)
    description = models.TextField(blank=True, default="")
    required = models.JSONField(default=list)
    properties = models.JSONField(default=dict)

    class Meta:
        verbose_name = "metadata definition object"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["namespace", "name"], name="metadef_object_once")]

    def __str__(self) -> str:
        return self.name


class MetadefTag(Dated):
    """One word that may be put on things."""

    namespace = models.ForeignKey(MetadefNamespace, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=NAME)

    class Meta:
        verbose_name = "metadata definition tag"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["namespace", "name"], name="metadef_tag_once")]

    def __str__(self) -> str:
        return self.name


class MetadefResourceType(Dated):
    """A kind of thing that metadata can be put on, such as ``OS::Glance::Image``."""

    name = models.CharField(max_length=NAME, unique=True)

    class Meta:
        verbose_name = "metadata resource type"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class MetadefAssociation(Dated):
    """A namespace that is meant for a resource type; there its keys begin with ``prefix``."""

    namespace = models.ForeignKey(MetadefNamespace, on_delete=models.CASCADE, related_name="associations")
    resource_type = models.ForeignKey(MetadefResourceType, on_delete=models.PROTECT, related_name="associations")
    prefix = models.CharField(max_length=NAME, blank=True, default="")
    properties_target = models.CharField(max_length=NAME, blank=True, default="")

    class Meta:
        verbose_name = "metadata definition resource-type association"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["namespace", "resource_type"], name="metadef_association_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The resource type's name."""
        return self.resource_type.name


class MetadefSeed(models.Model):
    """That a namespace was seeded: digests of the file it came from and of the rows as they were written.

    A namespace whose rows differ, or that is gone, was changed or deleted by an operator and is left to him.
    """

    namespace = models.CharField(max_length=NAME, primary_key=True)
    source = models.CharField(max_length=64)
    written = models.CharField(max_length=64)

    class Meta:
        verbose_name = "seeded metadata namespace"

    def __str__(self) -> str:
        return self.namespace
