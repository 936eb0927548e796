"""The page about threats names tests that there are."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "developer" / "threats.md"


def named():
    """Yield file and name of each test that the page names; a name without a file belongs to the file before it."""
    file = ""
    for path, name in re.findall(r"`([a-z0-9_/]+\.py)?::([a-z0-9_]+)`", PAGE.read_text()):
        file = path or file
        yield file, name


def test_every_test_that_the_page_names_exists():
    found = list(named())

    assert len(found) > 100
    missing = [(file, name) for file, name in found if f"def test_{name}(" not in (TESTS / file).read_text()]
    assert not missing
