"""What is marked for translation in our code, and what a catalogue says: read without the gettext tools."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
APPS = ("portal", "accounts", "images", "compute")

_LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_SIMPLE = re.compile(rf"(?<![\w.])(?:gettext|_)\({_LITERAL}\)")
_WITH_CONTEXT = re.compile(rf"\bn?pgettext\({_LITERAL}, {_LITERAL}")
_WITH_PLURAL = re.compile(rf"\bngettext\({_LITERAL}, {_LITERAL}")
_PLAIN = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
_CONTEXTUAL = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}


class Key(NamedTuple):
    """How a text is looked up."""

    context: str
    text: str


class Entry(NamedTuple):
    """One text of a catalogue with its translations, of which there is more than one when it has a plural."""

    key: Key
    plural: str
    translations: list[str]
    fuzzy: bool


def marked() -> dict[Key, str]:
    """Return every text marked for translation in our Python and our templates, with a file that has it."""
    found: dict[Key, str] = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*")):
            texts = {".py": _in_python, ".html": _in_template}.get(path.suffix)
            if texts is not None:
                found.update((key, str(path.relative_to(ROOT))) for key in texts(path.read_text()))
    return found


def _in_python(source: str) -> Iterator[Key]:
    if "gettext" not in source:
        return
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        function = names.get(node.func.id)
        if function in _PLAIN and texts:
            yield Key("", texts[0])
        elif function in _CONTEXTUAL and len(texts) > 1:
            yield Key(texts[0], texts[1])


def _in_template(source: str) -> Iterator[Key]:
    text = templatize(source)
    for pattern in (_SIMPLE, _WITH_PLURAL):
        yield from (Key("", ast.literal_eval(match[1])) for match in pattern.finditer(text))
    yield from (Key(ast.literal_eval(match[1]), ast.literal_eval(match[2])) for match in _WITH_CONTEXT.finditer(text))


def entries(path: Path) -> list[Entry]:
    """Return what a ``.po`` file holds, its header first; obsolete entries are left out."""
    return [entry for block in re.split(r"\n{2,}", path.read_text()) if (entry := _entry(block)) is not None]


def _entry(block: str) -> Entry | None:
    fields: dict[str, str] = {}
    name, fuzzy = "", False
    for line in block.splitlines():
        if line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        keyword, quote, text = line.partition('"')
        name = keyword.strip() or name
        fields[name] = fields.get(name, "") + ast.literal_eval(quote + text)
    if "msgid" not in fields:
        return None
    translations = [text for field, text in fields.items() if field.startswith("msgstr")]
    return Entry(Key(fields.get("msgctxt", ""), fields["msgid"]), fields.get("msgid_plural", ""), translations, fuzzy)
