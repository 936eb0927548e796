"""What every write of identity shares: the sentence of a clash, and things that are marked immutable."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portal.core.errors import Conflict, Forbidden


@contextmanager
def storing(clash: str) -> Iterator[None]:
    """Write in one transaction; a row that is there already becomes the service's own conflict, with the sentence ``clash``."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Conflict(clash) from error


def conflict(kind: str, why: str) -> str:
    """Return the sentence of a clash that only clients of the API can meet."""
    return f"Conflict occurred attempting to store {kind} - {why}."


def named(name: str, domain_id: str | None = None) -> str:
    """Return why a name clashes."""
    where = f" at domain ID {domain_id}" if domain_id else ""
    return f"Duplicate entry found with name {name}{where}"


def refuse_immutable(kind: str, row: Any, verb: str, changes: dict[str, Any] | None = None) -> None:
    """Raise Forbidden for a row with the option ``immutable``, unless only that option is changed."""
    if row.options.get("immutable") and set(changes or {"": None}) != {"options"}:
        words = _('Unable to update immutable %(kind)s resource: `%(id)s. Set resource option "immutable" to false first.')
        if verb == "delete":
            words = _('Unable to delete immutable %(kind)s resource: `%(id)s. Set resource option "immutable" to false first.')
        raise Forbidden(words % {"kind": _(kind), "id": row.pk})


def change(row: Any, changes: dict[str, Any]) -> None:
    """Put changes on a row, not saved: options and extra attributes are merged, None takes an option away."""
    for name, value in changes.items():
        if name == "options":
            merged = {**row.options, **value}
            row.options = {key: item for key, item in merged.items() if item is not None}
        elif name == "extra":
            row.extra = {**row.extra, **value}
        else:
            setattr(row, name, value)
