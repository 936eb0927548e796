"""What every view of the compute API has in common: microversions, strict queries, pages, links."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from compute.api.v2_1 import versions
from portal.core.api import paging
from portal.core.api.microversions import MicroversionedView
from portal.core.api.views import AlwaysJSON
from portal.core.errors import BadRequest, UnsupportedMediaType
from portal.core.versions import Version

PREFIX = "/compute"
IN_PROJECT = "in_project"
MEDIA_TYPES = frozenset({"", "text/plain", "application/json", "application/vnd.openstack.compute+json"})
MAX_LIMIT = 1000
ROOT_DEVICE = "/dev/vda"
MAX_QUERY = 16 * 1024
PAGING = frozenset({"limit", "marker"})

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


class AnyBodyIsJSON(AlwaysJSON):
    """Bodies have been refused by their type before they are read: what is left is JSON, said or not."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]


class ComputeView(MicroversionedView):
    """Base of the views. ``query`` names the parameters that GET takes: others are refused from 2.75 on.

    Addresses may name the caller's project before the resource, as in endpoints of older clouds.
    """

    service = "compute"
    service_type = "compute"
    legacy_header = "X-OpenStack-Nova-API-Version"
    min_version = versions.MIN
    max_version = versions.MAX
    query: ClassVar[frozenset[str] | None] = None
    content_negotiation_class = AnyBodyIsJSON

    def dispatch(self, request: HttpRequest, *args: Any, in_project: str | None = None, **kwargs: Any) -> HttpResponseBase:
        self.in_project = in_project
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.content_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
            raise UnsupportedMediaType("Unsupported Content-Type")
        if self.in_project is not None and self.in_project != self.ctx.project_id:
            raise BadRequest(
                f"Malformed request URL: it names project {self.in_project[:64]}, the token is for {self.ctx.project_id}."
            )
        self.check_query(request, self.query)

    def negotiate(self, request: Request) -> Version:
        """Return the version to speak: below /v2 there are no microversions."""
        return super().negotiate(request) if self.has_microversions(request) else versions.MIN

    def has_microversions(self, request: Request) -> bool:
        return not request._request.path.startswith(f"{PREFIX}/v2/")

    def check_query(self, request: Request, known: frozenset[str] | None) -> None:
        """Refuse a query that is too long, holds null characters or, from 2.75 on, names unknown parameters."""
        raw = request._request.META.get("QUERY_STRING", "")
        if len(raw) > MAX_QUERY or "%00" in raw or "\x00" in raw:
            raise BadRequest("The query string is too long or holds a null character.")
        if known is None and self.version >= versions.STRICT_EVERYWHERE:
            known = frozenset()
        if known is None or request.method not in ("GET", "HEAD") or self.version < versions.STRICT:
            return
        unknown = [key for key in request._request.GET if key not in known]
        if unknown:
            raise BadRequest(f"Additional properties are not allowed ({unknown[0][:80]!r} was unexpected)")

    @property
    def version(self) -> Version:
        """The microversion of this request."""
        version: Version = self.request._request.api_version  # type: ignore[attr-defined]
        return version

    @property
    def params(self) -> QueryDict:
        """The parameters of the query string."""
        return self.request._request.GET

    @cached_property
    def addresses(self) -> "Addresses":
        """The addresses of this service as the client spells them."""
        request = self.request._request
        version = "v2.1" if self.has_microversions(self.request) else "v2"
        return Addresses(request.build_absolute_uri(PREFIX), version, self.in_project)

    def page(self, rows: QuerySet[Any], order: list[tuple[str, bool]], marker: Model | None) -> tuple[list[Any], Any | None]:
        """Return one page of the rows and the row after which the next page begins, or None."""
        limit = paging.limit_of(self.params, MAX_LIMIT)
        if limit == 0:
            return [], None
        found = list(paging.after_marker(rows, marker, order)[: limit + 1])
        return found[:limit], found[limit - 1] if len(found) > limit else None

    def next_links(self, marker: Any) -> list[dict[str, str]]:
        """Return the ``*_links`` of a list that goes on."""
        return [{"rel": "next", "href": paging.next_link(self.request._request, marker)}]


class Addresses:
    """Where resources are, below ``base``: in a version and without one, with the project if the client's own address names it."""

    def __init__(self, base: str, version: str = "v2.1", project_id: str | None = None) -> None:
        project = f"/{project_id}" if project_id else ""
        self._versioned = f"{base}/{version}{project}"
        self._lasting = f"{base}{project}"

    def of(self, path: str) -> str:
        """Return a resource's address in this version."""
        return f"{self._versioned}/{path}"

    def links(self, path: str) -> list[dict[str, str]]:
        """Return a resource's own links: with and without the version."""
        return [{"rel": "self", "href": self.of(path)}, *self.bookmark(path)]

    def bookmark(self, path: str) -> list[dict[str, str]]:
        """Return the link of a resource that is only mentioned."""
        return [{"rel": "bookmark", "href": f"{self._lasting}/{path}"}]


def truth(word: str, name: str) -> bool:
    """Return what a word of the query string says; raises BadRequest."""
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE:
        return False
    raise BadRequest(f"Invalid input for query parameters {name}. Value: {word[:50]}.")


def number(word: str, name: str) -> int:
    """Return the whole number that a word of the address spells; raises BadRequest."""
    if not re.fullmatch(r"-?\d{1,18}", word, re.ASCII):
        raise BadRequest(f"{name} must be an integer")
    return int(word)


def moment(word: str, name: str) -> datetime:
    """Return the time in UTC that a word of the query string spells; raises BadRequest."""
    try:
        found = parse_datetime(word.replace(" ", "+"))
        if found is not None:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"Invalid input for query parameters {name}. Value: {word[:50]}. It is not a 'date-time'.")


def ordering(
    params: QueryDict,
    columns: Mapping[str, str],
    default: Sequence[tuple[str, bool]],
    unique: str,
    ignored: frozenset[str] = frozenset(),
) -> list[tuple[str, bool]]:
    """Return the (column, descending) pairs that ``sort_key`` and ``sort_dir`` ask for; raises BadRequest.

    A key among ``ignored`` goes with its direction.
    """
    keys, directions = params.getlist("sort_key")[:10], params.getlist("sort_dir")[:10]
    if any(word not in ("asc", "desc") for word in directions):
        raise BadRequest("Invalid input for query parameters sort_dir. It must be asc or desc.")
    order: dict[str, bool] = {}
    for at, key in enumerate(keys):
        if key in ignored:
            continue
        if key not in columns:
            raise BadRequest(f"Invalid input for query parameters sort_key. Value: {key[:50]}.")
        order.setdefault(columns[key], (directions[at] if at < len(directions) else "desc") == "desc")
    spare = directions[len(keys) :]
    for column, descending in default if not order else ():
        order.setdefault(column, spare[0] == "desc" if spare else descending)
    last = next(reversed(order.values())) if order else False
    order.setdefault(unique, last)
    return list(order.items())
