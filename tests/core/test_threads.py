"""Requests that threads answer."""

import asyncio

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from portal.threads import ThreadPool

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
    "http_version": "1.1",
}


def ask(answer):
    """Return the messages that an application's answer becomes."""

    def application(environ, start_response):
        found = answer()
        start_response("200 OK", list(found.items()))
        return found

    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(ThreadPool(application, workers=1)(SCOPE, receive, send))
    return sent


def test_a_whole_answer_comes_in_one_piece():
    head, body = ask(lambda: HttpResponse(b"all of it"))
    assert head["status"] == 200
    assert body == {"type": "http.response.body", "body": b"all of it"}


@pytest.mark.parametrize("answer", [lambda: StreamingHttpResponse([b"a", b"b"]), lambda: FileResponse([b"a", b"b"])])
def test_what_streams_goes_piece_by_piece(answer):
    head, *pieces = ask(answer)
    assert head["type"] == "http.response.start"
    assert [piece["body"] for piece in pieces] == [b"a", b"b", b""]
    assert [piece.get("more_body", False) for piece in pieces] == [True, True, False]


def test_nothing_is_sent_of_an_answer_that_failed():
    class Broken(HttpResponse):
        def __iter__(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        ask(Broken)


def test_the_body_of_a_request_is_read_piece_by_piece():
    pieces = [b"ab", b"cd", b"e"]
    seen = []

    def application(environ, start_response):
        seen.append(environ["wsgi.input"].read(3))
        seen.append(environ["wsgi.input"].read())
        start_response("204 No Content", [])
        return HttpResponse(status=204)

    async def receive():
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(ThreadPool(application, workers=1)(SCOPE, receive, send))
    assert seen == [b"abc", b"de"]
    assert sent[0]["status"] == 204
