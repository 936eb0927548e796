"""One conductor repairs at a time; each tells that it is alive."""

import redis
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Retries

from compute.conductor import actors
from compute.conductor.periodic import BINARIES, Leadership
from compute.messages import CONDUCTOR_QUEUE, REPORT_ACTORS
from compute.models import Service
from compute.selectors import is_up
from compute.services import host_reports
from tests.kit.queue import private_redis  # noqa: F401


def test_of_two_conductors_one_leads_and_the_other_takes_over(private_redis):  # noqa: F811
    first, second = (Leadership(redis.Redis.from_url(private_redis)) for _ in range(2))
    assert first.held()
    assert first.held()
    assert not second.held()
    first.give_up()
    assert second.held()


def test_nobody_leads_without_redis():
    assert not Leadership(redis.Redis.from_url("unix:///nowhere.sock")).held()


def test_a_heartbeat_makes_the_service_known_once(db):
    for binary in (*BINARIES, *BINARIES):
        host_reports.heartbeat(binary, "control", "0.1.0")
    assert Service.objects.count() == len(BINARIES)
    assert all(is_up(service) and service.zone == "internal" for service in Service.objects.all())


def test_every_report_has_an_actor():
    broker = StubBroker(middleware=[Retries()])
    actors.declare(broker)
    assert set(REPORT_ACTORS.values()) < set(broker.get_declared_actors())
    assert CONDUCTOR_QUEUE in broker.get_declared_queues()
