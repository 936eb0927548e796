"""Consumers: programs known by OAuth 1.0a (OS-OAUTH1). Only they themselves are offered, not the tokens of that protocol."""

import secrets
from hashlib import sha256
from typing import Any

from accounts import policies
from accounts.models import Consumer
from accounts.services.writing import change
from portal.core.context import RequestContext
from portal.core.policy import authorize


def create(*, ctx: RequestContext, **values: Any) -> tuple[Consumer, str]:
    """Return a new consumer and its secret, which is told this once."""
    authorize(ctx, policies.CREATE_CONSUMER)
    secret = secrets.token_hex(32)
    consumer = Consumer(secret_hash=sha256(secret.encode()).hexdigest())
    change(consumer, values)
    consumer.save(force_insert=True)
    return consumer, secret


def update(*, ctx: RequestContext, consumer: Consumer, **changes: Any) -> Consumer:
    """Change a consumer; its secret stays."""
    authorize(ctx, policies.UPDATE_CONSUMER, consumer)
    change(consumer, changes)
    consumer.save()
    return consumer


def delete(*, ctx: RequestContext, consumer: Consumer) -> None:
    """Delete a consumer."""
    authorize(ctx, policies.DELETE_CONSUMER, consumer)
    consumer.delete()
