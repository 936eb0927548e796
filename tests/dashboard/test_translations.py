"""Every text that people read exists in Chinese, and what is compiled is what was written."""

import gettext
import re
from collections import Counter

import pytest

from tests.kit.catalogues import ROOT, Entry, Key, entries, marked
from tests.kit.refusals import unmarked, unmarked_in

FOLDER = ROOT / "portal" / "locale" / "zh_Hans" / "LC_MESSAGES"
MEND = (
    "manage.py makemessages -l zh_Hans --no-obsolete --no-wrap --add-location file, fill django.po, manage.py compilemessages"
)


@pytest.fixture(scope="module")
def catalogue() -> list[Entry]:
    return entries(FOLDER / "django.po")


@pytest.fixture(scope="module")
def texts() -> dict[Key, str]:
    return marked()


def test_the_finder_sees_python_templates_contexts_and_plurals(texts, catalogue):
    assert texts[Key("", "a member of its project")] == "compute/policies.py"
    assert texts[Key("action", "Delete")].endswith(".py")
    assert Key("", "No instances yet") in texts
    plurals = {entry.key for entry in catalogue if entry.plural}
    assert plurals
    assert plurals <= set(texts)


def test_every_marked_text_has_a_translation(texts, catalogue):
    done = {entry.key for entry in catalogue if not entry.fuzzy and all(entry.translations)}
    missing = {key: path for key, path in texts.items() if key not in done}
    assert not missing, f"no Chinese for {missing}; {MEND}"


def test_every_refusal_that_a_page_can_show_is_marked():
    assert not list(unmarked())


def test_the_finder_of_bare_refusals_sees_them(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        "raise Conflict(f'{name} is there')\n"
        "raise NotFound('Host', name, 'no ' + name)\n"
        "raise BadRequest(_('%(name)s is odd') % {'name': name})\n"
        "raise BadRequest(str(error))\n"
        "raise NotFound('Host', name)\n"
        "raise Conflict(_(f'{name} is taken'))\n"
    )
    assert [line for line, _words in unmarked_in(module)] == [1, 2, 6]


def test_no_translation_is_left_of_a_text_that_is_gone(texts, catalogue):
    left = {entry.key for entry in catalogue[1:]} - set(texts)
    assert not left, f"not in the code any more: {left}; {MEND}"


def test_no_key_stands_twice(catalogue):
    twice = [key for key, times in Counter(entry.key for entry in catalogue).items() if times > 1]
    assert not twice


def test_a_translation_keeps_the_values_and_tags_of_its_text(catalogue):
    for entry in catalogue[1:]:
        wanted = Counter(_parts(entry.plural or entry.key.text))
        for translation in entry.translations:
            assert Counter(_parts(translation)) == wanted, entry


def _parts(text: str) -> list[str]:
    """Placeholders, tags, and the commas that part a list of choices such as ``yes,no``."""
    return re.findall(r"%\(\w+\)[sd]|%%|{\w+}|</?\w+[^>]*>", text) + ([","] * text.count(",") if " " not in text else [])


def test_the_compiled_catalogue_is_that_of_the_source(catalogue):
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = [entry.key for entry in catalogue[1:] if _look_up(compiled, entry) != entry.translations[0]]
    assert not stale, f"django.mo is older than django.po: {stale}; {MEND}"


def _look_up(compiled: gettext.GNUTranslations, entry: Entry) -> str:
    context, text = entry.key
    if entry.plural:
        return compiled.npgettext(context, text, entry.plural, 1) if context else compiled.ngettext(text, entry.plural, 1)
    return compiled.pgettext(context, text) if context else compiled.gettext(text)


def test_the_header_names_no_person(catalogue):
    names = {line.partition(":")[0] for line in catalogue[0].translations[0].splitlines()}
    assert not names & {"Last-Translator", "Language-Team"}
    assert "@" not in catalogue[0].translations[0]
