"""The message broker of every process: Redis or RabbitMQ, signed messages, no Django.

Facts behind the settings: Redis hands a killed worker's message to the next one only through dramatiq's maintenance pass, which by
default runs by chance and so hardly ever on a quiet queue; and its consumer sleeps between empty polls, which alone costs
50 to 400 ms a message. Both are mended here; the poll stays as the safety net.
"""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name
from dramatiq.encoder import Encoder, MessageData
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.message import Message
from dramatiq.middleware import AgeLimit, Callbacks, Middleware, Pipelines, Retries, ShutdownNotifications
from redis.exceptions import OutOfMemoryError

LOG = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT_MS = 12_000
IDLE_POLL_MS = 2_000
RETRY_MIN_MS = 500
RETRY_MAX_MS = 30_000
_NO_DISK = "MISCONF"


class QueueFull(redis.ConnectionError):
    """Redis answers and takes nothing, since its disk or its memory is full. Who sends or takes messages tries again, as when it is away."""


class SignedEncoder(Encoder):
    """Messages are JSON behind an HMAC-SHA256; what does not verify does not decode."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, data: MessageData) -> bytes:
        body = json.dumps(data, separators=(",", ":")).encode()
        return self._signature(body) + body

    def decode(self, data: bytes) -> MessageData:
        signature, body = data[:64], data[64:]
        if not hmac.compare_digest(signature, self._signature(body)):
            raise DecodeError("The message is not signed with this installation's key.", data[:80], None)
        decoded: MessageData = json.loads(body)
        return decoded

    def _signature(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest().encode()


class Discretion(Middleware):
    """Keeps an actor's own logger from its debug level, at which dramatiq shows all that a message brings: user data, addresses."""

    def after_declare_actor(self, broker: dramatiq.Broker, actor: dramatiq.Actor[Any, Any]) -> None:
        actor.logger.setLevel(logging.INFO)


_RedisConsumer: type[Consumer] = RedisBroker.consumer_class.fget(None)  # type: ignore[attr-defined]


class WakingConsumer(_RedisConsumer):  # type: ignore[misc, valid-type]
    """A Redis consumer that waits for a knock instead of sleeping."""

    def __init__(self, broker: "WakingRedisBroker", queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, 0)
        self._idle_s = timeout / 1000
        self._knocked = broker.bell(queue_name)
        self._begins = queue_name == dq_name(queue_name)

    def __next__(self) -> MessageProxy | None:
        self._knocked.clear()
        try:
            if self._begins:
                self._take_back()
            message: MessageProxy | None = super().__next__()
        except DecodeError as error:
            self._drop(error)
            return None
        except ConnectionClosed as error:
            if not isinstance(error.args[0], QueueFull):
                raise
            # Not raised: dramatiq would forget what is delayed. What was sent before stays where it is.
            LOG.error("Queue %s gives and takes nothing until there is room: %s", self.queue_name, error)
            message = None
        if message is None:
            self._knocked.wait(self._idle_s)
        return message

    def ack(self, message: MessageProxy) -> None:
        super().ack(message)
        self._knocked.set()

    def nack(self, message: MessageProxy) -> None:
        super().nack(message)
        self._knocked.set()

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give messages back; raises dramatiq's own error where that cannot be, since any other would end the consumer for good."""
        with _translated():
            super().requeue(messages)

    def _take_back(self) -> None:
        """Begin with the delayed messages of the consumer before: when it failed, dramatiq forgot them, and they are this worker's still."""
        with _translated():
            taken = self.broker.client.smembers(f"{self.broker.namespace}:__acks__.{self.broker.broker_id}.{self.queue_name}")
            if taken:
                self.broker.do_requeue(self.queue_name, *(one.decode() for one in taken))
        self._begins = False

    def _drop(self, error: DecodeError) -> None:
        LOG.error("Dropped a message on queue %s: %s", self.queue_name, error)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except redis.ConnectionError as error:
        raise ConnectionClosed(error) from None


class WakingRedisBroker(RedisBroker):
    """Redis broker whose consumers start within milliseconds of a message."""

    def __init__(self, *, url: str, **options: Any) -> None:
        super().__init__(url=url, **options)
        self._bells: dict[str, threading.Event] = {}
        self._listener: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def consumer_class(self) -> type[Consumer]:
        return WakingConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        sent = super().enqueue(message, delay=delay)
        self.client.publish(self._channel, message.queue_name)
        return sent

    def _dispatch(self, command: str) -> Callable[..., Any]:
        """Return what carries out one of dramatiq's commands."""
        dispatch = super()._dispatch(command)

        def carry_out(*arguments: Any) -> Any:
            try:
                return dispatch(*arguments)
            except redis.ResponseError as error:
                if isinstance(error, OutOfMemoryError) or str(error).startswith(_NO_DISK):
                    raise QueueFull(str(error)) from error
                raise

        return carry_out

    def bell(self, queue_name: str) -> threading.Event:
        """Return the event that rings when a message arrives on the queue."""
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="queue-bell", daemon=True)
                self._listener.start()
            return self._bells.setdefault(queue_name, threading.Event())

    @property
    def _channel(self) -> str:
        return f"{self.namespace}:bell"

    def _listen(self) -> None:
        while True:
            try:
                with self.client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    pubsub.subscribe(self._channel)
                    for notice in pubsub.listen():
                        bell = self._bells.get(notice["data"].decode())
                        if bell is not None:
                            bell.set()
            except (redis.RedisError, OSError):
                time.sleep(1)


def make_broker(url: str, key: bytes) -> dramatiq.Broker:
    """Return the broker for ``url`` (redis://, unix:// or amqp://) and make it dramatiq's own.

    ``key`` signs every message.
    """
    dramatiq.set_encoder(SignedEncoder(key))
    middleware: list[Middleware] = [
        Discretion(),
        AgeLimit(),
        ShutdownNotifications(),
        Callbacks(),
        Pipelines(),
        Retries(min_backoff=RETRY_MIN_MS, max_backoff=RETRY_MAX_MS),
    ]
    broker: dramatiq.Broker
    if urlsplit(url).scheme.startswith("amqp"):
        from portal.core.rabbitmq import ConfirmingRabbitmqBroker  # pika is only for those who use it

        broker = ConfirmingRabbitmqBroker(url=url, middleware=middleware)
    else:
        broker = WakingRedisBroker(
            url=url,
            middleware=middleware,
            namespace="nebulet",
            maintenance_chance=1_000_000,
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        )
    dramatiq.set_broker(broker)
    return broker


def send(broker: dramatiq.Broker, queue: str, actor: str, payload: dict[str, Any]) -> None:
    """Put one message on a queue; the actor need not be known to this process."""
    message: Message[Any] = Message(queue_name=queue, actor_name=actor, args=(), kwargs=payload, options={})
    broker.enqueue(message)
    LOG.debug("Sent %s %s to queue %s, server %s", actor, message.message_id, queue, payload.get("server_id", "-"))
