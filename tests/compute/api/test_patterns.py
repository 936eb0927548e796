"""Regular expressions of filters: the same answers as Python's, in bounded time."""

import random
import re
import time

import pytest

from compute.api.v2_1.patterns import compile_pattern, matching
from portal.core.errors import BadRequest

PATTERNS = [
    r"^.*\-instance\-[0-9]+$", "web", "^web$", "w.b|^db", "(a|b)*c", "[^a]x", "a?b+$", "", "^$", "()", "x*", "^a|b$", "[]a]",
    "[a-]", "(?:ab)+$", "^(ab)*$", r"\.", r"\w+\d", r"\s", "(a|)b", "a.*b.*c",
]  # fmt: skip
TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "abab",
    "aba",
    "web",
    "web1",
    "xdb",
    "db",
    "c",
    "bc",
    "ax",
    "x-instance-12",
    "x-instance-",
    "]",
    "a.b",
    "a b",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_matches_as_python_does(pattern):
    assert matching(pattern, TEXTS) == {text for text in TEXTS if re.search(pattern, text)}


def test_random_patterns_match_as_python_does():
    chance = random.Random(7)
    for _ in range(3000):
        pattern = "".join(chance.choice("ab()|*+?.[]") for _ in range(chance.randint(1, 7)))
        if re.search(r"[*+?][*+?]|\(\?|\[\[", pattern):
            continue
        try:
            wanted = {text for text in TEXTS if re.search(pattern, text)}
        except re.error:
            continue
        try:
            assert matching(pattern, TEXTS) == wanted, pattern
        except BadRequest:
            continue


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", "(?=a)", "(?P<x>a)", "a{2,}", "{", "(", ")", "[", "*", "+a", "\\", r"\q", "(" * 30 + ")" * 30, "a" * 256],
)
def test_what_is_not_understood_is_refused(pattern):
    with pytest.raises(BadRequest):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["a*" * 60 + "b", "(a+)+$b", "(a|a)*b", "(.*)*x", "a.*a.*a.*a.*a.*b"])
def test_no_pattern_takes_long(pattern):
    started = time.perf_counter()
    assert matching(pattern, ["a" * 250 + str(number) for number in range(300)]) in (set(),)
    assert time.perf_counter() - started < 5
