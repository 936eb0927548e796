"""The console log on its way into a real Redis stream."""

import time

import pytest
import redis

from compute.worker import console
from compute.worker.console import FIRST_BYTES, KEPT_BYTES, LEASE, STREAM, ConsoleTailer
from tests.compute.virt.samples import SERVER_ID
from tests.kit.queue import private_redis  # noqa: F401
from tests.kit.waiting import wait_for

KEY = STREAM + SERVER_ID


@pytest.fixture
def client(private_redis):  # noqa: F811
    return redis.Redis.from_url(private_redis)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "console.log"


@pytest.fixture
def tailer(client, log):
    tailer = ConsoleTailer(client, "host1", lambda _server_id: log)
    tailer.start()
    wait(lambda: client.pubsub_numsub("nebulet:console:host1")[0][1] == 1)
    time.sleep(0.2)  # it first looks for leases that are there already
    yield tailer
    tailer.stop()


def wait(probe):
    return wait_for("the reader of the log", probe, 5, every=0.02)


def read(client):
    return [fields for _id, fields in client.xrange(KEY)]


def text(client):
    return b"".join(fields.get(b"d", b"") for fields in read(client))


def marks(client):
    return [fields[b"e"] for fields in read(client) if b"e" in fields]


def lease(client, seconds=15):
    client.set(LEASE + SERVER_ID, "1", ex=seconds)
    client.publish("nebulet:console:host1", SERVER_ID)


def test_without_a_lease_nothing_is_sent(client, tailer, log):
    log.write_bytes(b"boot\n")
    time.sleep(0.4)

    assert read(client) == []


def test_a_reader_gets_the_end_of_the_log_and_then_what_is_new(client, tailer, log):
    log.write_bytes(b"a" * 300_000 + b"login: ")
    lease(client)
    wait(lambda: marks(client) == [b"caught-up"])
    assert text(client) == (b"a" * 300_000 + b"login: ")[-FIRST_BYTES:]
    assert int(read(client)[0][b"o"]) == 300_007 - FIRST_BYTES

    with log.open("ab") as file:
        file.write(b"root\n")

    wait(lambda: text(client).endswith(b"root\n"))
    assert int(read(client)[-1][b"o"]) == 300_007


def test_a_second_reader_is_told_that_all_is_there(client, tailer, log):
    log.write_bytes(b"x")
    lease(client)
    wait(lambda: marks(client) == [b"caught-up"])
    lease(client)

    wait(lambda: marks(client) == [b"caught-up"] * 2)


def test_a_log_that_comes_later_is_followed(client, tailer, log):
    lease(client)
    wait(lambda: marks(client) == [b"caught-up"])
    log.write_bytes(b"first line\n")

    wait(lambda: text(client) == b"first line\n")


def test_a_restart_begins_anew(client, tailer, log):
    log.write_bytes(b"old " * 100)
    lease(client)
    wait(lambda: text(client))
    log.write_bytes(b"new")

    wait(lambda: text(client).endswith(b"new"))
    assert marks(client)[-1] == b"restarted"
    assert int(read(client)[-1][b"o"]) == 0


def test_a_rotated_log_is_read_to_its_end_first(client, tailer, log):
    log.write_bytes(b"one ")
    lease(client)
    wait(lambda: text(client))
    with log.open("ab") as file:
        file.write(b"two ")
    log.rename(log.with_name("console.log.0"))
    log.write_bytes(b"three")

    wait(lambda: text(client) == b"one two three")


def test_a_chattering_guest_does_not_fill_the_queue(client, tailer, log):
    log.write_bytes(b"")
    lease(client)
    wait(lambda: marks(client))
    with log.open("ab") as file:
        for _ in range(20):
            file.write(b"z" * 250_000)
            file.flush()
            time.sleep(0.1)
    time.sleep(1)

    assert sum(len(fields.get(b"d", b"")) for fields in read(client)) <= KEPT_BYTES
    assert client.memory_usage(KEY) < 2 * KEPT_BYTES


def test_a_lease_that_ends_stops_the_tail(client, tailer, log, monkeypatch):
    monkeypatch.setattr(console, "_LEASES_EVERY_S", 0.1)
    log.write_bytes(b"x")
    lease(client, seconds=1)
    wait(lambda: tailer._tails)  # its text arrives before it is one of those that are looked at
    wait(lambda: not tailer._tails)
    with log.open("ab") as file:
        file.write(b"unseen")
    time.sleep(0.3)

    assert text(client) == b"x"
    assert 0 < client.ttl(KEY) <= 60


def test_a_lease_from_before_a_restart_is_taken_up(client, log):
    log.write_bytes(b"still here")
    client.set(LEASE + SERVER_ID, "1", ex=15)
    tailer = ConsoleTailer(client, "host1", lambda _server_id: log)
    tailer.start()

    wait(lambda: text(client) == b"still here")
    tailer.stop()


def test_a_build_has_a_lease_of_its_own(client, tailer, log):
    log.write_bytes(b"boot")
    tailer.build_begins(SERVER_ID)

    wait(lambda: text(client) == b"boot")
    assert 0 < client.ttl(LEASE + SERVER_ID) <= 60


@pytest.mark.parametrize("word", ["../../etc/passwd", "x", "A" * 36])
def test_words_that_are_no_ids_are_not_followed(client, tailer, word):
    client.publish("nebulet:console:host1", word)
    time.sleep(0.2)

    assert not tailer._tails
