"""Calls of the receiver over ASGI as a server makes them."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from images.api.v2.receiver import is_image_data, receive
from tests.kit.secrecy import remember, remember_in

GONE = {"type": "http.disconnect"}


@dataclass
class Answer:
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    taken: int = 0


async def call(method, address, *, token=None, chunks=(), length="sum", gone=False, headers=None):
    """Make one request; ``length`` is Content-Length, "sum" for the true one, None for a chunked body."""
    parts = urlsplit(address)
    sent = {"content-type": "application/octet-stream", **(headers or {})}
    if token:
        sent["x-auth-token"] = remember(token)
    remember_in(address)
    if length is not None and method == "PUT":
        sent["content-length"] = str(sum(map(len, chunks)) if length == "sum" else length)
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value is not None],
        "client": ("127.0.0.1", 1),
    }
    assert is_image_data(scope)
    answer = Answer()
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append(GONE if gone else {"type": "http.request", "body": b"", "more_body": False})

    async def next_message():
        answer.taken += 1
        return messages.pop(0)

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await receive(scope, next_message, send)
    assert scope["query_string"] == b""
    return answer


def file_of(image) -> str:
    return f"/image/v2/images/{image.pk}/file"
