"""Block devices of a new server (compute API reference, "Create Server", ``block_device_mapping_v2``).

There are no volumes here: a server has its image on a local disk, and the local disks that its flavor names.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework import serializers

from compute.api.v2_1.serializers.base import StrictBoolean, VersionedSerializer, WholeNumber
from compute.api.v2_1.serializers.server_fields import Tag
from portal.core.api.serializers import StrictString, UuidString
from portal.core.errors import BadRequest
from portal.core.versions import Version

_INVALID = "Block Device Mapping is Invalid"
_BOOT_ORDER = f"{_INVALID}: Boot sequence for the instance and image/block device mapping combination is not valid."


class BootIndex(WholeNumber):
    """A number, a string of digits, or null."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, required=False, **options)


class BlockDevice(VersionedSerializer):
    """One device as it is asked for."""

    uuid = UuidString(required=False)
    image_id = UuidString(required=False)
    volume_id = UuidString(required=False, allow_null=True)
    snapshot_id = UuidString(required=False, allow_null=True)
    source_type = serializers.ChoiceField(["image", "blank", "volume", "snapshot"], required=False)
    destination_type = serializers.ChoiceField(["local", "volume"], required=False)
    boot_index = BootIndex()
    volume_size = WholeNumber(required=False, allow_null=True, min_value=1)
    guest_format = StrictString(required=False, allow_null=True, allow_blank=True, max_length=255)
    device_type = StrictString(required=False, allow_null=True, max_length=255)
    disk_bus = StrictString(required=False, allow_null=True, max_length=255)
    device_name = serializers.RegexField(r"^[a-zA-Z0-9._/-]+$", required=False, allow_null=True, max_length=255)
    delete_on_termination = StrictBoolean(required=False)
    no_device = serializers.JSONField(required=False)
    virtual_name = StrictString(required=False, max_length=255)
    connection_info = StrictString(required=False)
    volume_type = StrictString(required=False, max_length=255)
    tag = Tag(required=False)

    since: ClassVar[dict[str, Version]] = {"tag": Version(2, 32), "volume_type": Version(2, 67)}


def image_of(devices: Sequence[dict[str, Any]]) -> str | None:
    """Return the image from which the devices boot, None when none says it; raises BadRequest."""
    roots = [device for device in devices if device.get("source_type") == "image"]
    if len(roots) > 1 or any(_index(device) != 0 for device in roots):
        raise BadRequest(_BOOT_ORDER if len(roots) > 1 else f"{_INVALID}: Mapping image to local is not supported.")
    if any(_index(device) == 0 for device in devices if device not in roots):
        raise BadRequest(_BOOT_ORDER)
    if not roots:
        return None
    found = roots[0].get("uuid") or roots[0].get("image_id")
    if found is None:
        raise BadRequest(f"{_INVALID}: Missing image UUID.")
    return str(found)


def local_disks(devices: Sequence[dict[str, Any]]) -> dict[str, int | None]:
    """Return the sizes of the local disks that are asked for beside the root; raises BadRequest."""
    for device in devices:
        _require_local(device)
    blank = [device for device in devices if device["source_type"] == "blank"]
    swaps = [device for device in blank if device.get("guest_format") == "swap"]
    others = [device for device in blank if device.get("guest_format") != "swap"]
    if len(swaps) > 1:
        raise BadRequest(f"{_INVALID}: More than one swap drive requested.")
    if len(others) > 1:
        raise BadRequest(f"{_INVALID}: You specified more local devices than the limit allows")
    return {
        "ephemeral_gb": others[0].get("volume_size") if others else None,
        "swap_mb": swaps[0].get("volume_size") if swaps else None,
    }


def _require_local(device: dict[str, Any]) -> None:
    source, target = device.get("source_type"), device.get("destination_type")
    if source is None:
        raise BadRequest(f"{_INVALID}: Unrecognized legacy format.")
    if target == "volume" or source in ("volume", "snapshot") or device.get("volume_id") or device.get("snapshot_id"):
        raise BadRequest(f"{_INVALID}: this cloud has no volumes.")
    if source == "blank" and (device.get("uuid") or device.get("image_id")):
        raise BadRequest(f"{_INVALID}: Only a source_type of volume, snapshot or image has a UUID.")


def _index(device: dict[str, Any]) -> int | None:
    """Return a device's place in the order of booting; an image that says none comes first."""
    value = device.get("boot_index", 0 if device.get("source_type") == "image" else None)
    return None if value is None or value < 0 else int(value)
