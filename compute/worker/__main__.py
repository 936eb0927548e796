"""`python -m compute.worker`: the compute host's process. It drives the hypervisor, reports, and writes to no database."""

import os
import queue
import signal
import sys

import redis

from compute.worker import memory
from compute.worker.config import Config
from compute.worker.host import Host
from compute.worker.place import Place
from portal.core import connections, faults, log
from portal.core.broker import make_broker
from portal.core.faults import Process


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    memory.keep_together()
    connections.allow_many()
    config = Config.read()
    log.configure(debug=config.debug, form=config.log_format, switch=config.run_dir / "debug", service="compute")
    faults.listen(config.faults, Process.COMPUTE)
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _frame: ended.put(caught))
    client = redis.Redis.from_url(config.redis_url, socket_timeout=2, socket_connect_timeout=2)
    place = Place(config.place, client, config.host)
    place.take()
    place.keep(lambda: ended.put(signal.SIGTERM))
    host = Host(config, make_broker(config.broker_url, config.queue_key))
    host.start()
    ended.get()
    host.stop()
    # A thread that waits for the hypervisor must not hold the process up; its message is not acknowledged and comes again.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
