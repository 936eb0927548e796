"""Images of servers: one that a user asks for, backups of which the newest are kept, and the one in which a server is shelved.

The image is registered at once, by the rights and within the quota of whoever asks; the host of the server sends its bytes later.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Server
from compute.models.host import new_uuid
from compute.services import commands, operations
from compute.states import Action
from images.models import Image
from images.services import registry
from images.services.attributes import BASE
from images.states import Visibility
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize

# What is said of the bytes of one image is not true of another's.
_NOT_INHERITED = frozenset(
    {
        "backup_type", "cache_in_nova", "bittorrent", "cinder_encryption_key_id", "cinder_encryption_key_deletion_policy",
        "img_signature", "img_signature_hash_method", "img_signature_key_type", "img_signature_certificate_uuid",
    }
)  # fmt: skip


@transaction.atomic
def create_image(*, ctx: RequestContext, server: Server, name: str, metadata: Mapping[str, str] | None = None) -> str:
    """Return the id of an image into which the server's disk is copied; a server that runs goes on running."""
    authorize(ctx, policies.CREATE_IMAGE, server)
    return copy(ctx, server, Action.CREATE_IMAGE, name, {"image_type": "snapshot", **_own(metadata)})


@transaction.atomic
def create_backup(
    *,
    ctx: RequestContext,
    server: Server,
    name: str,
    backup_type: str,
    rotation: int,
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Return the id of a new backup; when it is there, the newest ``rotation`` of its type stay and the others are deleted."""
    authorize(ctx, policies.CREATE_BACKUP, server)
    properties = {**_own(metadata), "image_type": "backup", "backup_type": backup_type}
    return copy(ctx, server, Action.CREATE_BACKUP, name, properties, backup_type=backup_type, rotation=rotation)


def copy(ctx: RequestContext, server: Server, action: Action, name: str, properties: Mapping[str, str], **details: Any) -> str:
    """Take the server for an action that copies its disk, register the image, send the command; in the caller's transaction."""
    image_id = new_uuid()
    operations.take(ctx, server, action, image_id=image_id, **details)
    if action == Action.SHELVE:  # it is the server's own disk, whoever asked
        ctx = replace(ctx, project_id=server.project_id)
    registry.create(ctx=ctx, wanted={**_inherited(server), **properties, **_standard(ctx, server, name), "id": image_id})
    commands.send(server)
    return image_id


def is_copy(image: Image) -> bool:
    """Whether an image was made of a server."""
    return "instance_uuid" in image.custom


def _inherited(server: Server) -> dict[str, str]:
    """Return what the server's own image said of itself, even if it was deleted since."""
    base = Image.objects.filter(pk=server.image_id).first()
    custom = {} if base is None else base.custom
    return {name: value for name, value in custom.items() if name not in _NOT_INHERITED and not name.startswith("os_glance_")}


def _standard(ctx: RequestContext, server: Server, name: str) -> dict[str, Any]:
    base = Image.objects.filter(pk=server.image_id).first()
    return {
        "name": name,
        "owner": ctx.project_id or server.project_id,
        "visibility": Visibility.PRIVATE,
        "disk_format": "qcow2",
        "container_format": "bare",
        "min_disk": max(server.root_gb, base.min_disk if base else 0),
        "min_ram": base.min_ram if base else 0,
        "base_image_ref": server.image_id or "",
        "instance_uuid": server.pk,
        "user_id": ctx.user_id or "",
        "owner_id": ctx.project_id or server.project_id,
        "image_location": "snapshot",
        "image_state": "available",
    }


def _own(metadata: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return metadata that may stand beside what every image has; raises BadRequest."""
    taken = sorted(BASE & set(metadata or {}))
    if taken:
        sentence = _("Images have an attribute of their own named %(name)s: it cannot be metadata.")
        raise BadRequest(sentence % {"name": taken[0]})
    return metadata or {}
