"""Whether every rule of a file can be judged at all, asked before the file holds: a caller is never told of it by an error."""

from collections.abc import Iterator, Mapping
from typing import Any

from oslo_policy import _checks, policy

from portal.core.policy import verdict
from portal.core.policy.checks import GuardianCheck

_ATOMS = (_checks.TrueCheck, _checks.FalseCheck, _checks.RoleCheck, _checks.GenericCheck, GuardianCheck)


class _Anything(dict[str, Any]):
    """A target that has everything that a rule may name."""

    def __missing__(self, key: str) -> str:
        return ""


def demand(rules: Mapping[str, Any]) -> None:
    """Raise ValueError, with the reason, for the first parsed rule that could never be judged.

    That is one that comes back to itself, compares what cannot be compared, or asks somebody else (``http:``).
    """
    sound: set[str] = set()

    def look(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"rule {name} refers to itself: {' - '.join((*above, name))}")
        if name in sound or name not in rules:
            return
        for atom in _atoms(rules[name]):
            if isinstance(atom, policy.RuleCheck):
                look(atom.match, (*above, name))
            else:
                _try(name, atom)
        sound.add(name)

    for name in rules:
        look(name, ())


def _atoms(check: Any) -> Iterator[Any]:
    """Yield the parts of a check that have no parts themselves."""
    if isinstance(check, policy.AndCheck | policy.OrCheck):
        for each in check.rules:
            yield from _atoms(each)
    elif isinstance(check, policy.NotCheck):
        yield from _atoms(check.rule)
    else:
        yield check


def _try(rule: str, atom: Any) -> None:
    if not isinstance(atom, _ATOMS):
        raise ValueError(f"the check of {rule} asks somebody else, which is not done here: {atom}")
    try:
        verdict.holds(atom, _Anything(_object=None), {"roles": [""]}, None)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ValueError(f"the check of {rule} cannot be judged: {atom} ({error})") from error
