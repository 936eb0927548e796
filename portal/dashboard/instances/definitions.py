"""The definition tab of an instance: what its host was told at each start, and what changed since the start before."""

from dataclasses import dataclass

from django.urls import reverse

from compute.models import Server, ServerDefinition
from compute.selectors import definitions_of
from compute.virt.libvirt import differences
from portal.core.context import RequestContext
from portal.core.errors import NotFound


@dataclass(frozen=True)
class Version:
    """One stored definition in the list of them; ``deed`` is what was being done, where that is still known."""

    definition: ServerDefinition
    deed: str
    link: str
    shown: bool


@dataclass(frozen=True)
class DefinitionView:
    """What the tab shows. ``changes`` is None for the oldest definition, and empty where nothing changed."""

    versions: list[Version]
    shown: ServerDefinition | None
    changes: list[differences.Line] | None


def view_of(ctx: RequestContext, server: Server, chosen: str = "") -> DefinitionView:
    """Return the chosen definition, or the newest; raises NotFound for one that this server does not have."""
    rows = definitions_of(ctx, server)
    if not rows:
        return DefinitionView([], None, None)
    place = next((at for at, row in enumerate(rows) if str(row.pk) == chosen), None if chosen else 0)
    if place is None:
        raise NotFound("Definition", chosen)
    deeds = dict(server.actions.values_list("request_id", "action"))
    address = reverse("instances:tab", args=[server.pk, "definition"])
    versions = [
        Version(row, deeds.get(row.request_id, ""), f"{address}?definition={row.pk}", at == place)
        for at, row in enumerate(rows)
    ]
    before = rows[place + 1] if place + 1 < len(rows) else None
    changes = None if before is None else differences.between(before.xml, rows[place].xml)
    return DefinitionView(versions, rows[place], changes)
