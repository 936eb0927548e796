"""Finds what services refuse in words that no catalogue knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

from portal.core import errors
from tests.kit.catalogues import ROOT

MARKS = {"_", "ngettext", "pgettext", "npgettext"}
PLACES = ("accounts", "compute", "images", "portal/core")
NOT_ON_PAGES = {
    "api",
    "migrations",
    "management",
    "worker",
    "virt",
    "stores",
    "seeding.py",
}  # clients and operators read English


def unmarked() -> Iterator[str]:
    """Yield ``file:line: words`` of each refusal that a page can show and that is not marked for translation."""
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            if not NOT_ON_PAGES & set(path.relative_to(ROOT).parts):
                yield from _unmarked_in(path)


def _unmarked_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _is_refusal(node.func):
            for words in _words_of(node):
                if _is_bare(words):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(words)}"


def _is_refusal(called: ast.expr) -> bool:
    kind = getattr(errors, called.id, None) if isinstance(called, ast.Name) else None
    return isinstance(kind, type) and issubclass(kind, errors.CloudError)


def _words_of(call: ast.Call) -> list[ast.expr]:
    """The message: the third of NotFound, the first of all others."""
    place = 2 if isinstance(call.func, ast.Name) and call.func.id == "NotFound" else 0
    return call.args[place : place + 1] + [keyword.value for keyword in call.keywords if keyword.arg == "message"]


def _is_bare(node: ast.expr) -> bool:
    """Whether there are words in it that no call marks."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
        return False
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _is_bare(node.left)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and any(sign.isalpha() for sign in node.value)
    if isinstance(node, ast.JoinedStr):
        return any(_is_bare(part) for part in node.values)
    if isinstance(node, ast.IfExp):
        return _is_bare(node.body) or _is_bare(node.orelse)
    return any(_is_bare(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
