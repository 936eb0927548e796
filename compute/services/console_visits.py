"""Who has a console open: kept in Redis for as long as each visit is renewed, so that nobody has to tidy up after a crash.

Consoles work without it: where Redis does not answer, nobody is named.
"""

import contextlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from accounts.models import User
from compute import policies
from compute.models import Server
from compute.services import consoles
from portal.core.context import RequestContext
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

FRESH_S = 20


@dataclass(frozen=True)
class Visit:
    """One open console. ``since`` is a time stamp."""

    server_id: str
    user_id: str
    kind: str
    since: int
    id: str


@dataclass(frozen=True)
class Visitor:
    """One open console, as people are told of it."""

    visit: str
    name: str
    kind: str
    since: datetime


def begin(relay: consoles.Relay) -> Visit:
    """Note that a console was opened."""
    visit = Visit(relay.server_id, relay.holder.user_id, relay.kind, int(time.time()), relay.visit)
    renew(visit)
    return visit


def renew(visit: Visit) -> None:
    """Note that a console is still open; to be called again within FRESH_S seconds."""
    key, now = _key(visit.server_id), time.time()
    try:
        with consoles.queue().pipeline() as pipe:
            pipe.zadd(key, {json.dumps(asdict(visit)): now})
            pipe.zremrangebyscore(key, 0, now - FRESH_S)
            pipe.expire(key, 2 * FRESH_S)
            pipe.execute()
    except redis.RedisError as error:
        LOG.warning("Who has a console open is not known now: %s", error)


def end(visit: Visit) -> None:
    """Note that a console was closed."""
    with contextlib.suppress(redis.RedisError):
        consoles.queue().zrem(_key(visit.server_id), json.dumps(asdict(visit)))


def visitors(*, ctx: RequestContext, server: Server) -> list[Visitor]:
    """Return who has a console of the server open now, the longest there first."""
    authorize(ctx, policies.REMOTE_CONSOLES, server)
    found: Any = []
    with contextlib.suppress(redis.RedisError):
        found = consoles.queue().zrangebyscore(_key(server.pk), time.time() - FRESH_S, "+inf")
    visits = sorted((Visit(**json.loads(member)) for member in found), key=lambda visit: visit.since)
    names = dict(User.objects.filter(pk__in={visit.user_id for visit in visits}).values_list("pk", "name"))
    return [Visitor(one.id, names.get(one.user_id, ""), one.kind, datetime.fromtimestamp(one.since, UTC)) for one in visits]


def _key(server_id: str) -> str:
    return f"nebulet:console-open:{server_id}"
