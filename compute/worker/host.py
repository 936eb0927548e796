"""One compute host, put together from its configuration."""

import logging
import threading
from pathlib import Path

import dramatiq
import redis

from compute.messages import GuestChanged, host_queue
from compute.port_messages import FiltersWanted
from compute.states import PowerState
from compute.virt.driver import Driver
from compute.virt.fake import FakeDriver
from compute.worker import memory
from compute.worker.actors import register
from compute.worker.build import Builder
from compute.worker.commands import Commands
from compute.worker.config import Config
from compute.worker.console import ConsoleTailer
from compute.worker.copies import CopyCommands
from compute.worker.heartbeat import Heartbeat
from compute.worker.holdings import Holdings
from compute.worker.image_commands import ImageCommands
from compute.worker.images import FileImageCache
from compute.worker.lanes import HostWorker
from compute.worker.ledger import Ledger
from compute.worker.metadata.doorway import Doorway
from compute.worker.metadata.service import Metadata
from compute.worker.metadata.source import Source
from compute.worker.operations import Operations
from compute.worker.port_commands import PortCommands
from compute.worker.questions import Questions
from compute.worker.relay import Relay
from compute.worker.reporter import Reporter
from compute.worker.resizes import ResizeCommands
from deploy.launcher import hypervisor, moved

LOG = logging.getLogger(__name__)

_STOP_MS = 8_000


class Host:
    """Everything that runs in the worker's process."""

    def __init__(self, config: Config, broker: dramatiq.Broker, driver: Driver | None = None) -> None:
        self.config = config
        self.driver = driver or make_driver(config)
        self.operations = Operations()
        self._ending = threading.Event()
        self._reporter = Reporter(broker, config.host)
        base = config.instances / "_base"
        images = FileImageCache(base)
        holdings = Holdings(base, self.driver.bases, keep_days=config.image_cache_days)
        self._heartbeat = Heartbeat(
            self.driver,
            self._reporter,
            holdings,
            version=config.version,
            relay=config.relay,
            resumes=config.resume_guests,
            also=self._ask_for_filters,
        )
        client = redis.Redis.from_url(config.redis_url)
        self._console = ConsoleTailer(client, config.host, self.driver.console_log)
        self._questions = Questions(client, config.host, config.queue_key, self.driver)
        self._relay = Relay(self.driver, config.queue_key, config.relay)
        source = Source(config.public_url, config.queue_key, config.host)
        self._metadata = Metadata(self.driver, source, Doorway(config.name, config.metadata_port), config.metadata_port)
        builder = Builder(self.driver, images, self._reporter, self.operations, key=config.queue_key, keeping=holdings.kept)
        ledger = Ledger(config.instances / "_ledger")
        commands = Commands(
            self.driver,
            builder,
            self._reporter,
            self.operations,
            ledger=ledger,
            before_build=self._console.build_begins,
            after=self._after,
        )
        caching = ImageCommands(images, holdings, self._reporter, self.operations, after=self._after)
        self._plugging = PortCommands(self.driver, self._reporter, self.operations)
        copies = CopyCommands(
            self.driver,
            commands,
            self._reporter,
            self.operations,
            images=images,
            builder=builder,
            instances=config.instances,
            keeping=holdings.kept,
        )
        resizes = ResizeCommands(self.driver, commands, self.operations, ledger)
        register(broker, config.host, commands, caching, self._plugging, copies, resizes)
        self._worker = HostWorker(broker, host_queue(config.host))

    def start(self) -> None:
        """Take up work; returns at once."""
        self._relay.start()
        self._console.start()
        self._questions.start()
        self.driver.watch(self._changed, self._heartbeat.soon)
        self._heartbeat.start()
        self._metadata.start()
        self._worker.start()
        memory.give_back(thorough=True)
        LOG.info("Host %s works with driver %s", self.config.host, self.config.driver)

    def stop(self) -> None:
        """End within ten seconds. What was under way goes back to the queue.

        Guests may be going down with the machine, which is not their own doing: the next worker tells what they are.
        """
        self._ending.set()
        self._heartbeat.stop()
        self.operations.stop()
        self._worker.stop(timeout=_STOP_MS)

    def _ask_for_filters(self) -> None:
        """Have the filters of all cards sent once; the question or the answer may be lost."""
        if not self._plugging.filtered.is_set():
            self._reporter.try_send(FiltersWanted(self.config.host, self._reporter.now()))

    def _after(self) -> None:
        self._heartbeat.soon()
        self._metadata.soon()
        memory.give_back()

    def _changed(self, server_id: str, state: PowerState) -> None:
        if self._ending.is_set():
            return
        LOG.debug("Guest changed to %s", state.name, extra={"server_id": server_id})
        self._reporter.try_send(GuestChanged(self.config.host, server_id, state, self._reporter.now()))
        self._heartbeat.soon()


def make_driver(config: Config) -> Driver:
    """Return the driver that the configuration names; raises SystemExit with a sentence where guests could fill the disk or not start."""
    if config.driver == "fake":
        register_file = config.instances / f"fake-{config.host}.json"
        return FakeDriver(config.instances, config.pretence, register=register_file, sockets=Path(config.run_dir))
    from compute.virt.libvirt.driver import LibvirtDriver, Options  # a pretended host has no libvirt

    reason = hypervisor.unbounded_logs() or moved.moved_guests(config.instances)
    if reason is not None:
        raise SystemExit(reason)
    return LibvirtDriver(
        Options(
            uri=config.libvirt_uri,
            instances=config.instances,
            installation=config.name,
            version=config.version,
            virt_type=config.virt_type,
            cpu=config.cpu,
            reachable=config.guests_may_reach,
        )
    )
