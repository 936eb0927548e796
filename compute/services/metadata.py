"""What people write on a server: keys and values."""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from compute import notify, policies
from compute.models import Server
from compute.services import operations, quotas
from compute.states import VmState
from portal.core.context import RequestContext
from portal.core.errors import NotFound
from portal.core.policy import Rule, authorize

_ALLOWED = frozenset({VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED})
Items = dict[str, str]


def add(*, ctx: RequestContext, server: Server, items: Items) -> Items:
    """Write these items beside those that are there, and return all."""
    return _change(ctx, server, policies.METADATA_CREATE, lambda present: present | items)


def replace(*, ctx: RequestContext, server: Server, items: Items) -> Items:
    """Write these items instead of those that are there, and return them."""
    return _change(ctx, server, policies.METADATA_UPDATE_ALL, lambda _present: dict(items))


def set_item(*, ctx: RequestContext, server: Server, key: str, value: str) -> Items:
    """Write one item and return all."""
    return _change(ctx, server, policies.METADATA_UPDATE, lambda present: present | {key: value})


def delete_item(*, ctx: RequestContext, server: Server, key: str) -> Items:
    """Take one item away and return the rest; raises NotFound."""

    def without(present: Items) -> Items:
        if key not in present:
            raise NotFound("Metadata item", key, "Metadata item was not found")
        return {name: value for name, value in present.items() if name != key}

    return _change(ctx, server, policies.METADATA_DELETE, without)


@transaction.atomic
def _change(ctx: RequestContext, server: Server, rule: Rule, change: Callable[[Items], Items]) -> Items:
    """Change the items of the row as it stands now, so that two changes at once are both kept."""
    authorize(ctx, rule, server)
    operations.refuse_locked(ctx, server)
    row = Server.objects.present().select_for_update().filter(pk=server.pk).first()
    if row is None:
        raise NotFound("Instance", server.pk)
    if row.vm_state not in _ALLOWED:
        raise operations.cannot(row, "update metadata", "vm_state")
    items = change(row.metadata)
    quotas.admit_metadata(row.project_id, items)
    Server.objects.filter(pk=row.pk).update(metadata=items, updated_at=timezone.now())
    notify.server_changed(row)
    server.metadata = items
    return items
