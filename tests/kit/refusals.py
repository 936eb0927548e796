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
ONLY_FOR_CLIENTS = (
    "accounts/selectors/roles.py",
    "accounts/selectors/tags.py",
    *(
        f"accounts/services/{name}.py"
        for name in (
            "assignments",
            "authentication",
            "catalog",
            "domain_settings",
            "domains",
            "ec2",
            "endpoint_filters",
            "groups",
            "policy_documents",
            "projects",
            "roles",
            "tags",
        )
    ),
    "compute/host_selectors.py",
    *(f"compute/services/{name}.py" for name in ("diagnostics", "metadata", "moves", "passwords", "tags", "user_limits")),
    "compute/services/questions.py",  # what a host answers is kept with the server: it is not in one reader's language
    *(f"images/services/{name}.py" for name in ("imports/legacy", "ingest", "members", "placements", "steps/conversion")),
    "images/services/metadefs",
    "portal/core/versions.py",
)


def unmarked() -> Iterator[str]:
    """Yield ``file:line: words`` of each refusal that a page can show and that is not marked for translation."""
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(ONLY_FOR_CLIENTS) and not NOT_ON_PAGES & set(name.split("/")):
                yield from (f"{name}:{line}: {words}" for line, words in unmarked_in(path))


def unmarked_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the words of each refusal of a file that is not marked."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _is_refusal(node.func):
            yield from ((node.lineno, ast.unparse(words)) for words in _words_of(node) if _is_bare(words))


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
        return any(isinstance(arg, ast.JoinedStr | ast.BinOp) for arg in node.args)  # no catalogue knows what is put together
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _is_bare(node.left)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and any(sign.isalpha() for sign in node.value)
    if isinstance(node, ast.JoinedStr):
        return any(_is_bare(part) for part in node.values)
    if isinstance(node, ast.IfExp):
        return _is_bare(node.body) or _is_bare(node.orelse)
    return any(_is_bare(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
