"""Flavors: made, changed and taken away by operators. Servers keep the figures that they were built with."""

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Flavor, FlavorAccess
from compute.models.host import new_uuid
from compute.services.limits import require_project
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import authorize

MOST = 2**31 - 1
_ID = re.compile(r"[A-Za-z0-9. _-]{1,255}")
_SPEC_KEY = re.compile(r"[A-Za-z0-9:_. -]{1,255}")


def create(
    *,
    ctx: RequestContext,
    name: str,
    vcpus: int,
    ram_mb: int,
    root_gb: int,
    flavor_id: str | None = None,
    ephemeral_gb: int = 0,
    swap_mb: int = 0,
    rxtx_factor: float = 1.0,
    is_public: bool = True,
    description: str | None = None,
) -> Flavor:
    """Return a new flavor; without an id (or with ``auto``) it gets a UUID."""
    authorize(ctx, policies.FLAVOR_CREATE)
    chosen = new_uuid() if flavor_id in (None, "", "auto") else str(flavor_id)
    if not _ID.fullmatch(chosen) or chosen != chosen.strip():
        raise BadRequest(_("A flavor's id has 1 to 255 letters, digits, spaces and any of . _ -"))
    if not name.strip() or len(name) > 255:
        raise BadRequest(_("A flavor's name has 1 to 255 characters."))
    _require_figures(vcpus=(vcpus, 1), ram=(ram_mb, 1), disk=(root_gb, 0), ephemeral=(ephemeral_gb, 0), swap=(swap_mb, 0))
    if Flavor.objects.filter(flavor_id=chosen).exists():
        raise Conflict(_("Flavor with ID %(id)s already exists.") % {"id": chosen})
    try:
        with transaction.atomic():
            return Flavor.objects.create(
                flavor_id=chosen,
                name=name,
                vcpus=vcpus,
                ram_mb=ram_mb,
                root_gb=root_gb,
                ephemeral_gb=ephemeral_gb,
                swap_mb=swap_mb,
                rxtx_factor=rxtx_factor,
                is_public=is_public,
                description=description,
            )
    except IntegrityError as error:
        raise Conflict(_("Flavor with name %(name)s already exists.") % {"name": name}) from error


def update(*, ctx: RequestContext, flavor: Flavor, description: str | None) -> Flavor:
    """Return the flavor with another description: its figures never change."""
    authorize(ctx, policies.FLAVOR_UPDATE, flavor)
    flavor.description = description
    flavor.save(update_fields=["description"])
    return flavor


def delete(*, ctx: RequestContext, flavor: Flavor) -> None:
    """Take a flavor away; servers built with it go on."""
    authorize(ctx, policies.FLAVOR_DELETE, flavor)
    flavor.delete()


def access_of(*, ctx: RequestContext, flavor: Flavor) -> list[FlavorAccess]:
    """Return the projects that may use a flavor which is not public."""
    authorize(ctx, policies.FLAVOR_ACCESS, flavor)
    if flavor.is_public:
        raise NotFound("Access list", flavor.flavor_id, _("Access list not available for public flavors."))
    return list(flavor.accesses.order_by("pk"))


def add_access(*, ctx: RequestContext, flavor: Flavor, project_id: str, public_too: bool = False) -> list[FlavorAccess]:
    """Let a project use a flavor that is not public, or ``public_too``; return all that are named."""
    authorize(ctx, policies.FLAVOR_ACCESS_ADD, flavor)
    require_project(project_id)
    if flavor.is_public and not public_too:
        raise Conflict(_("Can not add access to a public flavor."))
    _row, made = FlavorAccess.objects.get_or_create(flavor=flavor, project_id=project_id)
    if not made:
        sentence = _("Flavor access already exists for flavor %(flavor)s and project %(project)s combination.")
        raise Conflict(sentence % {"flavor": flavor.flavor_id, "project": project_id})
    return list(flavor.accesses.order_by("pk"))


def remove_access(*, ctx: RequestContext, flavor: Flavor, project_id: str) -> list[FlavorAccess]:
    """Take a flavor from a project; return all that are still named."""
    authorize(ctx, policies.FLAVOR_ACCESS_REMOVE, flavor)
    deleted, _by_model = FlavorAccess.objects.filter(flavor=flavor, project_id=project_id).delete()
    if not deleted:
        sentence = _("Flavor access not found for %(flavor)s / %(project)s combination.")
        raise NotFound("Flavor access", project_id, sentence % {"flavor": flavor.flavor_id, "project": project_id})
    return list(flavor.accesses.order_by("pk"))


@transaction.atomic
def set_extra_specs(*, ctx: RequestContext, flavor: Flavor, extra_specs: dict[str, Any]) -> dict[str, str]:
    """Return the extra specs after these were added or changed; what means nothing is refused when a server is made with it."""
    new = not set(extra_specs) <= set(flavor.extra_specs)
    authorize(ctx, policies.EXTRA_SPECS_CREATE if new else policies.EXTRA_SPECS_UPDATE, flavor)
    found = {key: _spec(key, value) for key, value in extra_specs.items()}
    row = Flavor.objects.select_for_update().get(pk=flavor.pk)
    row.extra_specs = {**row.extra_specs, **found}
    row.save(update_fields=["extra_specs"])
    flavor.extra_specs = row.extra_specs
    return dict(row.extra_specs)


@transaction.atomic
def delete_extra_spec(*, ctx: RequestContext, flavor: Flavor, key: str) -> None:
    """Take one extra spec away; raises NotFound."""
    authorize(ctx, policies.EXTRA_SPECS_DELETE, flavor)
    row = Flavor.objects.select_for_update().get(pk=flavor.pk)
    if key not in row.extra_specs:
        sentence = _("Flavor %(flavor)s has no extra specs with key %(key)s.")
        raise NotFound("Extra spec", key, sentence % {"flavor": flavor.flavor_id, "key": key})
    row.extra_specs = {name: value for name, value in row.extra_specs.items() if name != key}
    row.save(update_fields=["extra_specs"])
    flavor.extra_specs = row.extra_specs


def _spec(key: str, value: Any) -> str:
    if not isinstance(key, str) or not _SPEC_KEY.fullmatch(key):
        sentence = _(
            "Key Names can only contain alphanumeric characters, periods, dashes, underscores, colons and spaces: %(key)s"
        )
        raise BadRequest(sentence % {"key": key})
    text = str(value)
    if not 1 <= len(text) <= 255 or not text.isprintable():
        raise BadRequest(_("The value of extra spec %(key)s has 1 to 255 printable characters.") % {"key": key})
    return text


def _require_figures(**figures: tuple[int, int]) -> None:
    for name, (value, least) in figures.items():
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST:
            sentence = _("%(name)s must be an integer from %(least)s to %(most)s.")
            raise BadRequest(sentence % {"name": name, "least": least, "most": MOST})
