"""Images as the compute API shows them to older clients (compute API reference, "Images (DEPRECATED)")."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from compute.api.v2_1.base import Addresses
from compute.api.v2_1.presenters.servers import second
from images.models import Image
from images.states import ImageStatus

_STATUS = {
    ImageStatus.ACTIVE: "ACTIVE",
    ImageStatus.QUEUED: "SAVING",
    ImageStatus.SAVING: "SAVING",
    ImageStatus.DELETED: "DELETED",
}
_PROGRESS = {ImageStatus.QUEUED: 25, ImageStatus.SAVING: 50, ImageStatus.ACTIVE: 100}
_YES = frozenset({"1", "t", "true", "on", "y", "yes"})


def brief(addresses: Addresses, image: Image) -> dict[str, Any]:
    """Return the image as the short list shows it."""
    elsewhere = {
        "rel": "alternate",
        "type": "application/vnd.openstack.image",
        "href": f"{settings.PUBLIC_URL}/image/images/{image.pk}",
    }
    return {"id": image.pk, "name": image.name, "links": [*addresses.links(f"images/{image.pk}"), elsewhere]}


def detail(addresses: Addresses, image: Image, properties: Mapping[str, str]) -> dict[str, Any]:
    """Return the whole document, with those of its properties that the caller may see."""
    body = {
        **brief(addresses, image),
        "minRam": image.min_ram,
        "minDisk": image.min_disk,
        "metadata": dict(properties),
        "created": second(image.created_at),
        "updated": second(image.updated_at),
        "status": _STATUS.get(ImageStatus(image.status), "UNKNOWN"),
        "progress": _PROGRESS.get(ImageStatus(image.status), 0),
        "OS-EXT-IMG-SIZE:size": image.size,
    }
    server_id = properties.get("instance_uuid")
    if server_id is not None:
        body["server"] = {"id": server_id, "links": addresses.links(f"servers/{server_id}")}
    if "auto_disk_config" in properties:
        body["OS-DCF:diskConfig"] = "AUTO" if properties["auto_disk_config"].lower() in _YES else "MANUAL"
    return body
