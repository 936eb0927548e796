"""A request's head is bounded before anybody is known."""

import socket
import threading
import time

import pytest
import uvicorn

from portal.protocol import MAX_HEAD_BYTES, BoundedHttpProtocol


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def address():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(answer, http=BoundedHttpProtocol, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


def ask(address, *parts):
    """Send the parts until the server ends or answers; return what it said."""
    with socket.create_connection(address, timeout=5) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(0.001)
        except ConnectionError:
            pass
        try:
            return client.recv(200)
        except ConnectionError:
            return b""


def was_refused(said):
    """Whether the server said 431, or its word was lost with the connection that it closed on us."""
    return said == b"" or b" 431 " in said


def test_ordinary_requests_pass_one_after_the_other(address):
    with socket.create_connection(address, timeout=5) as client:
        for _ in range(50):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 8000 + b"\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 204")


def test_a_large_body_is_no_head(address):
    size = MAX_HEAD_BYTES * 4
    body = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    assert ask(address, body, b"b" * size).startswith(b"HTTP/1.1 204")


def test_one_endless_header_is_refused(address):
    chunks = [b"GET / HTTP/1.1\r\nHost: a\r\nX: "] + [b"y" * 16384] * 12
    assert was_refused(ask(address, *chunks))


def test_many_headers_are_refused(address):
    chunks = [b"GET / HTTP/1.1\r\nHost: a\r\n"] + [b"".join(b"X-%d: %s\r\n" % (n, b"y" * 500) for n in range(20))] * 20
    assert was_refused(ask(address, *chunks))
