"""The tables of images, one file each."""

from images.models.image import Image
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

__all__ = [
    "Image",
    "ImageMember",
    "ImageProperty",
    "ImageTag",
    "MetadefAssociation",
    "MetadefNamespace",
    "MetadefObject",
    "MetadefProperty",
    "MetadefResourceType",
    "MetadefSeed",
    "MetadefTag",
]
