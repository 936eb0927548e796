"""Rebuilding a server: another disk under the same name and addresses."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Server
from compute.services import commands, launch, migrations, operations, quotas, rebuilt
from compute.services.birth import properties_of, sealed_password
from compute.states import Action, VmState
from portal.core.context import RequestContext
from portal.core.errors import BadRequest
from portal.core.policy import authorize

PLAIN = frozenset({"name", "description", "hostname", "access_ip_v4", "access_ip_v6", "auto_disk_config"})


@transaction.atomic
def rebuild(
    *,
    ctx: RequestContext,
    server: Server,
    image_id: str,
    preserve_ephemeral: bool = False,
    admin_pass: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Server:
    """Return the server whose disk is being replaced by an image's; all that was on it is lost. One that was off is off afterwards.

    The guest finds ``admin_pass`` on its config drive. ``changes`` may name what else is to differ: the fields of ``PLAIN``, ``metadata``,
    ``key_name``, ``user_data`` and ``injected_files``.
    """
    authorize(ctx, policies.REBUILD, server)
    operations.refuse_locked(ctx, server)
    start = server.vm_state != VmState.STOPPED
    details = {"start": start, "preserve_ephemeral": preserve_ephemeral, **sealed_password(admin_pass)}
    operations.take(ctx, server, Action.REBUILD, **details)
    migrations.abandon(server)  # it may be in ERROR since nothing was heard of a revert
    image = launch.usable_image(ctx, image_id)
    launch.require_room(ctx, server, image)
    launch.require_hardware(server.vcpus, server.extra_specs, image.custom)
    columns = {**_columns(ctx, server, changes or {}), "image_id": image.pk, "image_properties": properties_of(image.custom)}
    columns["rebuild"] = rebuilt.begun(server, ctx.request_id)
    for name, value in columns.items():
        setattr(server, name, value)
    server.save(update_fields=list(columns))
    commands.send(server)
    return server


def _columns(ctx: RequestContext, server: Server, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked values of the columns that change; raises BadRequest or QuotaExceeded."""
    found = {name: value for name, value in changes.items() if name in PLAIN}
    if "name" in found and not str(found["name"]).strip():
        raise BadRequest(_("A name has 1 to %(most)s characters.") % {"most": 255})
    if "metadata" in changes:
        found["metadata"] = launch.checked_metadata(changes["metadata"])
        quotas.admit_metadata(server.project_id, found["metadata"])
    if "user_data" in changes:
        found["user_data"] = launch.checked_user_data(changes["user_data"])
    if "injected_files" in changes:
        found["injected_files"] = [dict(file) for file in changes["injected_files"]]
        quotas.admit_files(server.project_id, found["injected_files"])
    if "key_name" in changes:
        keypair = launch.keypair_of(ctx, changes["key_name"])
        found |= {
            "key_name": keypair.name if keypair else None,
            "public_key": keypair.public_key if keypair else None,
        }
    return found
