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


END = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


def piece(data):
    return {"type": "http.request", "body": data, "more_body": True}


def post(*messages, headers=((b"transfer-encoding", b"chunked"),), body_s=60):
    """Return what an application reads of a body that comes in pieces, and what the client is sent."""
    waiting, read, sent = list(messages), [], []

    def application(environ, start_response):
        read.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("204 No Content", [])
        return HttpResponse(status=204)

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {**SCOPE, "method": "POST", "headers": list(headers)}
    asyncio.run(ThreadPool(application, workers=1, body_s=body_s)(scope, receive, send))
    return read, sent


def test_a_body_in_chunks_is_whole_and_has_a_length():
    read, sent = post(piece(b"ab"), piece(b"cd"), END)
    assert read == [b"abcd"]
    assert sent[0]["status"] == 204


def test_no_thread_waits_for_a_body_that_does_not_end():
    read, sent = post(piece(b"{"), headers=[(b"content-length", b"100")], body_s=0.05)
    assert read == []
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_who_goes_away_in_the_middle_of_a_body_has_asked_for_nothing():
    assert post(piece(b"{"), GONE) == ([], [])


def test_of_a_body_without_end_no_more_is_kept_than_anybody_reads():
    read, _sent = post(*[piece(bytes(1 << 20))] * 4)
    assert len(read[0]) == 3 << 20
