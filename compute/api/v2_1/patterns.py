"""Regular expressions of list filters, matched in time that no pattern and no name can stretch.

Upstream hands the pattern to the database. Here it becomes a position automaton whose states are sets of positions, kept as
integers: each character of a name is looked at once, whatever the pattern. Literals, ``.``, classes, groups, ``|``, ``*``,
``+``, ``?``, ``^``, ``$`` and ``\\d \\w \\s`` are understood; back references, look-around and counted repeats are refused.
"""

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from portal.core.errors import BadRequest

MAX_PATTERN = 255
_MAX_POSITIONS = 100
_MAX_DEPTH = 20
_MAX_STEPS = 20_000
_PLAIN = frozenset(string.ascii_letters + string.digits + "-_ :@,/")

Test = Callable[[str], bool]
_CLASSES: dict[str, Test] = {
    "d": str.isdigit,
    "D": lambda char: not char.isdigit(),
    "w": lambda char: char.isalnum() or char == "_",
    "W": lambda char: not (char.isalnum() or char == "_"),
    "s": str.isspace,
    "S": lambda char: not char.isspace(),
}


def is_literal(pattern: str) -> bool:
    """Return whether the pattern means only itself."""
    return all(char in _PLAIN for char in pattern)


@dataclass(frozen=True)
class _Part:
    """A part of a pattern: whether it matches nothing, and the positions it may begin and end with."""

    empty: bool
    first: int
    last: int


_NOTHING = _Part(True, 0, 0)


@dataclass
class Pattern:
    """A compiled pattern; ``matches`` says whether it is found anywhere in a text."""

    tests: list[Test | None] = field(default_factory=list)
    follow: list[int] = field(default_factory=list)
    start: int = 0
    accept: int = 0
    always: bool = False
    steps: dict[tuple[int, str], int] = field(default_factory=dict)

    def matches(self, text: str) -> bool:
        """Return whether the pattern is found in the text. Markers stand for its beginning and end."""
        if self.always:
            return True
        state = 0
        for char in ("\x02", *text, "\x03"):
            state = self._step(state, char)
            if state & self.accept:
                return True
        return False

    def _step(self, state: int, char: str) -> int:
        known = self.steps.get((state, char))
        if known is not None:
            return known
        if len(self.steps) > _MAX_STEPS:
            self.steps.clear()
        reached, rest = self.start, state
        while rest:
            low = rest & -rest
            reached |= self.follow[low.bit_length() - 1]
            rest ^= low
        after, rest = 0, reached
        while rest:
            low = rest & -rest
            test = self.tests[low.bit_length() - 1]
            if test is not None and test(char):
                after |= low
            rest ^= low
        self.steps[state, char] = after
        return after


def _equals(wanted: str, char: str) -> bool:
    return char == wanted


def _any(char: str) -> bool:
    return char not in "\x02\x03"


def _one_of(tests: list[Test], negated: bool, char: str) -> bool:
    return _any(char) and any(test(char) for test in tests) != negated


def _between(low: str, high: str, char: str) -> bool:
    return low <= char <= high


class _Parser:
    """Reads a pattern from left to right; the automaton grows as it goes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.pattern = Pattern()

    def parse(self) -> Pattern:
        whole = self.either(0)
        if self.at < len(self.text):
            raise self.refusal("unbalanced parenthesis")
        self.pattern.start, self.pattern.accept, self.pattern.always = whole.first, whole.last, whole.empty
        return self.pattern

    def either(self, depth: int) -> _Part:
        if depth > _MAX_DEPTH:
            raise self.refusal("too deep")
        part = self.sequence(depth)
        while self.peek() == "|":
            self.at += 1
            other = self.sequence(depth)
            part = _Part(part.empty or other.empty, part.first | other.first, part.last | other.last)
        return part

    def sequence(self, depth: int) -> _Part:
        part = _NOTHING
        while self.peek() not in ("", "|", ")"):
            part = self.join(part, self.repeated(depth))
        return part

    def join(self, left: _Part, right: _Part) -> _Part:
        self.link(left.last, right.first)
        return _Part(
            left.empty and right.empty,
            left.first | (right.first if left.empty else 0),
            right.last | (left.last if right.empty else 0),
        )

    def link(self, sources: int, targets: int) -> None:
        while sources:
            low = sources & -sources
            self.pattern.follow[low.bit_length() - 1] |= targets
            sources ^= low

    def repeated(self, depth: int) -> _Part:
        part = self.atom(depth)
        while self.peek() and self.peek() in "*+?":
            sign = self.take()
            if sign != "?":
                self.link(part.last, part.first)
            part = _Part(part.empty or sign != "+", part.first, part.last)
        return part

    def atom(self, depth: int) -> _Part:
        char = self.take()
        if char == "(":
            return self.group(depth)
        if char in "*+?{":
            raise self.refusal(f"nothing to repeat, or a counted repeat, at {self.at - 1}")
        if char == "[":
            return self.position(self.char_class())
        if char == ".":
            return self.position(_any)
        if char in "^$":
            return self.position(partial(_equals, "\x02" if char == "^" else "\x03"))
        return self.position(self.escape() if char == "\\" else partial(_equals, char))

    def group(self, depth: int) -> _Part:
        if self.peek() == "?":
            self.take()
            if self.take() != ":":
                raise self.refusal("only (?:…) is understood")
        part = self.either(depth + 1)
        if self.take() != ")":
            raise self.refusal("missing )")
        return part

    def escape(self) -> Test:
        char = self.take()
        if char in _CLASSES:
            return _CLASSES[char]
        if not char or char.isalnum():
            raise self.refusal(f"bad escape \\{char}")
        return partial(_equals, char)

    def char_class(self) -> Test:
        negated = self.peek() == "^"
        self.at += negated
        tests: list[Test] = []
        while self.peek() != "]" or not tests:
            char = self.take()
            if not char:
                raise self.refusal("missing ]")
            if char == "\\":
                tests.append(self.escape())
            elif self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                tests.append(partial(_between, char, self.take()))
            else:
                tests.append(partial(_equals, char))
        self.at += 1
        return partial(_one_of, tests, negated)

    def position(self, test: Test) -> _Part:
        if len(self.pattern.tests) >= _MAX_POSITIONS:
            raise self.refusal("too long")
        self.pattern.tests.append(test)
        self.pattern.follow.append(0)
        bit = 1 << (len(self.pattern.tests) - 1)
        return _Part(False, bit, bit)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def refusal(self, why: str) -> BadRequest:
        return BadRequest(f"Invalid regular expression {self.text[:60]!r}: {why}.")


def compile_pattern(text: str) -> Pattern:
    """Return the compiled pattern; raises BadRequest."""
    if len(text) > MAX_PATTERN:
        raise BadRequest("The regular expression is too long.")
    return _Parser(text).parse()


def matching(pattern: str, texts: Iterable[str]) -> set[str]:
    """Return those of the texts in which the pattern is found; raises BadRequest."""
    compiled = compile_pattern(pattern)
    return {text for text in texts if compiled.matches(text)}
