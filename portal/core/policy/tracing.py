"""Which parts of a rule hold and which do not, for those who ask why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oslo_policy import policy

from portal.core.policy.verdict import holds as check_holds


@dataclass(frozen=True)
class Part:
    """One part of a check with its answer; ``parts`` are what it is made of."""

    text: str
    holds: bool
    parts: tuple["Part", ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """Yield the part and all below it, one a line."""
        yield f"{'  ' * depth}{'yes' if self.holds else 'no ':3} {self.text}"
        for part in self.parts:
            yield from part.lines(depth + 1)

    def deciding(self) -> list[str]:
        """Return the atoms that decided: those that made it true, or those that kept it from being true."""
        if not self.parts:
            return [self.text]
        alike = [part for part in self.parts if part.holds == self.holds] or list(self.parts)
        return list(dict.fromkeys(text for part in alike for text in part.deciding()))


def trace(enforcer: Any, check: Any, target: Mapping[str, Any], credentials: dict[str, Any]) -> Part:
    """Return a parsed check with the answer of each of its parts; rules it refers to are opened."""

    def part_of(each: Any) -> Part:
        holds = check_holds(each, target, credentials, enforcer)
        if isinstance(each, policy.AndCheck | policy.OrCheck):
            word = "all of" if isinstance(each, policy.AndCheck) else "one of"
            return Part(word, holds, tuple(part_of(rule) for rule in each.rules))
        if isinstance(each, policy.NotCheck):
            return Part("not", holds, (part_of(each.rule),))
        if isinstance(each, policy.RuleCheck):
            inner = enforcer.rules.get(each.match)
            return Part(str(each), holds, (part_of(inner),) if inner is not None else ())
        return Part({"@": "everybody", "!": "nobody"}.get(str(each), str(each)), holds)

    return part_of(check)
