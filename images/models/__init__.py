"""The tables of images, one file each."""

from images.models.image import Image
from images.models.location import ImageLocation
from images.models.member import ImageMember
from images.models.metadefs import (
    MetadefAssociation,
    MetadefNamespace,
    MetadefObject,
    MetadefProperty,
    MetadefResourceType,
    MetadefSeed,
    MetadefTag,
)
from images.models.property import ImageProperty
from images.models.tag import ImageTag
from images.models.task import ImageTask

__all__ = [
    "Image",
    "ImageLocation",
    "ImageMember",
    "ImageProperty",
    "ImageTag",
    "ImageTask",
    "MetadefAssociation",
    "MetadefNamespace",
    "MetadefObject",
    "MetadefProperty",
    "MetadefResourceType",
    "MetadefSeed",
    "MetadefTag",
]
