"""Every secret that the tests use, everything that is logged meanwhile, and the search of the one in the other.

Clients and factories of the kit call ``remember``. While a run lasts, all records are written down as they are, before anything is taken
out of them; at its end they are searched, and so are the logs of each cloud that was started. One find fails the run.
"""

import base64
import binascii
import json
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.core.log import levels
from portal.core.log.redaction import without_payload

SHORTEST = 8
SECRET_FIELDS = {"adminPass", "blob", "original_password", "passcode", "password", "private_key", "secret", "user_data"}
_IN_ADDRESS = re.compile(r"(?:[?&]|%3F)(?:token|ticket)(?:=|%3D)([^&#\s]+)")
_DURATION = re.compile(r"\d+(?:\.\d+)? ms")
_HEAD = re.compile(r"^[\d-]{10} [\d:.]{12} \d+ (\w+ \S+) \[req-[0-9a-f-]{36}\]")

_secrets: set[str] = set()
_leaks: list[str] = []


def remember(secret: Any) -> Any:
    """Note a secret, and return it; what is shorter than a few letters, or one letter over and over, could stand anywhere."""
    if isinstance(secret, str) and len(secret) >= SHORTEST and len(set(secret)) > 1:
        _secrets.add(secret)
    return secret


def remember_in(document: Any) -> None:
    """Note the secrets of a JSON body, by the names of their fields and by the look of addresses."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in SECRET_FIELDS:
                remember(value)
                remember(_decoded(value))
            elif name == "token" and isinstance(value, dict):
                remember(value.get("id"))
            remember_in(value)
    elif isinstance(document, list):
        for item in document:
            remember_in(item)
    elif isinstance(document, str):
        if document.startswith("gAAAA"):  # a token, whatever the field is called
            remember(document)
        for secret in _IN_ADDRESS.findall(document):
            remember(secret)


def remember_answer(answer: Any) -> None:
    """Note the secrets that a service hands out."""
    remember(answer.headers.get("X-Subject-Token"))
    if "json" in answer.headers.get("Content-Type", "") and not getattr(answer, "streaming", False):
        try:
            remember_in(json.loads(answer.content))
        except ValueError:
            return


def remember_exchange(answer: Any) -> None:
    """Note the secrets of a request that httpx sent and of its answer."""
    if answer.request.headers.get("Content-Type") == "application/json":
        remember_in(json.loads(answer.request.content))
    answer.read()
    remember_answer(answer)


def _decoded(value: Any) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (TypeError, ValueError, binascii.Error):
        return None


def find(lines: Iterable[str], secrets: Iterable[str]) -> Iterator[str]:
    """Return the lines that hold a secret, without it."""
    beginnings: dict[str, list[str]] = {}
    for secret in secrets:
        beginnings.setdefault(secret[:SHORTEST], []).append(secret)
    for line in lines:
        found = {
            secret
            for start in range(len(line) - SHORTEST + 1)
            for secret in beginnings.get(line[start : start + SHORTEST], ())
            if line.startswith(secret, start)
        }
        if found:
            yield re.sub("|".join(re.escape(secret) for secret in sorted(found, key=len, reverse=True)), "[SECRET]", line)


def search_folder(folder: Path) -> None:
    """Search all logs of an installation; what is found fails the run at its end."""
    for path in sorted(folder.rglob("*.log*")):
        with path.open(errors="replace") as lines:
            different = {_same(line.strip()): line.strip() for line in lines}  # the same statement is there a thousand times
        _leaks.extend(f"{path.name}: {line}" for line in find(different.values(), _secrets))


def _same(line: str) -> str:
    """Return the line without what differs each time: when, by which request, how long."""
    return _DURATION.sub("", _HEAD.sub(r"\1", line))


class Recorder(logging.Handler):
    """Writes down what every logger says, each thing once."""

    def __init__(self) -> None:
        super().__init__()
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  for the whole run
        self._seen: set[int] = set()

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.name.partition(".")[0] in levels.OURS
        if not ours and record.levelno < logging.INFO:
            return  # never written, see levels
        args = record.args
        if record.name.startswith("dramatiq") and isinstance(args, tuple):
            args = tuple(without_payload(argument) for argument in args)
        told = str(record.msg) % args if args else str(record.msg)
        if record.exc_info and record.exc_info[0]:
            told += "\n" + logging.Formatter().formatException(record.exc_info)
        line = _same(f"{record.name}: {told}").replace("\n", "\\n")
        if hash(line) not in self._seen:
            self._seen.add(hash(line))
            self.file.write(line + "\n")

    def lines(self) -> Iterator[str]:
        """Return all that was written down."""
        self.file.seek(0)
        return (line.rstrip("\n") for line in self.file)


_recorder = Recorder()


def pytest_sessionstart(session: pytest.Session) -> None:
    logging.getLogger().addHandler(_recorder)
    levels.start(debug=True, switch=None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    logging.getLogger().removeHandler(_recorder)
    _leaks.extend(find(_recorder.lines(), _secrets))
    if hasattr(session.config, "workeroutput"):  # one of several processes: what it found is told by the first one
        session.config.workeroutput["leaks"] = _leaks
    if _leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take what one of several processes found."""
    _leaks.extend(getattr(node, "workeroutput", {}).get("leaks", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _leaks:
        terminalreporter.section("secrets in logs", red=True)
        for line in _leaks[:50]:
            terminalreporter.line(line[:1000])
    elif terminalreporter.verbosity > 0:
        terminalreporter.line(f"No log shows one of the {len(_secrets)} secrets that were used.")
