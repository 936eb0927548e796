"""Counters, topology and sealed passwords of servers, and a call that is gone."""

import time

import pytest
import redis

from compute.models import Server
from compute.services import passwords
from compute.virt.driver import never
from compute.virt.fake import FakeDriver, Pretence
from compute.worker.questions import Questions
from portal.core import bus
from portal.core.errors import BadRequest, Conflict
from tests.compute.virt import samples
from tests.kit.api import Row, check, matrix
from tests.kit.queue import private_redis  # noqa: F401

SERVERS = "/compute/v2.1/servers"


@pytest.fixture
def host(private_redis, settings, tmp_path, cloud):  # noqa: F811
    """A host that answers questions about the member's server, which runs on it."""
    settings.REDIS_URL = private_redis
    driver = FakeDriver(tmp_path, Pretence())
    driver.spawn(samples.guest(server_id=cloud.server.pk, vcpus=2), None, samples.ignore, never)
    client = redis.Redis.from_url(private_redis)
    answering = Questions(client, "host1", bus.queue_key(), driver)
    answering.start()
    while not client.pubsub_numsub("nebulet:questions:host1")[0][1]:
        time.sleep(0.01)
    yield driver
    answering.stop()


def test_an_operator_sees_what_the_hypervisor_counts(personas, cloud, host):
    path = f"{SERVERS}/{cloud.server.pk}/diagnostics"
    older = check(personas, *matrix("get", path, ok=200, who="admin", weak="member"))[-1].json()
    assert {"cpu0_time", "cpu1_time", "vda_read_req", "vda_write", "tap0_rx", "tap0_tx_drop", "memory"} <= older.keys()
    newer = check(personas, Row("admin", "get", path, 200, version="2.48"))[0].json()
    assert (newer["state"], newer["driver"], newer["hypervisor"]) == ("running", "libvirt", "fake")
    assert (newer["num_cpus"], newer["num_nics"]) == (2, 1)
    assert newer["num_disks"] == len(newer["disk_details"]) > 0
    assert newer["cpu_details"][0] == {"id": 0, "time": 1_000_000_000, "utilisation": None}

    host.power_off(cloud.server.pk, 0)
    check(personas, Row("admin", "get", path, 409, says="is not running"))


def test_a_host_that_does_not_answer_is_said_and_not_waited_for(personas, cloud, private_redis, settings):  # noqa: F811
    settings.REDIS_URL = private_redis
    path = f"{SERVERS}/{cloud.server.pk}/diagnostics"
    answer = personas.admin.api.get(path)
    assert answer.status_code == 503
    assert "does not answer now" in answer.json()["serviceUnavailable"]["message"]
    Server.objects.filter(pk=cloud.server.pk).update(host=None)
    check(personas, Row("admin", "get", path, 409, says="is not ready"))


def test_a_question_that_was_not_sealed_here_is_not_heard(private_redis, tmp_path):  # noqa: F811
    client = redis.Redis.from_url(private_redis)
    answering = Questions(client, "host1", b"k" * 32, FakeDriver(tmp_path, Pretence()))
    answering._take(b"forged")
    assert client.keys("*") == []


def test_topology_and_the_call_that_is_gone(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}/topology"
    body = check(personas, *matrix("get", path, ok=200, who="reader", version="2.78"))[-1].json()
    assert body == {"nodes": [], "pagesize_kb": None}
    check(personas, Row("member", "get", path, 404, version="2.77"))
    gone = f"{SERVERS}/{cloud.server.pk}/os-virtual-interfaces"
    assert personas.member.api.get(gone).status_code == 410
    check(personas, Row("member", "get", gone, 404, version="2.44"))


@pytest.mark.parametrize(
    ("specs", "properties", "pages"),
    [
        ({"hw:numa_nodes": "1"}, {}, None),
        ({"hw:mem_page_size": "small"}, {}, 4),
        ({"hw:mem_page_size": "large"}, {"hw_mem_page_size": "2MB"}, 2048),
        ({"hw:mem_page_size": "1GB"}, {}, 1048576),
        ({"hw:mem_page_size": "large"}, {}, None),
    ],
)
def test_a_server_that_asks_for_nodes_or_pages_has_one_node(personas, cloud, specs, properties, pages):
    Server.objects.filter(pk=cloud.server.pk).update(vcpus=2, ram_mb=1024, extra_specs=specs, image_properties=properties)
    path = f"{SERVERS}/{cloud.server.pk}/topology"
    node = {"memory_mb": 1024, "siblings": [], "vcpu_set": [0, 1]}
    answer = check(personas, Row("reader", "get", path, 200, version="2.78"))[0]
    assert answer.json() == {"nodes": [node], "pagesize_kb": pages}
    answer = check(personas, Row("admin", "get", path, 200, version="2.78"))[0]
    assert answer.json()["nodes"] == [{**node, "cpu_pinning": {}}]


def test_a_sealed_password_is_kept_once_shown_and_cleared(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}/os-server-password"
    assert check(personas, *matrix("get", path, ok=200, who="reader"))[-1].json() == {"password": ""}
    passwords.keep(server=cloud.server, sealed="c2VhbGVk")
    with pytest.raises(Conflict):
        passwords.keep(server=cloud.server, sealed="b3RoZXI=")
    with pytest.raises(BadRequest):
        passwords.keep(server=cloud.server, sealed="x" * 5000)
    assert personas.member.api.get(path).json() == {"password": "c2VhbGVk"}
    check(personas, *matrix("delete", path, ok=204, weak="reader"))
    assert personas.member.api.get(path).json() == {"password": ""}
