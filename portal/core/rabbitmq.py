"""The broker on RabbitMQ: one connection per process to send on, kept alive, and every message confirmed.

dramatiq's own keeps one per thread. Nobody answers RabbitMQ's heartbeats on it while the thread has nothing to send, so RabbitMQ closes
it after a minute or two, and the next message is written to a closed connection and is gone without an error.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from dramatiq.brokers import rabbitmq
from dramatiq.errors import ConnectionClosed
from dramatiq.message import Message
from dramatiq.middleware import Middleware
from pika.exceptions import AMQPError

LOG = logging.getLogger(__name__)

CONNECT_S = 5
BLOCKED_S = 5
TURN_S = 5
PULSE_S = 5
rabbitmq.MAX_ENQUEUE_ATTEMPTS = 2  # the old connection, then a new one; whoever sends keeps what could not be sent


class ConfirmingRabbitmqBroker(rabbitmq.RabbitmqBroker):
    """RabbitMQ broker whose ``enqueue`` returns when RabbitMQ has the message, and raises ConnectionClosed soon when it cannot."""

    def __init__(self, *, url: str, middleware: list[Middleware]) -> None:
        super().__init__(url=url, middleware=middleware, confirm_delivery=True)
        for server in self.parameters if isinstance(self.parameters, list) else [self.parameters]:
            server.blocked_connection_timeout = BLOCKED_S
            server.socket_timeout = server.stack_timeout = CONNECT_S
            server.tcp_options = {"TCP_USER_TIMEOUT": CONNECT_S * 1000}
        self.state: Any = SimpleNamespace()  # where dramatiq keeps the thread's connection: here all threads take turns
        self._lock = threading.RLock()
        threading.Thread(target=self._answer_heartbeats, name="rabbitmq-pulse", daemon=True).start()

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        with self._turn():
            return super().enqueue(message, delay=delay)

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        with self._turn():
            super().declare_queue(queue_name, ensure=ensure)

    def close(self) -> None:
        with self._turn():
            super().close()
            self.state = SimpleNamespace()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Have the connection to oneself; what RabbitMQ or the way to it refuses rises as one kind of error."""
        if not self._lock.acquire(timeout=TURN_S):
            raise ConnectionClosed("RabbitMQ does not take the messages that were first.")
        try:
            yield
        except (AMQPError, OSError) as error:
            raise ConnectionClosed(error) from error
        finally:
            self._lock.release()

    def _answer_heartbeats(self) -> None:
        while True:
            time.sleep(PULSE_S)
            with self._lock:
                connection = getattr(self.state, "connection", None)
                if connection is None:
                    continue
                try:
                    if connection.is_open:
                        connection.process_data_events(time_limit=0)
                        continue
                except (AMQPError, OSError) as error:
                    LOG.info("The connection to RabbitMQ was lost: %s", error)
                del self.connection  # the next message opens another
