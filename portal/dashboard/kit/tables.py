"""Tables that stay true while one looks at them. Declared once: columns, search words, actions; each row is one template.

The same object renders the whole table and, for the feed, any set of its rows by id.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe

from portal.core.context import RequestContext
from portal.dashboard.kit.actions import RowAction, offers


@dataclass(frozen=True)
class Column:
    """One column: its head, and the model's fields it is sorted by when it can be."""

    name: str
    label: str | Promise
    order: tuple[str, ...] = ()
    css: str = ""
    operators_only: bool = False
    hidden_label: bool = False


@dataclass(frozen=True)
class Head:
    """A column's head as it stands on the page."""

    column: Column
    direction: str = ""
    link: str = ""


@dataclass
class Row:
    """One object of the table, with its buttons and what else its template shows."""

    obj: Any
    offers: list[Any] = field(default_factory=list)
    note: str = ""
    facts: Any = None

    @property
    def enabled(self) -> list[Any]:
        return [offer for offer in self.offers if offer.verdict.allowed]


class LiveTable:
    """Base of all tables. ``poll_s`` says how often rows that are busy are asked for again, where no feed tells of their change."""

    name: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    row_template: ClassVar[str]
    actions: ClassVar[tuple[RowAction, ...]] = ()
    default_sort: ClassVar[str]
    page_size: ClassVar[int] = 50
    poll_s: ClassVar[int | None] = None
    words: ClassVar[dict[str, Callable[[str], Q]]] = {}

    def __init__(self, ctx: RequestContext, params: QueryDict) -> None:
        self.ctx = ctx
        self.params = params
        self.query = params.get("q", "").strip()[:200]

    def all(self) -> QuerySet[Any]:
        """Return every row that the caller may see."""
        raise NotImplementedError

    def plain(self, text: str) -> Q:
        """Return what a bare search word means."""
        return Q(name__icontains=text)

    def facts(self, objects: list[Any]) -> dict[Any, Any]:
        """Return what the rows show besides the object itself, by primary key, read for all rows at once."""
        return {}

    def search(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the rows by ``?q=``: words, ``key:value`` and ``-key:value``."""
        for token in self.query.split():
            negated = token.startswith("-") and len(token) > 1
            key, colon, value = token.removeprefix("-").partition(":")
            wanted = self.words[key](value) if colon and key in self.words else self.plain(token.removeprefix("-"))
            rows = rows.exclude(wanted) if negated else rows.filter(wanted)
        return rows

    @cached_property
    def sort(self) -> str:
        """The order in use: a column's name, with a minus for descending."""
        wanted = self.params.get("sort", "")
        known = {column.name for column in self.columns if column.order}
        return wanted if wanted.removeprefix("-") in known else self.default_sort

    @cached_property
    def page(self) -> Page[Any]:
        name = self.sort.removeprefix("-")
        order = next(column.order for column in self.columns if column.name == name)
        signs = [f"-{item}" if self.sort.startswith("-") else item for item in order]
        rows = self.search(self.all()).order_by(*signs, "pk")
        return Paginator(rows, self.page_size).get_page(self.params.get("page"))

    @cached_property
    def rows(self) -> list[Row]:
        return self.dressed(list(self.page.object_list))

    def dressed(self, objects: Iterable[Any], notes: dict[Any, str] | None = None) -> list[Row]:
        """Return rows with their buttons."""
        objects = list(objects)
        facts = self.facts(objects)
        return [
            Row(item, offers(self.ctx, item, self.actions), (notes or {}).get(item.pk, ""), facts.get(item.pk))
            for item in objects
        ]

    @property
    def shown_columns(self) -> list[Column]:
        return [column for column in self.columns if self.ctx.is_operator or not column.operators_only]

    @property
    def heads(self) -> list[Head]:
        return [self._head(column) for column in self.shown_columns]

    def _head(self, column: Column) -> Head:
        if not column.order:
            return Head(column)
        descending = self.sort == f"-{column.name}"
        ascending = self.sort == column.name
        direction = "descending" if descending else "ascending" if ascending else ""
        return Head(column, direction, self.link(sort=column.name if descending or not ascending else f"-{column.name}"))

    def link(self, **changes: Any) -> str:
        """Return this page's query with changes, always back on the first page unless the page is what changes."""
        params = self.params.copy()
        params.pop("page", None)
        params.pop("ids", None)
        for key, value in changes.items():
            params[key] = value
        return f"?{params.urlencode()}"

    def page_link(self, number: int) -> str:
        return self.link(page=number)

    @property
    def previous_link(self) -> str:
        return self.page_link(self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next_link(self) -> str:
        return self.page_link(self.page.next_page_number()) if self.page.has_next() else ""

    def render_row(self, row: Row, request: HttpRequest) -> SafeString:
        """Return one row's HTML, the same for the page, the feed and the answer to a click."""
        return mark_safe(  # noqa: S308 - templates escape
            render_to_string(self.row_template, {"row": row, "table": self, "obj": row.obj}, request)
        )

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer the feed: the rows of ``?ids=`` that still match, and a mark for each that is gone."""
        wanted = parse_ids(request.GET.get("ids", ""))
        rows = self.dressed(self.search(self.all()).filter(pk__in=wanted)) if wanted else self.rows
        parts = [self.render_row(row, request) for row in rows]
        there = {str(row.obj.pk) for row in rows}
        parts += [gone(f"row-{pk}") for pk in wanted if pk not in there]
        return HttpResponse("".join(parts), headers={"Cache-Control": "no-store"})


def parse_ids(text: str, most: int = 200) -> list[str]:
    """Return the ids of a comma-separated list; what is no id is left out."""
    found = []
    for part in text.split(",")[:most]:
        try:
            found.append(str(UUID(part)))
        except ValueError:
            continue
    return found


def gone(dom_id: str) -> SafeString:
    """Return the mark that takes a part off the page. A table row, since that is what it replaces."""
    return mark_safe(f'<tr id="{dom_id}" data-gone></tr>')  # noqa: S308 - ids are made here
