"""Where a process's lines go."""

import logging
import sys
from pathlib import Path

from portal.core.log import levels
from portal.core.log.access import ACCESS
from portal.core.log.context import ContextFilter
from portal.core.log.files import ServiceFiles, Stderr
from portal.core.log.forms import FORMS

_ours: list[logging.Handler] = []


def configure(
    *,
    debug: bool = False,
    form: str = "text",
    switch: Path | None = None,
    files: Path | None = None,
    service: str = "portal",
) -> None:
    """Send every logger to standard error, and each service's lines to its files where the folder ``files`` exists.

    With files, standard error has neither debug nor access lines: it is the short story of the process.
    """
    handlers: list[logging.Handler] = [Stderr(sys.stderr)]
    if files is not None and files.is_dir():
        handlers[0].setLevel(logging.INFO)
        handlers[0].addFilter(lambda record: record.name != ACCESS.name)
        handlers += [ServiceFiles(files, access=False), ServiceFiles(files, access=True)]
    root = logging.getLogger()
    for handler in _ours:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.addFilter(ContextFilter(service))
        handler.setFormatter(FORMS[form]())
        root.addHandler(handler)
    _ours[:] = handlers
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # uvicorn's own handlers know nothing of secrets
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.getLogger("django.request").addFilter(_is_fault)
    levels.start(debug=debug, switch=switch)


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether a line of Django's about a request is of an exception: what was answered, 503 included, is in the access log."""
    return bool(record.exc_info)
