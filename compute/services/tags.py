"""Tags: words on a server. Each change is one transaction that holds the server's row."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from compute import notify, policies
from compute.models import Server, ServerTag
from compute.models.server_tag import MOST_TAGS
from compute.selectors import tags_of
from compute.services import operations
from compute.states import VmState
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.core.policy import Rule, authorize

_CANNOT = frozenset({VmState.BUILDING, VmState.ERROR, VmState.DELETED})


@transaction.atomic
def add(*, ctx: RequestContext, server: Server, tag: str) -> bool:
    """Put a tag on a server; False when it was there already."""
    present = _hold(ctx, server, policies.TAGS_UPDATE, "update tag")
    if tag in present:
        return False
    if len(present) >= MOST_TAGS:
        raise BadRequest(f"The number of tags exceeded the per-server limit {MOST_TAGS}")
    ServerTag.objects.create(server=server, tag=tag)
    _changed(server)
    return True


@transaction.atomic
def replace(*, ctx: RequestContext, server: Server, tags: Sequence[str]) -> list[str]:
    """Return the tags that a server has now, which are these and no others."""
    _hold(ctx, server, policies.TAGS_UPDATE_ALL, "update tags")
    server.tags.all().delete()
    found = list(dict.fromkeys(tags))
    ServerTag.objects.bulk_create(ServerTag(server=server, tag=tag) for tag in found)
    _changed(server)
    return found


@transaction.atomic
def remove(*, ctx: RequestContext, server: Server, tag: str) -> None:
    """Take a tag from a server; raises NotFound."""
    if tag not in _hold(ctx, server, policies.TAGS_DELETE, "delete tag"):
        raise NotFound("Tag", tag, f"Instance {server.pk} has no tag '{tag}'")
    server.tags.filter(tag=tag).delete()
    _changed(server)


@transaction.atomic
def clear(*, ctx: RequestContext, server: Server) -> None:
    """Take all tags from a server."""
    _hold(ctx, server, policies.TAGS_DELETE_ALL, "delete tags")
    server.tags.all().delete()
    _changed(server)


def _hold(ctx: RequestContext, server: Server, rule: Rule, word: str) -> list[str]:
    """Return the server's tags, which nobody else changes until the present transaction ends."""
    authorize(ctx, rule, server)
    row = Server.objects.present().select_for_update().filter(pk=server.pk).first()
    if row is None:
        raise NotFound("Instance", server.pk)
    if row.vm_state in _CANNOT:
        raise operations.cannot(row, word, "vm_state")
    return tags_of([row.pk]).get(row.pk, [])


def _changed(server: Server) -> None:
    Server.objects.filter(pk=server.pk).update(updated_at=timezone.now())
    notify.server_changed(server)
