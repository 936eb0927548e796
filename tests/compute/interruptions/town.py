"""A whole cloud whose every process may be killed: each piece of work is done by a process of its own, on one database and one disk.

What the queue does with a message whose reader died is done here too: it is given to the next one.
"""

import asyncio
import json
import os
import signal
import socket
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import uvicorn
from django.db import connections
from dramatiq import Message
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from compute.conductor import actors
from compute.messages import CONDUCTOR_QUEUE
from compute.virt.fake import FakeDriver
from compute.worker.actors import register
from compute.worker.build import Builder
from compute.worker.commands import Commands
from compute.worker.copies import CopyCommands
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations
from compute.worker.reporter import Reporter
from compute.worker.resizes import ResizeCommands
from images.api.v2.receiver import receive
from portal.core import bus, faults
from portal.core.faults import Process

HOST = "host-1"


class Mailbox(StubBroker):
    """A queue in a file, so that what a process sent before it was killed is sent."""

    def __init__(self, file: Path) -> None:
        super().__init__(middleware=[Retries()])
        self.file, self._taken = file, 0
        file.touch()

    def enqueue(self, message, *, delay=None):
        line = json.dumps([message.queue_name, message.actor_name, message.kwargs]) + "\n"
        with self.file.open("a") as box:
            box.write(line)
        return message

    def take(self) -> list[Message]:
        """Return what came since the last time."""
        lines = self.file.read_text().splitlines()
        fresh, self._taken = lines[self._taken :], len(lines)
        return [Message(queue_name=q, actor_name=a, args=(), kwargs=k, options={}) for q, a, k in map(json.loads, fresh)]


class Nothing:
    """An image cache that is not asked: a pretended host needs no images."""

    def fetch(self, image, tell):
        raise AssertionError


class Town:
    """Web, conductor and one host."""

    def __init__(self, folder: Path) -> None:
        self.instances, self.armed = folder / "instances", folder / "armed"
        self.armed.mkdir()
        self.mail = Mailbox(folder / "mail")
        self.conductor = StubBroker(middleware=[Retries()])
        actors.declare(self.conductor)

    def driver(self) -> FakeDriver:
        """Return a host as one that was just started finds it."""
        return FakeDriver(self.instances, register=self.instances / "guests.json")

    def host(self) -> StubBroker:
        """Return what takes the host's commands, in a process that was just started."""
        broker, driver, operations = StubBroker(middleware=[Retries()]), self.driver(), Operations()
        reporter = Reporter(self.mail, HOST)
        builder = Builder(driver, Nothing(), reporter, operations)
        ledger = Ledger(self.instances / "_ledger")
        commands = Commands(driver, builder, reporter, operations, ledger=ledger)
        copies = CopyCommands(
            driver, commands, reporter, operations, images=Nothing(), builder=builder, instances=self.instances
        )
        register(broker, HOST, commands, copies, ResizeCommands(driver, commands, operations, ledger))
        return broker

    def in_process(self, process: Process, deed: Callable[[], object]) -> bool:
        """Do something in a process of its own; return whether it lived to the end."""
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                faults.listen(self.armed, process)
                deed()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return False
        assert os.WEXITSTATUS(status) == 0, "it failed, see above"
        return True

    def ask(self, deed: Callable[[], object]) -> None:
        """Have the web do something."""
        self._do(Process.WEB, deed)

    def settle(self) -> None:
        """Let everybody work until there is nothing to do; what a dead process had taken is given to the next one."""
        waiting = self.mail.take()
        while waiting:
            message = waiting.pop(0)
            if not self._handle(message):
                waiting.append(message)
            waiting += self.mail.take()
            if not waiting:
                bus.resend(timedelta(seconds=-1))  # what the sweep does with what was never sent
                waiting = self.mail.take()

    def repair(self) -> None:
        """Send what a dead process left in the outbox, then let everybody work."""
        bus.resend(timedelta(seconds=-1))
        self.settle()

    def _handle(self, message: Message) -> bool:
        if message.queue_name == CONDUCTOR_QUEUE:
            return self._do(Process.CONDUCTOR, lambda: self.conductor.get_actor(message.actor_name).fn(**message.kwargs))
        return self._do(Process.COMPUTE, lambda: self.host().get_actor(message.actor_name).fn(**message.kwargs))

    def _do(self, process: Process, deed: Callable[[], object]) -> bool:
        """Do it here unless somebody is to die of it: another process for each message takes its time."""
        if any(self.armed.glob(f"{process}.*")):
            return self.in_process(process, deed)
        deed()
        return True


class ImageService:
    """The part of the web that takes the bytes of images, in a process of its own."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(16)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._pid = 0

    def start(self) -> None:
        connections.close_all()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                server = uvicorn.Server(uvicorn.Config(receive, lifespan="off", log_config=None))
                asyncio.run(server.serve([self._listening]))
            finally:
                os._exit(0)

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._listening.close()
