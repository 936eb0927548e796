"""Protected properties: which roles may create, read, update and delete properties of images, by their names.

The operator writes ``images/properties.json``: regular expressions, and for each the roles of each operation, ``*`` for everybody. The
first expression that matches a name counts; what none matches is free. The file is read again when it changes.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.utils.translation import gettext as _

from portal.core.context import RequestContext
from portal.core.errors import Forbidden

LOG = logging.getLogger(__name__)

Operation = Literal["create", "read", "update", "delete"]
OPERATIONS = ("create", "read", "update", "delete")
Rules = list[tuple[re.Pattern[str], dict[str, frozenset[str]]]]
_NOBODY: Rules = [(re.compile(""), {})]
EVERYBODY = "*"


def reader(ctx: RequestContext) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Return what leaves those of an image's properties that the caller may see."""
    rules = _rules()
    if not rules:
        return dict
    return lambda properties: {name: value for name, value in properties.items() if _allowed(rules, ctx, "read", name)}


def is_hidden(ctx: RequestContext, name: str) -> bool:
    """Return whether properties of this name are kept from the caller."""
    return not _allowed(_rules(), ctx, "read", name)


def authorize(ctx: RequestContext, operation: Operation, names: Iterable[str]) -> None:
    """Let an operation on properties pass; raises Forbidden with the first name that is protected."""
    rules = _rules()
    for name in names:
        if not _allowed(rules, ctx, operation, name):
            raise Forbidden(_("Property '%(name)s' is protected.") % {"name": name})


def authorize_changes(ctx: RequestContext, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Let the difference between two states of an image's properties pass; raises Forbidden."""
    authorize(ctx, "create", after.keys() - before.keys())
    authorize(ctx, "delete", before.keys() - after.keys())
    authorize(ctx, "update", (name for name in before.keys() & after.keys() if before[name] != after[name]))


def _allowed(rules: Rules, ctx: RequestContext, operation: Operation, name: str) -> bool:
    for pattern, roles in rules:
        if pattern.search(name):
            named = roles.get(operation, frozenset())
            return EVERYBODY in named or not named.isdisjoint(ctx.roles)
    return True


class _File:
    """The operator's file, and the last good rules that were read from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamp: tuple[int, int] | None = None
        self.rules: Rules = []

    def refresh(self) -> Rules:
        """Return the rules, read again if the file changed; after a broken file the last good ones, or nobody may do anything."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self.stamp, self.rules = None, []
            return self.rules
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self.stamp:
            try:
                self.rules = _parsed(json.loads(self.path.read_text()))
            except (OSError, ValueError, re.error) as error:
                LOG.error("Protected properties are not read, the last good rules stay: %s: %s", self.path, error)
                self.rules = self.rules if self.stamp else _NOBODY
            self.stamp = stamp
        return self.rules


def _parsed(document: Any) -> Rules:
    if not isinstance(document, dict):
        raise ValueError("the file must be one object of names and roles")
    rules = []
    for expression, roles in document.items():
        if not isinstance(roles, dict) or not all(isinstance(named, list) for named in roles.values()):
            raise ValueError(f"{expression!r} must have a list of roles for each operation")
        if strange := set(roles) - set(OPERATIONS):
            raise ValueError(f"{expression!r} has an operation {strange.pop()!r} that is none of {', '.join(OPERATIONS)}")
        rules.append((re.compile(expression), {operation: frozenset(named) for operation, named in roles.items()}))
    return rules


@cache
def _file(path: Path) -> _File:
    return _File(path)


def _rules() -> Rules:
    return _file(Path(settings.IMAGE_PROTECTED_PROPERTIES)).refresh()
