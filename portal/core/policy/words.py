"""Why a rule said no, in words: what the caller is, what the rule needs, and who could help."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from oslo_policy import policy

from portal.core.context import RequestContext
from portal.core.policy.rules import Rule

_MOST = 4


def unknown_rule(name: str) -> str:
    """Return the sentence for a rule that nobody declared."""
    return _("The rule %(name)s does not exist, and what no rule allows is refused.") % {"name": name}


def refusal(ctx: RequestContext, check: Any, rules: Mapping[str, Rule]) -> str:
    """Return one or two sentences: the caller's roles here, and what would be enough."""
    needed = _("This needs: %(needs)s.") % {"needs": needs(check, rules)}
    return f"{_who(ctx)} {needed}"


def who_could_grant(ctx: RequestContext, role: str | None) -> str:
    """Return the sentence that says who can give the missing role, empty where none is missing."""
    if role is None:
        return ""
    if ctx.project_id:
        words = _("Whoever may assign the role %(role)s in project %(place)s can give it to you.")
    elif ctx.domain_id:
        words = _("Whoever may assign the role %(role)s in domain %(place)s can give it to you.")
    else:
        return _("Whoever may assign the role %(role)s on the system can give it to you.") % {"role": role}
    place = ctx.project_name or ctx.project_id or ctx.domain_name or ctx.domain_id
    return words % {"role": role, "place": place}


def _who(ctx: RequestContext) -> str:
    roles = ", ".join(sorted(_strongest(ctx.roles))) or _("without a role")
    where = ctx.project_name or ctx.project_id
    if where:
        return _("You are %(roles)s in %(project)s.") % {"roles": roles, "project": where}
    return _("You are %(roles)s.") % {"roles": roles}


def _strongest(roles: frozenset[str]) -> set[str]:
    for role, implied in (
        ("admin", {"manager", "member", "reader"}),
        ("manager", {"member", "reader"}),
        ("member", {"reader"}),
    ):
        if role in roles:
            return set(roles) - implied
    return set(roles)


def needs(check: Any, rules: Mapping[str, Rule]) -> str:
    """Return what a parsed check asks for, as a phrase."""
    if isinstance(check, policy.OrCheck):
        parts = list(dict.fromkeys(needs(part, rules) for part in check.rules))
        return _(" or ").join(parts[:_MOST])
    if isinstance(check, policy.AndCheck):
        return _(" and ").join(needs(part, rules) for part in check.rules)
    if isinstance(check, policy.NotCheck):
        return _("not %(what)s") % {"what": needs(check.rule, rules)}
    if isinstance(check, policy.RuleCheck):
        rule = rules.get(check.match)
        return str(_(rule.summary)) if rule and rule.summary else str(check.match)
    return _atom(str(check))


_ATOMS = {
    "guardian": gettext_noop("that it was shared with you"),
    "project_id": gettext_noop("that it belongs to your project"),
    "domain_id": gettext_noop("that it belongs to your domain"),
    "tenant": gettext_noop("that it belongs to your project"),
    "owner": gettext_noop("that it belongs to your project"),
    "user_id": gettext_noop("that it is your own"),
    "system_scope": gettext_noop("system scope"),
    "!": gettext_noop("nothing: it is closed for everybody"),
}
_NAMED = re.compile(r"%\((?:[a-z_]+\.)*([a-z_]+)\)s")
_LITERALS = frozenset({"True", "False", "None"})


def _atom(text: str) -> str:
    kind, _colon, value = text.partition(":")
    if kind == "role":
        return _("the role %(role)s") % {"role": value}
    if kind in _ATOMS:
        return _(_ATOMS[kind])
    named = _NAMED.fullmatch(value)
    if named is None:
        return text
    if kind in _LITERALS or kind[:1] in "'\"":
        return _("that its %(name)s is %(value)s") % {"name": named[1], "value": kind.strip("'\"")}
    return _("that its %(name)s is your %(value)s") % {"name": named[1], "value": kind}
