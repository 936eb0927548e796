"""Pages of lists among very many images, quick on databases that keep no statistics.

Where one condition holds for few images only, the database begins with those. Where all hold for many, it walks through the images in
the order of the list and soon has a page. SQLite cannot know which way is short: it is asked beforehand, by an index and with a limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from images.models import Image
from images.models.image import ImageQuerySet

FEW = 250


@dataclass(frozen=True)
class Condition:
    """One condition of a list: how it is asked of each image, and the ids of those for which it holds."""

    test: Q | Exists
    ids: QuerySet[Any, Any]

    def few(self) -> list[str] | None:
        """Return the ids of all images for which it holds, None when these are many."""
        found = list(self.ids.order_by()[: FEW + 1])
        return found if len(found) <= FEW else None


def equal(**lookup: Any) -> Condition:
    """Return the condition that a column has a value, or that a time lies in a range; an index has these images in order."""
    condition = Q(**lookup)
    return Condition(condition, Image.objects.filter(condition).values_list("pk", flat=True))


def fits(condition: Q) -> Condition:
    """Return another condition on columns, asked behind EXISTS: no index is then taken that would lose the order of the list."""
    rows = Image.objects.filter(condition)
    return Condition(Exists(rows.filter(pk=OuterRef("pk")).order_by()), rows.values_list("pk", flat=True))


def related(rows: QuerySet[Any]) -> Condition:
    """Return the condition that one of these rows, tags or properties, belongs to the image."""
    return Condition(Exists(rows.filter(image=OuterRef("pk")).order_by()), rows.values_list("image_id", flat=True))


def narrowed(rows: ImageQuerySet, conditions: Iterable[Condition]) -> tuple[ImageQuerySet, bool]:
    """Return the rows for which all conditions hold, and whether these are known to be few."""
    start: list[str] | None = None
    for condition in conditions:
        few = condition.few() if start is None else None
        rows = rows.filter(condition.test) if few is None else rows.filter(pk__in=few)
        start = few if start is None else start
    return rows, start is not None
