"""Whether a parsed check holds.

oslo.policy's own walk looks up the signature of every part of a rule anew, which takes three quarters of a decision. The parts are
its own all the same: what a role, a comparison or a grant means is for them to say.
"""

from collections.abc import Mapping
from typing import Any

from oslo_policy import policy


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
    return bool(check(target, credentials, enforcer, None))
