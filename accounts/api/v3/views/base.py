"""IdentityView, the base of identity's views: links, lists, and refusals in identity's words."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import paging
from portal.core.api.views import CloudView
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, CloudError, Forbidden, NotFound

M = TypeVar("M", bound=Model)
Present = Callable[[Any, Callable[[str], str]], dict[str, Any]]


class IdentityView(CloudView):
    """Base of identity's views."""

    service = "identity"

    def link(self, path: str) -> str:
        """Return an address of this API at the host by which the client came."""
        return self.request.build_absolute_uri(f"/identity/v3/{path}")

    def found(self, get: Callable[[RequestContext, str], M], model: type[M], kind: str, key: str) -> M:
        """Return the row for a service to judge; that it is missing is told only to who may see such things."""
        try:
            return selectors.find(model, kind, key)
        except NotFound:
            return get(self.ctx, key)

    def listed(self, name: str, rows: Iterable[Any], present: Present) -> Response:
        """Return a list, or the page of it that the query asks for, with its links."""
        following = None
        if isinstance(rows, QuerySet):
            rows, following = paging.page(rows, self.request._request)
        return self.enveloped({name: [present(row, self.link) for row in rows]}, following)

    def enveloped(self, body: dict[str, Any], following: str | None = None) -> Response:
        """Return a body with the links of a list."""
        links = {"next": following, "self": self.request.build_absolute_uri(), "previous": None}
        return Response({**body, "links": links})

    def body(self, name: str, shape: type[serializers.Serializer[Any]], partial: bool = False) -> dict[str, Any]:
        """Return what the client sent under ``name``, checked against its shape; raises BadRequest."""
        data = self.request.data
        if not isinstance(data, dict) or not isinstance(data.get(name), dict):
            raise BadRequest(
                f"Expecting to find {name} in request body. The server could not comply with the request since it is either "
                "malformed or otherwise incorrect. The client is assumed to be in error."
            )
        form = shape(data=data[name], partial=partial)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def fault(self, error: CloudError) -> Response:
        if isinstance(error, Forbidden) and error.rule:
            message = f"You are not authorized to perform the requested action: {error.rule}. {error.reason}"
            error = Forbidden(message, rule=error.rule, reason=error.reason)
        return super().fault(error)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Vary"] = "X-Auth-Token"
        return response


class CollectionView(IdentityView):
    """GET a list, POST one more. Subclasses say of what."""

    singular: ClassVar[str]
    plural: ClassVar[str]
    shape: ClassVar[type[serializers.Serializer[Any]]]
    present: ClassVar[Present]
    create: ClassVar[Callable[..., Any]]

    def rows(self) -> Iterable[Any]:
        """Return the rows that the caller may see and asks for."""
        raise NotImplementedError

    def get(self, request: Request) -> Response:
        return self.listed(self.plural, self.rows(), type(self).present)

    def post(self, request: Request) -> Response:
        row = type(self).create(ctx=self.ctx, **self.body(self.singular, self.shape))
        return Response({self.singular: type(self).present(row, self.link)}, status=201)


class MemberView(IdentityView):
    """GET, PATCH and DELETE one thing. Subclasses say which."""

    model: ClassVar[type[Model]]
    singular: ClassVar[str]
    shape: ClassVar[type[serializers.Serializer[Any]]]
    present: ClassVar[Present]
    find: ClassVar[Callable[[RequestContext, str], Any]]
    update: ClassVar[Callable[..., Any]]
    delete_row: ClassVar[Callable[..., None]]

    def get(self, request: Request, key: str) -> Response:
        return self.shown(type(self).find(self.ctx, key))

    def patch(self, request: Request, key: str) -> Response:
        row = self.row(key)
        changes = self.body(self.singular, self.shape, partial=True)
        return self.shown(type(self).update(ctx=self.ctx, **{self.singular: row}, **changes))

    def delete(self, request: Request, key: str) -> Response:
        row = self.row(key)
        type(self).delete_row(ctx=self.ctx, **{self.singular: row})
        return Response(status=204)

    def row(self, key: str) -> Any:
        """Return the row for a service to judge."""
        return self.found(type(self).find, self.model, self.singular, key)

    def shown(self, row: Any) -> Response:
        """Return the row's body."""
        return Response({self.singular: type(self).present(row, self.link)})
