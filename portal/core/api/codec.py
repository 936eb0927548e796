"""JSON in and out: strict, bounded and fast."""

from typing import Any

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from portal.core.errors import BadRequest, TooLarge

MAX_BODY = 1024 * 1024


class JSONParser(BaseParser):
    """Reads one JSON document; anything malformed, too deep or too long is a refusal, never a crash."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise TooLarge("The request body is too large.")
        return loads(raw)


def loads(raw: bytes) -> Any:
    """Return the document in ``raw``; raises BadRequest."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("Malformed request body: it is not valid JSON.") from error


class JSONRenderer(BaseRenderer):
    """Writes JSON with msgspec; bodies are plain dicts, lists, strings, numbers, dates and UUIDs."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)
