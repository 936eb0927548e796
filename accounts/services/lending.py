"""What giving application credentials and trusts has in common: which roles are meant, and who may not lend at all."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Role
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Forbidden, NotFound


def roles_meant(wanted: list[dict[str, str]]) -> list[Role]:
    """Return the roles that are named by id or by name, each once; raises NotFound."""
    found: dict[str, Role] = {}
    for ref in wanted:
        where: dict[str, Any] = {"pk": ref["id"]} if "id" in ref else {"domain": None, "name": ref["name"]}
        role = Role.objects.filter(**where).first()
        if role is None:
            text = ref.get("id") or ref["name"]
            raise NotFound("role", text, _("Could not find role: %(role)s.") % {"role": text})
        found[role.pk] = role
    return list(found.values())


def refuse_past(expires_at: datetime | None) -> None:
    """Raise BadRequest for an end that has passed."""
    if expires_at is not None and expires_at <= timezone.now():
        raise BadRequest(_("The expiration time must not be in the past."))


def refuse_restricted(ctx: RequestContext) -> None:
    """Raise Forbidden for who acts by something that must not be used to make, read or end another."""
    if ctx.restricted:
        raise Forbidden(
            _("You are not authorized to perform the requested action: manage application credentials with what was lent.")
        )
