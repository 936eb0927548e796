"""Reads of migrations."""

from django.db.models import Q, QuerySet

from compute import policies
from compute.models import Flavor, Migration
from portal.core.context import RequestContext
from portal.core.policy import authorize

_STRINGS = {"status": "status", "instance_uuid": "server_id", "source_compute": "source_host", "migration_type": "kind"}


def migrations_visible(ctx: RequestContext, *, project_id: str | None = None, **wanted: str) -> QuerySet[Migration]:
    """Return migrations, of all projects for whoever a rule lets see them; ``wanted`` are filters by the API's names."""
    authorize(ctx, policies.MIGRATIONS_INDEX, {"project_id": ctx.project_id or ""})
    if project_id is None or project_id != ctx.project_id:
        authorize(ctx, policies.MIGRATIONS_ALL)
    rows = Migration.objects.all()
    if project_id is not None:
        rows = rows.filter(project_id=project_id)
    for name, value in wanted.items():
        if name == "host":
            rows = rows.filter(Q(source_host=value) | Q(dest_host=value))
        elif name == "user_id":
            rows = rows.filter(user_id=value)
        elif name in _STRINGS:
            rows = rows.filter(**{_STRINGS[name]: value})
    return rows


def flavor_numbers(rows: list[Migration]) -> dict[str, int]:
    """Return the numbers that the API shows for the flavors of migrations, as far as they are still there."""
    names = {flavor["flavor_id"] for row in rows for flavor in (row.old_flavor, row.new_flavor)}
    return dict(Flavor.objects.filter(flavor_id__in=names).values_list("flavor_id", "pk"))
