"""Database connections of the conductor's threads: kept while they work, given up when they are too old or broken."""

from typing import Any

from django.db import close_old_connections
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware


class DatabaseConnections(Middleware):
    """Looks after the thread's connection around each message, as Django does around each request."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        close_old_connections()

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        close_old_connections()
