"""Answers what somebody asks of a guest while he waits. Questions and answers are sealed with the installation's queue key.

A question that nobody hears is lost, and that is right: whoever asked has given up by the time it could be answered.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec
import redis

from compute.messages import (
    ANSWER_SEAL,
    DIAGNOSTICS,
    QUESTION_LIFE_S,
    QUESTION_SEAL,
    SET_PASSWORD,
    Answer,
    Question,
    answer_key,
    question_channel,
)
from compute.virt.driver import Driver
from compute.virt.errors import AgentSilent, DriverError, HypervisorUnreachable
from portal.core import faults, log
from portal.core.faults import Point
from portal.core.signing import BadTicket, seal, unseal

LOG = logging.getLogger(__name__)

_IDLE_S = 60.0


class Questions:
    """A thread that answers one question after the other."""

    def __init__(self, client: redis.Redis, host: str, key: bytes, driver: Driver) -> None:
        self._client = client
        self._channel = question_channel(host)
        self._key = key
        self._askable: dict[str, Callable[..., Any]] = {
            DIAGNOSTICS: lambda server_id: asdict(driver.diagnostics(server_id)),
            SET_PASSWORD: driver.set_password,
        }
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._run, name="questions", daemon=True).start()

    def stop(self) -> None:
        """End after the next question."""
        self._stopped.set()

    def answer(self, question: Question) -> Answer:
        """Return what the driver says."""
        ask = self._askable.get(question.about)
        if ask is None:
            return Answer(fault=f"This host cannot tell the {question.about} of a server.")
        try:
            return Answer(found=ask(question.server_id, **question.given) or {})
        except (DriverError, HypervisorUnreachable) as error:
            return Answer(fault=str(error), later=isinstance(error, AgentSilent))
        except Exception:
            LOG.exception("The %s of a guest could not be told", question.about)
            return Answer(fault="The host failed unexpectedly.")

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                LOG.warning("Questions are not heard for now: %s", error)
            except Exception:
                LOG.exception("A question was lost")
            self._stopped.wait(1)

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=True) as asked:  # type: ignore[no-untyped-call]
            asked.subscribe(self._channel)
            while not self._stopped.is_set():
                notice = asked.get_message(timeout=_IDLE_S)
                if notice is not None and isinstance(notice["data"], bytes):
                    self._take(notice["data"])

    def _take(self, sealed: bytes) -> None:
        try:
            ticket = sealed.decode("ascii", "replace")
            question = msgspec.convert(unseal(self._key, QUESTION_SEAL, ticket, QUESTION_LIFE_S), Question)
        except (BadTicket, msgspec.MsgspecError) as error:
            LOG.warning("A question was not understood: %s", error)
            return
        with log.bound(server_id=question.server_id):
            faults.reach(Point.RECEIVED, question.server_id)
            answer = seal(self._key, ANSWER_SEAL, asdict(self.answer(question)))
            faults.reach(Point.WORKED, question.server_id)
            with self._client.pipeline() as pipe:
                pipe.rpush(answer_key(question.nonce), answer)
                pipe.expire(answer_key(question.nonce), QUESTION_LIFE_S)
                pipe.execute()
