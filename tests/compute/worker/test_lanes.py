"""Which messages a host takes."""

from dramatiq.brokers.stub import StubBroker

from compute.worker.lanes import HostWorker


def test_a_host_reads_its_own_queue_only():
    """A broker reads every queue it knows, and RabbitMQ's comes to know the conductor's by sending to it."""
    broker = StubBroker()
    worker = HostWorker(broker, "compute.one")
    worker.start()
    try:
        broker.declare_queue("compute.one")
        broker.declare_queue("conductor")

        assert {name.removesuffix(".DQ") for name in worker.consumers} == {"compute.one"}
    finally:
        worker.stop()
