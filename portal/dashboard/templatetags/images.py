"""Filters that put an image into words."""

from django import template
from django.utils.functional import Promise

from images.models import Image
from portal.dashboard.images.words import VISIBILITY_SHORT, status_of
from portal.dashboard.kit.words import Status, disk, ram

register = template.Library()


@register.filter
def image_status(image: Image) -> Status:
    return status_of(image)


@register.filter
def visibility(image: Image) -> str | Promise:
    return VISIBILITY_SHORT.get(image.visibility, image.visibility)


@register.filter
def needs(image: Image) -> str:
    """The least disk and memory, or a dash."""
    parts = [disk(image.least_disk_gb) if image.least_disk_gb else "", ram(image.min_ram) if image.min_ram else ""]
    return " · ".join(part for part in parts if part) or "–"
