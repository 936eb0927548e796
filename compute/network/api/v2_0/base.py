"""What every collection of the network API has in common: filters, fields, sorting, pages, and the way of writes.

Follows the Networking API v2.0 reference, "Filtering and Column Selection", "Sorting" and "Pagination".
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import paging
from portal.core.api.serializers import StrictSerializer
from portal.core.api.views import CloudView
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound

MAX_LIMIT = 1000
MAX_QUERY = 16 * 1024
MAX_VALUES = 200
MAX_BULK = 100
_BIGGEST = 2**31 - 1
_TRUE = frozenset({"true", "1", "yes", "on", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "f"})
_CONTROL = frozenset({"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"})


def text(word: str) -> str:
    """Accept any text but the null character, which databases refuse."""
    if "\x00" in word:
        raise ValueError(word)
    return word


def boolean(word: str) -> bool:
    """Return what a word of the query string says; raises ValueError."""
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE:
        return False
    raise ValueError(word)


def number(word: str) -> int:
    """Return a number that a column can hold; raises ValueError."""
    if not word.isascii() or not word.isdigit() or len(word) > 10 or int(word) > _BIGGEST:
        raise ValueError(word)
    return int(word)


class Attribute:
    """An attribute of a resource that lists can filter by: the column behind it and how its values are spelled."""

    def __init__(self, column: str, parse: Callable[[str], Any] = text, *, sortable: bool = True) -> None:
        self.column = column
        self.parse = parse
        self.sortable = sortable


class ResourceView(CloudView):
    """Base of one resource's two views. A subclass names it and says where its rows come from and how they look.

    ``creation`` and ``changes`` are the bodies that its POST and PUT take, where it has them.
    """

    service = "network"
    singular: ClassVar[str]
    plural: ClassVar[str]
    kind: ClassVar[str]
    attributes: ClassVar[dict[str, Attribute]]
    creation: ClassVar[type[StrictSerializer]]
    changes: ClassVar[type[StrictSerializer]]
    http_method_names = ["get", "head", "options", "post", "put", "delete"]

    def rows(self, ctx: RequestContext) -> QuerySet[Any]:
        raise NotImplementedError

    def present(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def named(self, body: Mapping[str, Any]) -> Any:
        """Return what a body holds under the resource's name; raises BadRequest."""
        if list(body) != [self.singular]:
            raise BadRequest(f"Unable to find '{self.singular}' in request body")
        return body[self.singular]

    def one(self, resource_id: str) -> Any:
        """Return the row that the caller may see; raises NotFound."""
        row = self.rows(self.ctx).filter(pk=text_or_404(self.kind, resource_id)).first()
        if row is None:
            raise NotFound(self.kind, resource_id)
        return row

    def create(self, values: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, row: Any, values: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def remove(self, row: Any) -> None:
        raise NotImplementedError


class CollectionView(ResourceView):
    """GET of a list; POST of one, or of several that are all made or none."""

    def post(self, request: Request) -> Response:
        body = request.data if isinstance(request.data, Mapping) else {}
        if list(body) == [self.plural]:
            items = body[self.plural]
            if not isinstance(items, list) or not items or len(items) > MAX_BULK:
                raise BadRequest(f"Invalid request body: {self.plural} must be a list of 1 to {MAX_BULK}.")
            with transaction.atomic():
                made = [self.create(checked(self.creation, item)) for item in items]
            return Response({self.plural: [self.present(self.one(row.pk)) for row in made]}, status=201)
        row = self.create(checked(self.creation, self.named(body)))
        return Response({self.singular: self.present(self.one(row.pk))}, status=201)

    def get(self, request: Request) -> Response:
        params = request._request.GET
        if len(request._request.META.get("QUERY_STRING", "")) > MAX_QUERY:
            raise BadRequest("The query string is too long.")
        rows = self.filtered(self.rows(self.ctx), params)
        limit = paging.limit_of(params, MAX_LIMIT) or MAX_LIMIT
        backwards = params.get("page_reverse", "").lower() in _TRUE
        order = [(name, descending != backwards) for name, descending in self.order(params)]
        found = list(paging.after_marker(rows, self.marker(params), order)[: limit + 1])
        page, more = found[:limit], len(found) > limit
        if backwards:
            page.reverse()
        body: dict[str, Any] = {self.plural: [trimmed(self.present(row), params) for row in page]}
        if links := _links(request._request, page, backwards=backwards, more=more):
            body[f"{self.plural}_links"] = links
        return Response(body)

    def filtered(self, rows: QuerySet[Any], params: QueryDict) -> QuerySet[Any]:
        """Keep the rows that match every attribute of the query; several values of one are or-ed."""
        for name, values in params.lists():
            if name not in _CONTROL:
                rows = rows.filter(self.condition(name, values))
        return rows

    def condition(self, name: str, values: list[str]) -> Q:
        attribute = self.attributes.get(name)
        if attribute is None:
            raise BadRequest(f"[{name[:60]!r}] is invalid attribute for filtering")
        try:
            wanted = [attribute.parse(value) for value in values[:MAX_VALUES]]
        except ValueError as error:
            raise BadRequest(f"'{str(error)[:60]}' is not a valid value for {name}.", "InvalidInput") from error
        return Q(**{f"{attribute.column}__in": wanted})

    def order(self, params: QueryDict) -> list[tuple[str, bool]]:
        """Return the columns to sort by, ending with the unique one."""
        keys, directions = params.getlist("sort_key")[:8], params.getlist("sort_dir")[:8]
        if any(word not in ("asc", "desc") for word in directions):
            raise BadRequest("The value of sort_dir must be asc or desc.")
        order: dict[str, bool] = {}
        for at, key in enumerate(keys):
            attribute = self.attributes.get(key)
            if attribute is None or not attribute.sortable:
                raise BadRequest(f"[{key[:60]!r}] is invalid attribute for sort_key")
            order.setdefault(attribute.column, at < len(directions) and directions[at] == "desc")
        order.setdefault("id", False)
        return list(order.items())

    def marker(self, params: QueryDict) -> Model | None:
        marker_id = params.get("marker")
        if not marker_id:
            return None
        found: Model | None = self.rows(self.ctx).filter(pk=text_or_400(marker_id)).first()
        if found is None:
            raise BadRequest(f"Invalid input for marker: {marker_id[:60]} does not exist.")
        return found


class MemberView(ResourceView):
    """GET, PUT and DELETE of one."""

    def get(self, request: Request, resource_id: str) -> Response:
        return Response({self.singular: trimmed(self.present(self.one(resource_id)), request._request.GET)})

    def put(self, request: Request, resource_id: str) -> Response:
        row = self.one(resource_id)
        body = request.data if isinstance(request.data, Mapping) else {}
        changed = self.change(row, checked(self.changes, self.named(body)))
        return Response({self.singular: self.present(self.one(changed.pk))})

    def delete(self, request: Request, resource_id: str) -> Response:
        self.remove(self.one(resource_id))
        return Response(status=204)


def _links(request: HttpRequest, page: list[Any], *, backwards: bool, more: bool) -> list[dict[str, str]]:
    """Return where the pages after and before this one are; ``more`` says whether there are rows beyond it, in the way that it was walked."""
    begun = bool(page and request.GET.get("marker"))
    links = []
    if begun if backwards else more:
        links.append({"rel": "next", "href": paging.next_link(request, page[-1].pk, page_reverse=None)})
    if more if backwards else begun:
        links.append({"rel": "previous", "href": paging.next_link(request, page[0].pk, page_reverse="True")})
    return links


def checked(kind: type[StrictSerializer], body: Any) -> dict[str, Any]:
    """Return the checked attributes of a body; raises BadRequest."""
    if not isinstance(body, Mapping):
        raise BadRequest("Invalid request body: it must be a JSON object.")
    found = kind(data=body)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def trimmed(body: dict[str, Any], params: QueryDict) -> dict[str, Any]:
    """Return only what ``fields`` names, or everything."""
    fields = params.getlist("fields")
    return {key: body[key] for key in fields if key in body} if fields else body


def text_or_400(word: str) -> str:
    """Return an id that a database can be asked for; raises BadRequest."""
    if "\x00" in word:
        raise BadRequest("A null character is not allowed.")
    return word


def text_or_404(kind: str, word: str) -> str:
    """Return an id that a database can be asked for; raises NotFound."""
    if "\x00" in word:
        raise NotFound(kind, word.replace("\x00", ""))
    return word
