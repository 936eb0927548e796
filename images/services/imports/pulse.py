"""The sign of life of a run: written every few seconds by a thread of its own, however long a disk or a step takes."""

import logging
import threading

from django.db import DatabaseError, connection

from images.models import ImageTask

LOG = logging.getLogger(__name__)

BEAT_S = 5


class Pulse(threading.Thread):
    """Tells that a run is alive and how far it is; ``lost`` says that the task is no longer the run's."""

    def __init__(self, task_id: str, run_id: str) -> None:
        super().__init__(name=f"image-task-{task_id[:8]}", daemon=True)
        self.lost = False
        self.progress = 0
        self._task_id = task_id
        self._run_id = run_id
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            while not self.lost and not self._ended.wait(BEAT_S):
                self._beat()
        finally:
            connection.close()

    def stop(self) -> None:
        """End after the beat that runs now."""
        self._ended.set()
        self.join()

    def _beat(self) -> None:
        try:
            self.lost = not ImageTask.objects.alive(self._task_id, self._run_id, self.progress)
        except DatabaseError as error:  # the next beat may come through
            LOG.warning("Task %s could not tell that it is alive: %s", self._task_id, error)
