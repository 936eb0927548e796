"""``manage.py conductor``: alone writes what happened on hosts; places builds; repairs."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from dramatiq import Broker, Worker

from compute.conductor import actors
from compute.conductor.connections import DatabaseConnections
from compute.conductor.periodic import Clock
from compute.conductor.worker import ConductorWorker
from compute.messages import CONDUCTOR_QUEUE
from images.conductor import actors as image_actors
from images.services import tasks
from portal.core import bus, faults, log
from portal.core.broker import IDLE_POLL_MS, make_broker
from portal.core.faults import Process

LOG = logging.getLogger(__name__)

THREADS = 4
IMAGE_THREADS = 2
STOP_MS = 4000


class Command(BaseCommand):
    help = "Run the conductor until it is told to stop."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        log.configure(**settings.LOG, service="compute")
        faults.listen(settings.FAULTS, Process.CONDUCTOR)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        conducting = bus.broker(), actors.declare, CONDUCTOR_QUEUE, THREADS
        # a broker of their own: dramatiq has one worker for each
        importing = make_broker(settings.BROKER_URL, bus.queue_key()), image_actors.declare, tasks.QUEUE, IMAGE_THREADS
        workers = [_worker(ConductorWorker, *conducting), _worker(Worker, *importing)]
        clock = Clock()
        for worker in workers:
            worker.start()
        clock.start()
        LOG.info("Conductor started")
        stopping.wait()
        LOG.info("Conductor is stopping")
        clock.stop()
        for worker in reversed(workers):
            worker.stop(timeout=STOP_MS // 2)
            worker.broker.close()


def _worker(kind: type[Worker], broker: Broker, declare: Callable[[Broker], None], queue: str, threads: int) -> Worker:
    broker.add_middleware(DatabaseConnections())
    declare(broker)
    return kind(broker, queues={queue}, worker_threads=threads, worker_timeout=IDLE_POLL_MS)
