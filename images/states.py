"""States of an image and the words of the Image API: plain data, no Django."""

from enum import StrEnum


class ImageStatus(StrEnum):
    """Where an image stands between its record and its bytes."""

    QUEUED = "queued"
    SAVING = "saving"
    UPLOADING = "uploading"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"


STORED = frozenset({ImageStatus.ACTIVE, ImageStatus.DEACTIVATED})


class TaskStatus(StrEnum):
    """How far a piece of background work is."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILURE = "failure"


class TaskType(StrEnum):
    """What a piece of background work does: the older import, which makes its image too, the import, and noting a location."""

    IMPORT = "import"
    API_IMAGE_IMPORT = "api_image_import"
    LOCATION_IMPORT = "location_import"


class Visibility(StrEnum):
    """Who besides the owner may see an image."""

    PRIVATE = "private"
    SHARED = "shared"
    COMMUNITY = "community"
    PUBLIC = "public"


class NamespaceVisibility(StrEnum):
    """Who besides the owner may see a namespace of metadata definitions."""

    PUBLIC = "public"
    PRIVATE = "private"


class MemberStatus(StrEnum):
    """What a project answered to an image that was shared with it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop", "gpt")
ARCHIVES = frozenset({"ova", "docker", "compressed"})
BOOTABLE_CONTAINERS = frozenset({"bare", "ami", "ovf"})
AMAZON_FORMATS = frozenset({"ami", "ari", "aki"})
