"""Whether rules can be answered at all: found out when a file is read, so that no request has to fail over it."""

from collections.abc import Iterator, Mapping
from typing import Any

from oslo_policy import _checks, policy

from portal.core.policy import verdict
from portal.core.policy.checks import GuardianCheck

_OURS = (_checks.TrueCheck, _checks.FalseCheck, _checks.RoleCheck, _checks.GenericCheck, GuardianCheck, policy.RuleCheck)


class _Anything(dict[str, str]):
    """A target that has a text for every name."""

    def __missing__(self, _name: str) -> str:
        return ""


def parsed(checks: Mapping[str, str]) -> policy.Rules:
    """Return parsed rules; raises ValueError where one leads back to itself, compares what cannot be compared, or asks another
    server, which would have to be told all about caller and object.
    """
    rules = policy.Rules.from_dict(dict(checks))
    sound: set[str] = set()
    for name, check in rules.items():
        _refuse_circle(name, rules, (), sound)
        for atom in atoms(check):
            _try(name, atom)
    return rules


def missing(rules: Mapping[str, Any], name: str) -> list[str]:
    """Return the names of rules to which a rule refers and which there are not: such a part always refuses."""
    return [reference for reference in _references(rules[name]) if reference not in rules]


def grants(check: Any) -> list[str]:
    """Return the permissions for which a check looks among what was shared."""
    return [str(atom.match) for atom in atoms(check) if isinstance(atom, GuardianCheck)]


def _refuse_circle(name: str, rules: Mapping[str, Any], above: tuple[str, ...], sound: set[str]) -> None:
    if name in above:
        raise ValueError(f"the rule {name} leads back to itself: {' -> '.join((*above[above.index(name) :], name))}")
    if name in sound:
        return
    for reference in _references(rules[name]):
        if reference in rules:
            _refuse_circle(reference, rules, (*above, name), sound)
    sound.add(name)


def _try(name: str, atom: Any) -> None:
    if not isinstance(atom, _OURS):
        raise ValueError(f"the check of {name} asks another server ({atom}), which is not offered")
    if isinstance(atom, policy.RuleCheck):
        return
    try:
        verdict.holds(atom, _Anything(), {"roles": [""]}, None)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ValueError(f"the check of {name} cannot be answered: {atom} ({error})") from error


def _references(check: Any) -> list[str]:
    return [atom.match for atom in atoms(check) if isinstance(atom, policy.RuleCheck)]


def atoms(check: Any) -> Iterator[Any]:
    """Yield what a check is made of; rules it refers to stay closed."""
    if isinstance(check, policy.NotCheck):
        yield from atoms(check.rule)
    elif isinstance(check, policy.AndCheck | policy.OrCheck):
        for part in check.rules:
            yield from atoms(part)
    else:
        yield check
