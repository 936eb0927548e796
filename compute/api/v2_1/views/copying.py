"""The actions that copy or exchange disks: images, backups, rebuild, rescue, shelve."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from rest_framework.response import Response

from compute.api.v2_1 import versions
from compute.api.v2_1.base import PREFIX, Addresses
from compute.api.v2_1.serializers import copying as bodies
from compute.api.v2_1.serializers.base import read
from compute.api.v2_1.views.servers import presenter_of
from compute.models import Server
from compute.services import rebuilding, rescuing, shelving, snapshots
from compute.virt import admin_password
from portal.core.context import RequestContext
from portal.core.versions import Version


def _create_image(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.CreateImage, body, version)
    return _copied(snapshots.create_image(ctx=ctx, server=server, **wish), version)


def _create_backup(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.CreateBackup, body, version)
    image_id = snapshots.create_backup(ctx=ctx, server=server, **wish)
    if version < versions.IMAGE_IN_BODY and not wish["rotation"]:
        return Response(status=202)  # the backup goes with all others: there is nothing to look for
    return _copied(image_id, version)


def _copied(image_id: str, version: Version) -> Response:
    """Say where the image is: in the body from 2.45 on, before that in a header."""
    if version >= versions.IMAGE_IN_BODY:
        return Response({"image_id": image_id}, status=202)
    return Response(status=202, headers={"Location": f"{settings.PUBLIC_URL}/image/v2/images/{image_id}"})


def _rebuild(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.Rebuild, body, version)
    admin_pass = wish.get("adminPass") or admin_password.new()
    server = rebuilding.rebuild(
        ctx=ctx,
        server=server,
        image_id=wish["imageRef"],
        preserve_ephemeral=wish.get("preserve_ephemeral", False),
        admin_pass=admin_pass,
        changes=bodies.changes(wish),
    )
    addresses = Addresses(f"{settings.PUBLIC_URL}{PREFIX}")
    shown = presenter_of(ctx, version, addresses, [server]).updated(server)
    shown["adminPass"] = admin_pass
    if version >= versions.REBUILD_KEY:
        shown["key_name"] = server.key_name
    if version >= versions.NO_PERSONALITY:
        shown.pop("OS-EXT-SRV-ATTR:user_data", None)  # a rebuild tells it by another name
        shown["user_data"] = server.user_data
    if version >= versions.HOSTNAME:
        shown["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    location = {"Location": addresses.of(f"servers/{server.pk}")}
    return Response({"server": shown}, status=202, headers=location)


def _rescue(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    wish = read(bodies.Rescue, {} if body is None else body, version)
    admin_pass = wish.get("adminPass") or admin_password.new()
    rescuing.rescue(ctx=ctx, server=server, image_id=wish.get("rescue_image_ref"), admin_pass=admin_pass)
    return Response({"adminPass": admin_pass})


def _unrescue(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    rescuing.unrescue(ctx=ctx, server=server)
    return Response(status=202)


def _shelve(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    shelving.shelve(ctx=ctx, server=server)
    return Response(status=202)


def _offload(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    shelving.offload(ctx=ctx, server=server)
    return Response(status=202)


def _unshelve(ctx: RequestContext, server: Server, body: Any, version: Version) -> Response:
    if body is None or version < versions.UNSHELVE_TO_ZONE:
        shelving.unshelve(ctx=ctx, server=server)
        return Response(status=202)
    wish = read(bodies.Unshelve, body, version)
    unpin = "availability_zone" in wish and wish["availability_zone"] is None
    shelving.unshelve(ctx=ctx, server=server, zone=wish.get("availability_zone"), unpin=unpin, host=wish.get("host"))
    return Response(status=202)


ACTIONS: dict[str, Callable[[RequestContext, Server, Any, Version], Response]] = {
    "createImage": _create_image,
    "createBackup": _create_backup,
    "rebuild": _rebuild,
    "rescue": _rescue,
    "unrescue": _unrescue,
    "shelve": _shelve,
    "shelveOffload": _offload,
    "unshelve": _unshelve,
}
