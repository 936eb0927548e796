"""Rules as conditions of the database: a list keeps what its rule allows without asking the engine for each row."""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from oslo_policy import policy

from portal.core.context import RequestContext
from portal.core.policy import engine
from portal.core.policy.checks import granted
from portal.core.policy.rules import Rule, registry

Column = str | Callable[[RequestContext], Q]
Rows = TypeVar("Rows", bound=QuerySet[Any])
_MISSING = object()
_PLACEHOLDER = re.compile(r"^%\(([^)]+)\)s$")
NOTHING, EVERYTHING = Q(pk__in=[]), ~Q(pk__in=[])


class _NotAFilter(Exception):
    """A part of the rule that no column answers."""


def keep_allowed(rows: Rows, ctx: RequestContext, rule: Rule, columns: Mapping[str, Column]) -> Rows:
    """Keep the rows on which ``rule`` lets the caller pass.

    ``columns`` says which column holds what rules call ``%(name)s``; a function returns the condition under which that is the
    caller's own project. Where a part of the rule is no filter, every row is asked, one by one.
    """
    found = condition(ctx, rule, rows.model, columns)
    if found is not None:
        return rows.filter(found)
    return rows.filter(pk__in=[row.pk for row in rows if engine.allowed(ctx, rule, row)])


def condition(ctx: RequestContext, rule: Rule, model: type[Model], columns: Mapping[str, Column]) -> Q | None:
    """Return the condition under which a row of ``model`` satisfies the rule, None when it cannot be said as one."""
    service = registry.service_of(rule.name)
    if service is None:
        return NOTHING
    rules = engine.service_policy(service).rules
    try:
        return _Compiler(ctx, model, columns, rules).of(rules.get(rule.name, policy._checks.FalseCheck()))
    except _NotAFilter:
        return None


class _Compiler:
    def __init__(
        self, ctx: RequestContext, model: type[Model], columns: Mapping[str, Column], rules: Mapping[str, Any]
    ) -> None:
        self.ctx = ctx
        self.credentials = ctx.credentials()
        self.model = model
        self.columns = columns
        self.rules = rules

    def of(self, check: Any) -> Q:
        """Return one parsed check as a condition."""
        kind = type(check).__name__
        try:
            return self._KINDS[kind](self, check)
        except KeyError as error:
            raise _NotAFilter(str(check)) from error

    def _all(self, check: Any) -> Q:
        found = EVERYTHING
        for each in check.rules:
            part = self.of(each)
            if part == NOTHING:
                return NOTHING
            found = part if found == EVERYTHING else found if part == EVERYTHING else found & part
        return found

    def _any(self, check: Any) -> Q:
        found = NOTHING
        for each in check.rules:
            part = self.of(each)
            if part == EVERYTHING:
                return EVERYTHING
            found = part if found == NOTHING else found if part == NOTHING else found | part
        return found

    def _not(self, check: Any) -> Q:
        inner = self.of(check.rule)
        return {NOTHING: EVERYTHING, EVERYTHING: NOTHING}.get(inner) or ~inner

    def _rule(self, check: Any) -> Q:
        return self.of(self.rules[check.match]) if check.match in self.rules else NOTHING

    def _role(self, check: Any) -> Q:
        if "%(" in check.match:
            raise _NotAFilter(str(check))
        return _constant(check.match.lower() in {role.lower() for role in self.ctx.roles})

    def _guardian(self, check: Any) -> Q:
        if self.ctx.user_id is None:
            return NOTHING
        return granted(check.match, self.model, self.ctx.user_id, self.ctx.project_id)

    def _generic(self, check: Any) -> Q:
        place = _PLACEHOLDER.match(check.match)
        wanted = self._left_side(check.kind)
        if place is None:
            if "%(" in check.match:
                raise _NotAFilter(str(check))
            return _constant(wanted is not _MISSING and str(wanted) == check.match)
        column = self.columns.get(place[1])
        if column is None or isinstance(wanted, list | dict):
            raise _NotAFilter(str(check))
        if wanted is _MISSING:
            return NOTHING
        if callable(column):
            return self._own(check, column)
        return Q(**{f"{column}__isnull": True}) if wanted is None else Q(**{column: str(wanted)})

    def _own(self, check: Any, column: Callable[[RequestContext], Q]) -> Q:
        if check.kind != "project_id" or self.ctx.project_id is None:
            raise _NotAFilter(str(check))
        return column(self.ctx)

    def _left_side(self, kind: str) -> Any:
        """Return what stands left of the colon: a literal, or what the caller has under this name."""
        try:
            return ast.literal_eval(kind)
        except (ValueError, SyntaxError):
            found: Any = self.credentials
            for step in kind.split("."):
                found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
            return found

    _KINDS: Mapping[str, Callable[["_Compiler", Any], Q]] = {
        "TrueCheck": lambda self, check: EVERYTHING,
        "FalseCheck": lambda self, check: NOTHING,
        "AndCheck": _all,
        "OrCheck": _any,
        "NotCheck": _not,
        "RuleCheck": _rule,
        "RoleCheck": _role,
        "GuardianCheck": _guardian,
        "GenericCheck": _generic,
    }


def _constant(holds: bool) -> Q:
    return EVERYTHING if holds else NOTHING
