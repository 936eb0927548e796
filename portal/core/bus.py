"""Messages that leave with the transaction: written down first, sent on commit, sent again if that failed.

The row is the promise; the broker may be down when a request is accepted. A message can therefore arrive twice, never not at all.
"""

import logging
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import dramatiq
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.core import broker as brokers
from portal.core import faults
from portal.core.faults import Point
from portal.core.models import OutboxMessage

LOG = logging.getLogger(__name__)

FAILURES_MOST = 5


@lru_cache(maxsize=1)
def queue_key() -> bytes:
    """Return the key that signs messages and tickets of this installation."""
    return Path(settings.QUEUE_KEY_FILE).read_bytes().strip()


@lru_cache(maxsize=1)
def broker() -> dramatiq.Broker:
    """Return this process's broker, connected on first use."""
    return brokers.make_broker(settings.BROKER_URL, queue_key())


def cast(queue: str, actor: str, payload: dict[str, Any]) -> None:
    """Send a message when the present transaction commits."""
    row = OutboxMessage.objects.create(queue=queue, actor=actor, payload=payload)
    transaction.on_commit(lambda: _deliver(row))


def waiting(older_than: timedelta = timedelta(seconds=5)) -> list[OutboxMessage]:
    """Return what was promised and not sent yet, oldest first."""
    return list(OutboxMessage.objects.filter(created_at__lt=timezone.now() - older_than).order_by("pk")[:500])


def resend(older_than: timedelta = timedelta(seconds=5)) -> int:
    """Send what is still waiting, oldest first; return how many went. When the queue takes none of several, nor would it the others now."""
    sent = failed = 0
    for row in waiting(older_than):
        went = _deliver(row)
        sent, failed = sent + bool(went), failed + 1 if went is False else 0
        if failed == FAILURES_MOST:
            break
    return sent


def _deliver(row: OutboxMessage) -> bool | None:
    """Return whether the queue took it; None when nothing could make a message of it."""
    subject = str(row.payload.get("server_id", ""))
    faults.reach(Point.COMMITTED, subject)
    try:
        brokers.send(broker(), row.queue, row.actor, row.payload)
    except (TypeError, ValueError):
        LOG.exception("Message %s cannot be sent", row)
        return None
    except Exception as error:  # any broker's connection error: the row stays, the sweep tries again
        LOG.warning("Message %s waits in the outbox: %s", row, error)
        return False
    faults.reach(Point.SENT, subject)
    OutboxMessage.objects.filter(pk=row.pk).delete()
    return True
