"""The two forms of a line: for people, and JSON for programs.

``2026-01-31 17:05:45.222 2771 INFO compute.worker.build [req-6f49…] [instance: ba28…] Starting instance...``
"""

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from portal.core.log.redaction import redact, without_payload

# A name with a line break must not begin a line of its own, and no name may speak to a terminal.
_INERT = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_INERT |= {0x2028: "\\u2028", 0x2029: "\\u2029", ord("\n"): "\n    "}


class Form(logging.Formatter):
    """What both forms share: the message and the trace, without secrets."""

    def message(self, record: logging.LogRecord) -> str:
        if record.name.startswith("dramatiq") and isinstance(record.args, tuple):
            args = tuple(without_payload(argument) for argument in record.args)
            return redact(str(record.msg) % args) if args else redact(str(record.msg))
        return redact(record.getMessage())

    def trace(self, record: logging.LogRecord) -> str:
        """Return the exception's trace and the stack, or nothing."""
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        parts += [record.stack_info] if record.stack_info else []
        return redact("\n".join(parts))


class Text(Form):
    """One line for people; what goes on for several lines is indented."""

    _second = (0, "")

    def format(self, record: logging.LogRecord) -> str:
        told = self.message(record)
        trace = self.trace(record) if record.exc_info or record.stack_info else ""
        text = (f"{told}\n{trace}" if trace else told).translate(_INERT)
        server = f" [instance: {record.server_id}]" if record.server_id else ""  # type: ignore[attr-defined]
        return (
            f"{self._time(record.created)}.{int(record.msecs):03d} {record.process} {record.levelname} {record.name} "
            f"[{record.request_id}]{server} {text}"  # type: ignore[attr-defined]
        )

    def _time(self, created: float) -> str:
        last = self._second
        if last[0] != int(created):
            last = self._second = (int(created), time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created)))
        return last[1]


class Json(Form):
    """One JSON object in one line; a request's answer has its parts as fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "process": record.process,
            "level": record.levelname,
            "logger": record.name,
            "service": record.service,  # type: ignore[attr-defined]
            "request_id": record.request_id,  # type: ignore[attr-defined]
        }
        if record.server_id:  # type: ignore[attr-defined]
            line["server_id"] = record.server_id  # type: ignore[attr-defined]
        call = getattr(record, "call", None)
        if call is None:
            line["message"] = self.message(record)
        else:
            line |= {name: redact(value) if isinstance(value, str) else value for name, value in call.items()}
        if record.exc_info or record.stack_info:
            line["trace"] = self.trace(record)
        return json.dumps(line)


FORMS: dict[str, type[Form]] = {"text": Text, "json": Json}
