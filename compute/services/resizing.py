"""Giving servers another size: asked for, then confirmed or reverted. Sentences follow the compute API."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from compute import policies
from compute.models import Flavor, Server
from compute.selectors import get_flavor
from compute.services import commands, launch, migrations, operations, quotas
from compute.services.findings import Finding, slices
from compute.states import Action
from images.selectors import present_image
from portal.core import log
from portal.core.context import RequestContext, new_request_id
from portal.core.errors import BadRequest, CloudError, NotFound
from portal.core.policy import authorize

NO_HOST = gettext_noop("No valid host was found. No valid host found for resize")


@transaction.atomic
def resize(*, ctx: RequestContext, server: Server, flavor_id: str, auto_disk_config: bool | None = None) -> None:
    """Give a server the size of another flavor, on its own host; until it is confirmed, both sizes are claimed.

    Raises BadRequest for a size that it cannot have, QuotaExceeded, and what every operation raises.
    """
    authorize(ctx, policies.RESIZE, server)
    operations.refuse_locked(ctx, server)
    flavor = _flavor(ctx, server, flavor_id)
    figures = migrations.figures_of(flavor)
    operations.take(ctx, server, Action.RESIZE, flavor=figures)
    _require_disks(ctx, server, flavor)
    _require_hardware(server, flavor)
    migrations.abandon(server)
    quotas.admit_growth(server, flavor)
    if not migrations.begin(ctx, server, figures):
        raise BadRequest(_(NO_HOST))
    if auto_disk_config is not None:
        Server.objects.filter(pk=server.pk).update(auto_disk_config=auto_disk_config)
    commands.send(server)


@transaction.atomic
def confirm(*, ctx: RequestContext, server: Server) -> None:
    """Keep the new size: the way back and its claim are given up."""
    operations.begin(ctx, server, Action.CONFIRM_RESIZE, policies.CONFIRM_RESIZE)
    migrations.show(server, "confirming")


@transaction.atomic
def revert(*, ctx: RequestContext, server: Server) -> None:
    """Go back to the size and the disk that the server had before; raises QuotaExceeded when that was larger and does not fit any more."""
    operations.begin(ctx, server, Action.REVERT_RESIZE, policies.REVERT_RESIZE)
    before = migrations.size_before(server)
    if before is not None:
        quotas.admit_growth(server, before)
    migrations.show(server, "reverting")


def due() -> Iterator[Finding]:
    """Yield the resizes that wait longer for somebody to confirm them than the operator lets them wait."""
    if not settings.RESIZE_CONFIRM_WINDOW_S:
        return
    before = timezone.now() - timedelta(seconds=settings.RESIZE_CONFIRM_WINDOW_S)
    for server in slices(migrations.due_for_confirmation(before)):
        what = f"the resize of instance {server.pk} waits for its confirmation for too long"
        yield Finding(what, "it is confirmed", partial(_confirm_for, server))


def call_back(server: Server, action: Action) -> None:
    """Have a host undo a resize of which nothing was heard, should it have begun or begin it later."""
    if action == Action.RESIZE and server.host is not None:
        with transaction.atomic():
            migrations.tell_host(server, Action.REVERT_RESIZE)


def _confirm_for(server: Server) -> None:
    ctx = RequestContext.for_conductor(new_request_id())
    with log.bound(ctx.request_id, server.pk), suppress(CloudError):  # somebody was first
        confirm(ctx=ctx, server=server)


def _flavor(ctx: RequestContext, server: Server, flavor_id: str) -> Flavor:
    try:
        flavor = get_flavor(ctx, flavor_id)
    except NotFound as error:
        raise BadRequest(error.message) from error
    if flavor.flavor_id == server.flavor_id:
        raise BadRequest(_("When resizing, instances must change flavor!"))
    return flavor


def _require_disks(ctx: RequestContext, server: Server, flavor: Flavor) -> None:
    if flavor.root_gb == 0 and server.root_gb != 0:
        raise BadRequest(_("Server disk was unable to be resized because: Resize to zero disk flavor is not allowed."))
    if flavor.root_gb < server.root_gb or flavor.ephemeral_gb < server.ephemeral_gb:
        raise BadRequest(_("Server disk was unable to be resized because: A disk cannot become smaller."))
    image = present_image(server.image_id or "")
    if image is not None:
        launch.require_room(ctx, flavor, image)


def _require_hardware(server: Server, flavor: Flavor) -> None:
    """Refuse what no host can build, or can build only for a new guest."""
    before = launch.require_hardware(server.vcpus, server.extra_specs, server.image_properties)
    after = launch.require_hardware(flavor.vcpus, flavor.extra_specs, server.image_properties)
    if before.secure_boot != after.secure_boot:
        raise BadRequest(_("Secure boot cannot be switched by a resize: the server keeps its firmware."))
