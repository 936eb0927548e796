"""``manage.py conductor``: alone writes what happened on hosts; places builds; repairs."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from dramatiq import Worker

from compute.conductor import actors
from compute.conductor.connections import DatabaseConnections
from compute.conductor.periodic import Clock
from compute.messages import CONDUCTOR_QUEUE
from portal.core import bus, log
from portal.core.broker import IDLE_POLL_MS

LOG = logging.getLogger(__name__)

THREADS = 4
STOP_MS = 4000


class Command(BaseCommand):
    help = "Run the conductor until it is told to stop."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        log.configure(**settings.LOG, service="compute")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        broker = bus.broker()
        broker.add_middleware(DatabaseConnections())
        actors.declare(broker)
        worker = Worker(broker, queues={CONDUCTOR_QUEUE}, worker_threads=THREADS, worker_timeout=IDLE_POLL_MS)
        clock = Clock()
        worker.start()
        clock.start()
        LOG.info("Conductor started")
        stopping.wait()
        LOG.info("Conductor is stopping")
        clock.stop()
        worker.stop(timeout=STOP_MS)
        broker.close()
