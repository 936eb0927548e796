"""Whether a parsed check holds.

oslo.policy's own walk looks up the signature of every part of a rule anew, which takes three quarters of a decision, and compiles
the left side of every comparison, which takes half of the rest. What a role or a grant means is for its parts to say.
"""

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

from oslo_policy import _checks, policy


def holds(check: Any, target: Mapping[str, Any], credentials: dict[str, Any], enforcer: Any) -> bool:
    """Return whether a check and the rules it refers to let the caller pass; a rule that does not exist does not."""
    kind = type(check)
    if kind is policy.RuleCheck:
        inner = enforcer.rules.get(check.match)
        return inner is not None and holds(inner, target, credentials, enforcer)
    if kind is policy.AndCheck:
        return all(holds(each, target, credentials, enforcer) for each in check.rules)
    if kind is policy.OrCheck:
        return any(holds(each, target, credentials, enforcer) for each in check.rules)
    if kind is policy.NotCheck:
        return not holds(check.rule, target, credentials, enforcer)
    if kind is _checks.GenericCheck:
        return _compare(check, target, credentials)
    return bool(check(target, credentials, enforcer, None))


def _compare(check: Any, target: Mapping[str, Any], credentials: dict[str, Any]) -> bool:
    try:
        right = check.match % target
    except KeyError:
        return False
    constant, path = _left(check.kind)
    return right == constant if path is None else bool(check._find_in_dict(credentials, path, right))


@cache
def _left(kind: str) -> tuple[str, list[str] | None]:
    """Return a constant left of the colon as text, or the path of a value among the caller's credentials."""
    try:
        return str(ast.literal_eval(kind)), None
    except ValueError:
        return "", kind.split(".")
