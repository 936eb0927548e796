"""What a launch asks for, checked: image, flavor, key, user data, metadata. Sentences follow the compute API."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from compute import policies
from compute.models import Flavor, Keypair, Server
from compute.selectors import get_flavor
from compute.virt import hardware
from compute.virt.hardware import Hardware
from images.models import Image
from images.selectors import get_image
from images.states import ARCHIVES, ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, NotFound
from portal.core.policy import authorize

USER_DATA_MAX = 65535
WORD_MAX = 255
HOSTNAME_MAX = 63
GIB = 1 << 30


@dataclass(frozen=True)
class Wish:
    """A launch whose parts were found and fit each other."""

    image: Image
    flavor: Flavor
    keypair: Keypair | None
    user_data: str | None
    metadata: dict[str, str]


def check(
    ctx: RequestContext,
    *,
    flavor_id: str,
    image_id: str,
    key_name: str | None,
    user_data: str | None,
    metadata: dict[str, str] | None,
) -> Wish:
    """Return the launch with all it names; raises BadRequest, QuotaExceeded or Forbidden with a sentence."""
    flavor, image = _flavor(ctx, flavor_id), usable_image(ctx, image_id)
    require_room(ctx, flavor, image)
    require_hardware(flavor.vcpus, flavor.extra_specs, image.custom)
    return Wish(
        image=image,
        flavor=flavor,
        keypair=keypair_of(ctx, key_name),
        user_data=checked_user_data(user_data),
        metadata=checked_metadata(metadata),
    )


def hostname_of(name: str, server_id: str) -> str:
    """Return a host name made from a display name: letters, digits and hyphens; ``Server-<id>`` when nothing is left."""
    text = re.sub(r"[\s_.]+", "-", name)
    text = re.sub(r"[^A-Za-z0-9-]+", "", text).lower()[:HOSTNAME_MAX].strip("-")
    return text or f"Server-{server_id}"


def _flavor(ctx: RequestContext, flavor_id: str) -> Flavor:
    try:
        return get_flavor(ctx, flavor_id)
    except NotFound as error:
        raise BadRequest(error.message) from error


def usable_image(ctx: RequestContext, image_id: str) -> Image:
    """Return an image from which a server can start; raises BadRequest."""
    try:
        image = get_image(ctx, image_id)
    except NotFound as error:
        raise BadRequest(_("Can not find requested image")) from error
    if image.status != ImageStatus.ACTIVE:
        raise BadRequest(_("Image %(id)s is not active.") % {"id": image_id})
    if image.container_format in ARCHIVES:
        sentence = _("Image %(id)s is an archive (%(format)s); a server needs the disk inside.")
        raise BadRequest(sentence % {"id": image_id, "format": image.container_format})
    for part in ("kernel_id", "ramdisk_id"):
        part_id = image.custom.get(part)
        if part_id:
            _require_part(ctx, image_id, part_id)
    return image


def _require_part(ctx: RequestContext, image_id: str, part_id: str) -> None:
    try:
        part = get_image(ctx, part_id)
    except CloudError as error:
        sentence = _("Image %(part)s, which image %(id)s needs to boot, could not be found.")
        raise BadRequest(sentence % {"part": part_id, "id": image_id}) from error
    if part.status != ImageStatus.ACTIVE:
        raise BadRequest(_("Image %(id)s is not active.") % {"id": part_id})


def require_room(ctx: RequestContext, flavor: Flavor | Server, image: Image) -> None:
    """Refuse an image that is too large for what a flavor gives, or a server was given."""
    if flavor.ram_mb < image.min_ram:
        raise BadRequest(_("Flavor's memory is too small for requested image."))
    if flavor.root_gb == 0:
        authorize(ctx, policies.CREATE_ZERO_DISK)
        return
    room, needs = flavor.root_gb * GIB, max(image.virtual_size or 0, image.size or 0)
    if needs > room:
        sentence = _(
            "Flavor's disk is too small for requested image. Flavor disk is %(room)s bytes, image is %(needs)s bytes."
        )
        raise BadRequest(sentence % {"room": room, "needs": needs})
    if flavor.root_gb < image.min_disk:
        sentence = _(
            "Flavor's disk is smaller than the minimum size specified in image metadata. "
            "Flavor disk is %(room)s bytes, minimum size is %(least)s bytes."
        )
        raise BadRequest(sentence % {"room": room, "least": image.min_disk * GIB})


def require_hardware(vcpus: int, extra_specs: dict[str, str], properties: dict[str, str]) -> Hardware:
    """Return the hardware that a flavor and an image's properties make; raises BadRequest for what no host can build."""
    try:
        return hardware.resolve(vcpus, extra_specs, properties)
    except hardware.Refused as error:
        raise BadRequest(str(error)) from error


def keypair_of(ctx: RequestContext, key_name: str | None) -> Keypair | None:
    """Return the caller's keypair of this name; raises BadRequest."""
    if not key_name:
        return None
    keypair = Keypair.objects.filter(user_id=ctx.user_id, name=key_name).first()
    if keypair is None:
        raise BadRequest(_("Invalid key_name provided."))
    return keypair


def checked_user_data(user_data: str | None) -> str | None:
    """Return user data that a server can carry; raises BadRequest."""
    if not user_data:
        return None
    if len(user_data) > USER_DATA_MAX:
        sentence = _(
            "User data too large. User data must be no larger than %(most)s bytes once base64 encoded. "
            "Your data is %(size)s bytes"
        )
        raise BadRequest(sentence % {"most": USER_DATA_MAX, "size": len(user_data)})
    try:
        base64.b64decode("".join(user_data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(_("User data needs to be valid base 64.")) from error
    return user_data


def checked_metadata(metadata: dict[str, Any] | None) -> dict[str, str]:
    """Return metadata whose keys and values a server can carry; raises BadRequest."""
    found = metadata or {}
    for key, value in found.items():
        if not isinstance(value, str):
            raise BadRequest(_("Metadata property value for %(key)s is not a string.") % {"key": key})
        if not key or len(key) > WORD_MAX or len(value) > WORD_MAX:
            raise BadRequest(_("Metadata keys and values have 1 to %(most)s characters.") % {"most": WORD_MAX})
    return dict(found)
