"""What belongs to an image, gathered by the database into one value beside the image's own columns."""

from typing import Any

from django.db.models import Func, OuterRef, QuerySet, Subquery, TextField


class _Gathered(Func):
    """Rows as one JSON text; each database has a name of its own for it."""

    output_field = TextField()
    names: dict[str, str] = {}

    def as_sql(self, compiler: Any, connection: Any, function: str | None = None, *args: Any, **more: Any) -> Any:
        return super().as_sql(compiler, connection, self.names[connection.vendor], *args, **more)


class GatheredObject(_Gathered):
    names = {"sqlite": "JSON_GROUP_OBJECT", "postgresql": "JSONB_OBJECT_AGG", "mysql": "JSON_OBJECTAGG"}


class GatheredList(_Gathered):
    names = {"sqlite": "JSON_GROUP_ARRAY", "postgresql": "JSONB_AGG", "mysql": "JSON_ARRAYAGG"}


def of_image(rows: QuerySet[Any], gathered: _Gathered) -> Subquery:
    """Return what is gathered of those rows that belong to the image of the outer query."""
    return Subquery(rows.filter(image=OuterRef("pk")).order_by().annotate(gathered=gathered).values("gathered"))
