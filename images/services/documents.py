"""Documents of clients that are kept as they came."""

from typing import Any

from django.utils.translation import gettext as _

from portal.core.errors import BadRequest

MAX_DEPTH = 16
MAX_INT = 2**63


def require_storable(value: Any, depth: int = 0) -> None:
    """Let a document pass that every database keeps as it is; raises BadRequest."""
    if depth > MAX_DEPTH:
        raise BadRequest(_("The request body is nested more than %(most)s deep.") % {"most": MAX_DEPTH})
    if isinstance(value, str) and "\x00" in value:
        raise BadRequest(_("A null character is not allowed."))
    if isinstance(value, int) and abs(value) > MAX_INT:
        raise BadRequest(_("A number in the request body is too large."))
    if isinstance(value, dict | list):
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        for item in inner:
            require_storable(item, depth + 1)
