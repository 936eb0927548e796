"""Rows of a namespace: what is alike in writing objects, properties, tags and associations."""

from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from images.models import MetadefAssociation, MetadefNamespace, MetadefObject, MetadefProperty, MetadefTag
from portal.core.errors import Conflict, Forbidden, NotFound

Part = TypeVar("Part", MetadefObject, MetadefProperty, MetadefTag, MetadefAssociation)


def lock(namespace: MetadefNamespace) -> MetadefNamespace:
    """Return the namespace as it is now; nobody changes or deletes it before this transaction ends."""
    locked = MetadefNamespace.objects.select_for_update().filter(pk=namespace.pk).first()
    if locked is None:
        raise NotFound("Namespace", namespace, f"Metadata definition namespace={namespace} was not found.")
    return locked


def lock_unprotected(namespace: MetadefNamespace, what: str) -> None:
    """Lock the namespace for a deletion in it; raises Forbidden when it is protected."""
    if lock(namespace).protected:
        raise Forbidden(f"Metadata definition {what} is protected and cannot be deleted.")


@transaction.atomic
def insert(row: Part) -> Part:
    """Write a new row of a namespace; raises Conflict when there is one of its name."""
    lock(row.namespace)
    return _saved(row, new=True)


@transaction.atomic
def rewrite(row: Part) -> Part:
    """Write a changed row of a namespace; raises Conflict when another has its name, NotFound when it is gone."""
    lock(row.namespace)
    if not type(row)._default_manager.filter(pk=row.pk).exists():
        raise NotFound(row._meta.verbose_name or "", row, f"The {row._meta.verbose_name} {row} was not found.")
    row.updated_at = timezone.now()
    return _saved(row, new=False)


@transaction.atomic
def remove(row: Part, what: str) -> None:
    """Delete a row of a namespace unless that is protected."""
    lock_unprotected(row.namespace, what)
    row.delete()


@transaction.atomic
def remove_all(namespace: MetadefNamespace, model: type[Part]) -> None:
    """Delete all rows of one kind of a namespace unless that is protected."""
    lock_unprotected(namespace, f"namespace {namespace}")
    model._default_manager.filter(namespace=namespace).delete()


def _saved(row: Part, new: bool) -> Part:
    try:
        with transaction.atomic():
            row.save(force_insert=new, force_update=not new)
    except IntegrityError as error:
        raise Conflict(f"A {row._meta.verbose_name} with name={row} already exists in namespace={row.namespace}.") from error
    return row
