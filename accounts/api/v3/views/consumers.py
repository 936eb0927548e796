"""/v3/OS-OAUTH1/consumers and /v3/OS-REVOKE/events"""

from datetime import datetime
from operator import itemgetter
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v3 import presenters
from accounts.api.v3.serializers import OpenSerializer
from accounts.api.v3.views.base import CollectionView, IdentityView, MemberView
from accounts.models import Consumer
from accounts.services import consumers
from portal.core.api.serializers import StrictString
from portal.core.errors import BadRequest


class ConsumerShape(OpenSerializer):
    description = StrictString(required=False, allow_null=True, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        values = super().to_internal_value(data)
        if "secret" in values.get("extra", {}):
            raise BadRequest("The secret of a consumer cannot be chosen or changed.")
        return values


def consumer(row: Consumer, link: Any) -> dict[str, Any]:
    """Return a consumer as the API shows it, without its secret."""
    links = {"self": link(f"OS-OAUTH1/consumers/{row.pk}")}
    return {**row.extra, "id": row.pk, "description": row.description, "links": links}


class ConsumersView(CollectionView):
    """GET and POST /v3/OS-OAUTH1/consumers"""

    singular, plural, shape, present = "consumer", "consumers", ConsumerShape, consumer

    def rows(self) -> Any:
        return selectors.consumers_visible(self.ctx)

    def post(self, request: Request) -> Response:
        row, secret = consumers.create(ctx=self.ctx, **self.body("consumer", ConsumerShape))
        return Response({"consumer": {**consumer(row, self.link), "secret": secret}}, status=201)


class ConsumerView(MemberView):
    """GET, PATCH and DELETE /v3/OS-OAUTH1/consumers/{id}"""

    model, singular, shape, present = Consumer, "consumer", ConsumerShape, consumer
    find, update, delete_row = selectors.get_consumer, consumers.update, consumers.delete


class RevocationsView(IdentityView):
    """GET /v3/OS-REVOKE/events"""

    def get(self, request: Request) -> Response:
        since = request.GET.get("since")
        moment = parse_datetime(since) if since else None
        if since and moment is None:
            raise BadRequest(f"Invalid date format {since[:50]!r}.")
        if moment is not None and is_naive(moment):
            moment = make_aware(moment)
        tokens = [("audit_id", row.pk, row.revoked_at) for row in selectors.revocations(self.ctx, moment)]
        people = [("user_id", row.pk, row.tokens_valid_from) for row in selectors.users_whose_tokens_ended(self.ctx, moment)]
        return self.listed("events", sorted([*tokens, *people], key=itemgetter(2)), _event)


def _event(row: tuple[str, str, datetime], link: Any) -> dict[str, Any]:
    kind, key, moment = row
    return {kind: key, "issued_before": presenters.time(moment), "revoked_at": presenters.time(moment)}
