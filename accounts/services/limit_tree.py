"""How limits of domains and of their projects bind each other (Identity v3, "Unified limits", enforcement models).

``flat``: every limit stands for itself. ``strict_two_level``: a project's limit is at most its domain's, the limits of a domain's
projects together are at most the domain's, and what all of them use counts against the domain's limit. Then projects stand under
their domain and under no other project.
"""

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import CatalogService, Domain, Limit, Project, RegisteredLimit
from portal.core.errors import Forbidden

FLAT, STRICT_TWO_LEVEL = "flat", "strict_two_level"
DESCRIPTIONS = {
    FLAT: "Limits of projects and domains do not depend on each other.",
    STRICT_TWO_LEVEL: "The projects of a domain share its limit, and none stands below another.",
}
UNLIMITED = -1


def is_strict() -> bool:
    """Return whether domains and projects bind each other."""
    return bool(settings.LIMIT_MODEL == STRICT_TWO_LEVEL)


def domain_counted_with(project_id: str) -> str | None:
    """Return the domain whose limit a project's use counts against, None where every limit stands for itself."""
    if not is_strict():
        return None
    return Project.objects.filter(pk=project_id).values_list("domain_id", flat=True).first()


def service_of(service_type: str) -> CatalogService | None:
    """Return the catalog's first service of a type."""
    return CatalogService.objects.filter(type=service_type).order_by("pk").first()


def check(*, registered: RegisteredLimit, limit: int, project: Project | None = None, domain: Domain | None = None) -> None:
    """Raise Forbidden for a limit that breaks the tree."""
    if not is_strict():
        return
    rows = Limit.objects.filter(registered=registered)
    if project is not None:
        siblings = rows.filter(project__domain_id=project.domain_id).exclude(project=project)
        own = rows.filter(domain_id=project.domain_id).values_list("resource_limit", flat=True).first()
        _check_pair(registered.default_limit if own is None else own, _sum(siblings) + limit, unlimited_part=limit < 0)
    elif domain is not None:
        parts = rows.filter(project__domain=domain)
        _check_pair(limit, _sum(parts), unlimited_part=parts.filter(resource_limit__lt=0).exists())


def _sum(rows: object) -> int:
    return int(rows.filter(resource_limit__gt=0).aggregate(total=Sum("resource_limit"))["total"] or 0)  # type: ignore[attr-defined]


def _check_pair(whole: int, parts: int, *, unlimited_part: bool) -> None:
    if whole == UNLIMITED:
        return
    if unlimited_part or parts > whole:
        raise Forbidden(
            _("Invalid resource limit: the projects of the domain would have more than its limit of %(limit)s.")
            % {"limit": whole}
        )
