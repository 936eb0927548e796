"""What is asked of a host while the caller waits, for a few seconds at most."""

import logging
import secrets
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import msgspec
import redis
from django.conf import settings
from django.utils.translation import gettext_noop

from compute.messages import ANSWER_SEAL, QUESTION_LIFE_S, QUESTION_SEAL, Answer, Question, answer_key, question_channel
from compute.models import Server
from portal.core import bus, signing
from portal.core.errors import Conflict, Unavailable

LOG = logging.getLogger(__name__)

PATIENCE_S = 5
_UNREACHED = gettext_noop("The hosts cannot be reached now.")


class NotYet(Conflict):
    """The host has no answer now and may have one later."""


def ask(server: Server, about: str, **given: str) -> dict[str, Any]:
    """Return what the server's host says; raises Conflict with its sentence, or Unavailable when it does not answer.

    The conflict is NotYet where the host may have an answer later.
    """
    if server.host is None:
        raise Conflict(f"Instance {server.pk} is not ready")
    question = Question(about, server.pk, secrets.token_urlsafe(16), given)
    try:
        answer = _exchange(server.host, question)
    except redis.RedisError as error:
        raise Unavailable(_UNREACHED) from error
    except (signing.BadTicket, msgspec.MsgspecError) as error:
        LOG.warning("Host %s gave an answer that was not understood: %s", server.host, error)
        raise Unavailable(f"The host of instance {server.pk} gave no answer that can be understood.") from error
    if answer is None:
        raise Unavailable(f"The host of instance {server.pk} does not answer now.")
    if answer.found is None:
        raise (NotYet if answer.later else Conflict)(answer.fault or f"Instance {server.pk} is not ready")
    return answer.found


def _exchange(host: str, question: Question) -> Answer | None:
    key, client = bus.queue_key(), _redis(settings.REDIS_URL)
    heard: Any = client.publish(question_channel(host), signing.seal(key, QUESTION_SEAL, asdict(question)))
    found: Any = client.blpop([answer_key(question.nonce)], timeout=PATIENCE_S) if heard else None
    if found is None:
        return None
    sealed = bytes(found[1]).decode("ascii", "replace")
    return msgspec.convert(signing.unseal(key, ANSWER_SEAL, sealed, QUESTION_LIFE_S), Answer)


@lru_cache(maxsize=4)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=PATIENCE_S + 2)
