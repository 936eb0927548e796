"""Rows of a namespace: what is alike in writing objects, properties, tags and associations."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
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
def insert(namespace: MetadefNamespace, rows: list[Part]) -> list[Part]:
    """Write new rows of one kind, all or none; raises Conflict when a name is taken or stands twice."""
    lock(namespace)
    if rows:
        with _names_once(rows):
            type(rows[0])._default_manager.bulk_create(rows)
    return rows


@transaction.atomic
def rewrite(row: Part) -> Part:
    """Write a changed row of a namespace; raises Conflict when another has its name, NotFound when it is gone."""
    lock(row.namespace)
    if not type(row)._default_manager.filter(pk=row.pk).exists():
        raise NotFound(str(row._meta.verbose_name), row, f"The {row._meta.verbose_name} {row} was not found.")
    row.updated_at = timezone.now()
    with _names_once([row]):
        row.save(force_update=True)
    return row


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


@contextmanager
def _names_once(rows: list[Part]) -> Iterator[None]:
    """Write inside; where the database finds a name twice, the refusal says which."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        kind, within = rows[0]._meta.verbose_name, rows[0].namespace
        raise Conflict(f"A {kind} with name={_twice(rows)} already exists in namespace={within}.") from error


def _twice(rows: Sequence[Part]) -> str:
    """Return the first name of these rows that another row of the namespace has too."""
    others: QuerySet[Any] = type(rows[0])._default_manager.filter(namespace=rows[0].namespace)
    times = Counter([row.name for row in others.exclude(pk=rows[0].pk)] + [row.name for row in rows])
    return str(next((row.name for row in rows if times[row.name] > 1), rows[0].name))
