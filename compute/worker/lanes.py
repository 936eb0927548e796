"""Worker threads in lanes: a destroy never waits behind builds, nor a start behind guests that take their time to shut down,
nor a build behind images that are fetched ahead. Whose server is busy waits in no lane (``operations.alone``)."""

from queue import Empty, PriorityQueue
from typing import Any

from dramatiq import Broker, Message, Worker
from dramatiq.worker import WorkerThread

from compute.copy_messages import COPY_ACTORS, CopyDisk, Rebuild, Rescue, Unshelve
from compute.messages import COMMAND_ACTORS, Change, FetchImage, PowerOff, Reboot, Resize, Spawn
from compute.port_messages import DetachInterface
from portal.core.broker import IDLE_POLL_MS

URGENT = "urgent"
THREADS = {URGENT: 4, "builds": 4, "patient": 8, "ahead": 1, "copies": 2}
_LANES = {
    COPY_ACTORS[Rebuild]: "builds",
    COPY_ACTORS[Unshelve]: "builds",
    COPY_ACTORS[Rescue]: "builds",
    COPY_ACTORS[CopyDisk]: "copies",
    COMMAND_ACTORS[Spawn]: "builds",
    COMMAND_ACTORS[FetchImage]: "ahead",
    COMMAND_ACTORS[PowerOff]: "patient",
    COMMAND_ACTORS[Reboot]: "patient",
    COMMAND_ACTORS[DetachInterface]: "patient",
    COMMAND_ACTORS[Change]: "patient",
    COMMAND_ACTORS[Resize]: "patient",
}
_PREFETCH = 1_000
_IDLE_MS = IDLE_POLL_MS


class Lanes:
    """A queue to those who put, several to those who take."""

    def __init__(self) -> None:
        self.by_name: dict[str, PriorityQueue[Any]] = {name: PriorityQueue() for name in THREADS}

    def put(self, item: Any) -> None:
        """Put a message into its lane."""
        self.by_name[_lane(item.message)].put(item)

    def get_nowait(self) -> Any:
        """Return any waiting message: at shutdown they go back to the broker."""
        for lane in self.by_name.values():
            if not lane.empty():
                return lane.get_nowait()
        raise Empty

    def task_done(self) -> None:
        """Nobody waits for all of them to be done."""


def _lane(message: Message[Any]) -> str:
    """Return where a message waits; a hard reboot ends a patient one, so it must not wait behind it."""
    hard = message.actor_name == COMMAND_ACTORS[Reboot] and message.kwargs.get("hard")
    return URGENT if hard else _LANES.get(message.actor_name, URGENT)


class HostWorker(Worker):
    """dramatiq's worker with lanes. Many messages are taken early, so that urgent ones are seen behind hundreds of builds.

    It reads its own queue only: on RabbitMQ whoever sends to a queue knows it, and dramatiq reads every queue it knows.
    """

    def __init__(self, broker: Broker, queue: str) -> None:
        super().__init__(broker, queues={queue}, worker_timeout=_IDLE_MS, worker_threads=sum(THREADS.values()))
        self.queue_prefetch = _PREFETCH
        self.lanes = Lanes()
        self.work_queue = self.lanes  # type: ignore[assignment]
        self._next = [name for name, count in THREADS.items() for _ in range(count)]

    def _add_worker(self) -> None:
        worker = WorkerThread(
            broker=self.broker,
            consumers=self.consumers,
            work_queue=self.lanes.by_name[self._next.pop()],
            worker_timeout=self.worker_timeout,
        )
        worker.start()
        self.workers.append(worker)
