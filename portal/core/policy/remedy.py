"""Which role would turn a refusal into leave: found by asking the rule again, as if the caller had it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from oslo_policy import _checks, policy

from portal.core.context import RequestContext
from portal.core.policy import soundness, verdict
from portal.core.policy.checks import GuardianCheck

_WEAKEST_FIRST = ("reader", "member", "manager")
_FOR_PROGRAMS = "service"


def missing_role(ctx: RequestContext, check: Any, target: Mapping[str, Any], enforcer: Any) -> str | None:
    """Return the weakest role that would let the caller pass where he works now, or None where no role is what is missing.

    The role admin is named only by rules that ask nothing of the object: where it belongs to somebody else, that is the answer.
    What was lent to the caller (an application credential, a trust) does not grow with his roles.
    """
    if (
        not (ctx.project_id or ctx.domain_id or ctx.system_scope)
        or ctx.application_credential_id
        or ctx.trust_id
        or ctx.restricted
    ):
        return None
    atoms = list(_atoms(check, enforcer.rules))
    names = {atom.match for atom in atoms if isinstance(atom, _checks.RoleCheck)} - ctx.roles - {_FOR_PROGRAMS}
    if any(_asks_of_the_object(atom) for atom in atoms):
        names.discard("admin")
    for name in sorted(names, key=_strength):
        if verdict.holds(check, target, replace(ctx, roles=ctx.roles | {name}).credentials(), enforcer):
            return name
    return None


def _strength(role: str) -> tuple[bool, int, str]:
    return role == "admin", _WEAKEST_FIRST.index(role) if role in _WEAKEST_FIRST else len(_WEAKEST_FIRST), role


def _asks_of_the_object(atom: Any) -> bool:
    return isinstance(atom, GuardianCheck) or (isinstance(atom, _checks.GenericCheck) and "%(" in atom.match)


def _atoms(check: Any, rules: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the atoms of a check and of all rules that it refers to."""
    for atom in soundness.atoms(check):
        if isinstance(atom, policy.RuleCheck):
            yield from _atoms(rules[atom.match], rules) if atom.match in rules else ()
        else:
            yield atom
