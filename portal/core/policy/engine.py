"""The one place where rules are evaluated: API, pages, admin and ``user.has_perm`` all ask here.

oslo.policy parses and evaluates; this module gives it our rules, watches each service's policy file, and says in words why
an answer was no. A broken file is named in the log and the last good rules stay; an unknown rule denies.
"""

import difflib
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import yaml
from django.conf import settings
from django.utils.translation import gettext as _
from oslo_config import cfg
from oslo_policy import policy

from portal.core.context import RequestContext
from portal.core.errors import Forbidden
from portal.core.policy import checks, records, remedy, soundness, tracing, upstream, verdict, words
from portal.core.policy.rules import Rule, registry

LOG = logging.getLogger(__name__)


class Targetable(Protocol):
    """An object that rules can speak about."""

    def policy_target(self) -> dict[str, Any]: ...


Target = Targetable | Mapping[str, Any] | None


@dataclass(frozen=True)
class Decision:
    """The engine's answer. Its words are found when they are read: lists ask for many answers and tell few refusals."""

    allowed: bool
    rule: Rule
    ctx: RequestContext
    target: Mapping[str, Any]

    @cached_property
    def reason(self) -> str:
        """What was missing; empty when allowed."""
        if self.allowed:
            return ""
        live = _policy_of(self.rule)
        if live is None:
            return words.unknown_rule(self.rule.name)
        return words.refusal(self.ctx, live.parsed(self.rule.name), registry.of(live.service))

    @cached_property
    def remedy(self) -> str:
        """Who could give the role that is missing; empty when no role would help."""
        live = _policy_of(self.rule)
        if self.allowed or live is None:
            return ""
        return words.who_could_grant(self.ctx, live.missing_role(self.rule.name, self.target, self.ctx))


def _misspelled(name: str, known: Iterable[str], kind: str = "rule") -> str:
    like = difflib.get_close_matches(name, list(known), n=1)
    return f"{kind} {name} is not known here" + (f"; did you mean {like[0]}?" if like else "")


class ServicePolicy:
    """The rules of one service as they stand now: defaults, changed by its policy file.

    ``problems`` are what keeps the file from meaning what it says; ``notes`` are names in it that OpenStack knows and we do not.
    Both are logged, unless the file is only ``tried``: it rules nothing then, and whoever tries it tells them.
    """

    def __init__(self, service: str, path: Path | None, *, tried: bool = False) -> None:
        self.service = service
        self.path = path
        self.tried = tried
        self._places = [str(path), str(path.with_suffix(".yaml"))] if path else []  # the second where there is not the first
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.broken = False
        self._stamp: tuple[int, int] | None = (-1, -1)
        self._overrides: dict[str, str] = {}
        self._lock = Lock()
        conf = cfg.ConfigOpts()
        conf([], project="nebulet", default_config_files=[])
        self._enforcer = policy.Enforcer(conf, use_conf=False, rules=None, default_rule=None)

    def check(self, rule: str, target: Mapping[str, Any], credentials: dict[str, Any]) -> bool:
        """Return whether the rule allows; False for a rule that does not exist."""
        self.refresh()
        parsed = self._enforcer.rules.get(rule)
        return parsed is not None and verdict.holds(parsed, target, credentials, self._enforcer)

    @property
    def rules(self) -> Mapping[str, Any]:
        """The parsed check of every rule that holds now."""
        self.refresh()
        return dict(self._enforcer.rules or {})

    def trace(self, rule: str, target: Mapping[str, Any], credentials: dict[str, Any]) -> tracing.Part:
        """Return which parts of a rule hold for a caller and a target, and which do not."""
        self.refresh()
        return tracing.trace(self._enforcer, self._enforcer.rules[rule], target, credentials)

    def missing_role(self, rule: str, target: Mapping[str, Any], ctx: RequestContext) -> str | None:
        """Return the role for want of which a rule refuses, or None where no role would help."""
        self.refresh()
        return remedy.missing_role(ctx, self._enforcer.rules[rule], target, self._enforcer)

    def changed(self) -> dict[str, str]:
        """Return the checks that the file sets and that differ from the defaults."""
        self.refresh()
        return dict(self._overrides)

    def parsed(self, rule: str) -> Any:
        """Return the rule's parsed check, or None."""
        self.refresh()
        return self._enforcer.rules.get(rule)

    def refresh(self) -> None:
        """Read the policy file again if it changed since the last question.

        The stamp is written last: a thread that finds it new also finds the rules that belong to it.
        """
        if self._read_stamp() == self._stamp:
            return
        with self._lock:
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._read(stamp is not None)
                self._stamp = stamp

    def _read(self, has_file: bool) -> None:
        try:
            overrides = self._read_overrides() if has_file else {}
            rules = soundness.parsed(self._defaults() | overrides)
        except Exception as error:  # the parser raises many kinds; every one means "keep the last good rules"
            self.problems, self.broken = [f"{self.path}: {error}"], True
            if not self.tried:
                LOG.error("Policy of %s not read, the last good rules stay: %s", self.service, error)
            if not self._enforcer.rules:
                self._enforcer.set_rules(policy.Rules.from_dict(self._defaults()), use_conf=False)
            return
        defaults = self._defaults()
        self._overrides = {name: check for name, check in overrides.items() if defaults.get(name) != check}
        self.problems, self.broken = self._unknown(overrides) + self._dangling(overrides, rules), False
        if not self.tried:
            self._log_findings()
        self._enforcer.set_rules(rules, overwrite=True, use_conf=False)

    def _log_findings(self) -> None:
        for problem in self.problems:
            LOG.warning("Policy of %s: %s", self.service, problem)
        if self.notes:
            LOG.info("Policy of %s: rules of things that are not offered here: %s", self.service, ", ".join(self.notes))

    def _defaults(self) -> dict[str, str]:
        return {name: rule.check for name, rule in registry.of(self.service).items()}

    def _read_stamp(self) -> tuple[int, int] | None:
        for path in self._places:
            try:
                found = os.stat(path)
            except OSError:
                continue
            return found.st_mtime_ns, found.st_size
        return None

    def _read_overrides(self) -> dict[str, str]:
        path = next((path for path in self._places if os.path.exists(path)), self._places[0])
        text = Path(path).read_text()
        if not text.strip():
            raise ValueError("the file is empty; write {} to change nothing")
        found = policy.parse_file_contents(text)
        if not found and yaml.safe_load(text) is not None:
            found = yaml.safe_load(text)  # the parser takes every empty thing for an empty object
        if not isinstance(found, dict) or not all(isinstance(word, str) for pair in found.items() for word in pair):
            raise ValueError("the file must be one object of rule names and check strings")
        for name, check in found.items():
            if check.strip() != "!" and isinstance(policy._parser.parse_rule(check), policy._checks.FalseCheck):
                raise ValueError(f"the check of {name} cannot be read: {check!r}")
        return found

    def _unknown(self, overrides: Mapping[str, str]) -> list[str]:
        known = registry.of(self.service)
        used = " ".join([*overrides.values(), *(rule.check for rule in known.values())])
        strange = [name for name in overrides if name not in known and f"rule:{name}" not in used]
        self.notes = [name for name in strange if upstream.knows(self.service, name)]
        return [_misspelled(name, known) for name in strange if name not in self.notes]

    def _dangling(self, overrides: Mapping[str, str], rules: Mapping[str, Any]) -> list[str]:
        """Return what the file refers to in vain; rules of things that are not offered are nobody's concern."""
        names = [name for name in overrides if name not in self.notes]
        found = [f"{name}: {_misspelled(other, rules)}" for name in names for other in soundness.missing(rules, name)]
        known = {str(rule.perm) for rule in registry.with_perm()}
        strange = [(name, perm) for name in names for perm in soundness.grants(rules[name]) if perm not in known]
        return found + [f"{name}: {_misspelled(perm, known, 'permission')}" for name, perm in strange]


_policies: dict[str, ServicePolicy] = {}


def service_policy(service: str) -> ServicePolicy:
    """Return the live policy of a service."""
    if service not in _policies:
        path = settings.POLICY_FILES.get(service)
        _policies[service] = ServicePolicy(service, Path(path) if path else None)
    return _policies[service]


def problems() -> dict[str, list[str]]:
    """Return what is wrong with the policy files, by service; services whose file is good are left out."""
    found = {}
    for service in registry.services():
        live = service_policy(service)
        live.refresh()
        if live.problems:
            found[service] = list(live.problems)
    return found


def reset() -> None:
    """Forget what was read, for tests that change settings."""
    _policies.clear()


def decide(ctx: RequestContext, rule: Rule, target: Target = None) -> Decision:
    """Return whether ``ctx`` may do what ``rule`` stands for, and why not."""
    return _decide(ctx, rule, target_mapping(ctx, target))


def _decide(ctx: RequestContext, rule: Rule, target: Mapping[str, Any]) -> Decision:
    decision = Decision(_holds(ctx, rule, target), rule, ctx, target)
    if LOG.isEnabledFor(logging.DEBUG):
        told = "allowed" if decision.allowed else f"refused: {decision.reason}"
        LOG.debug("Rule %s for user %s in project %s: %s", rule.name, ctx.user_id, ctx.project_id, told)
    return decision


def _holds(ctx: RequestContext, rule: Rule, target: Mapping[str, Any]) -> bool:
    live = _policy_of(rule)
    return live is not None and live.check(rule.name, target, ctx.credentials())


def _policy_of(rule: Rule) -> ServicePolicy | None:
    service = registry.service_of(rule.name)
    return None if service is None else service_policy(service)


def allowed(ctx: RequestContext, rule: Rule, target: Target = None) -> bool:
    """Return whether ``ctx`` may do what ``rule`` stands for."""
    if LOG.isEnabledFor(logging.DEBUG):
        return decide(ctx, rule, target).allowed  # slower, since it finds the reason
    return _holds(ctx, rule, target_mapping(ctx, target))


def authorize(ctx: RequestContext, rule: Rule, target: Target = None) -> None:
    """Let the caller pass or raise Forbidden with the rule's name, the reason in words, and who could help."""
    seen = target_mapping(ctx, target)
    decision = _decide(ctx, rule, seen)
    records.note(ctx, rule.name, seen, decision.allowed)
    if not decision.allowed:
        LOG.info("Refused %s to user %s in project %s: %s", rule.name, ctx.user_id, ctx.project_id, decision.reason)
        why = " ".join(filter(None, (decision.reason, decision.remedy)))
        said = _("Policy doesn't allow %(rule)s to be performed. %(why)s") % {"rule": rule.name, "why": why}
        raise Forbidden(said, rule=rule.name, reason=why)


def target_mapping(ctx: RequestContext, target: Target) -> Mapping[str, Any]:
    """Return what rules see of a target; without one, the caller's own place."""
    if target is None:
        return {"project_id": ctx.project_id, "user_id": ctx.user_id, "domain_id": ctx.domain_id}
    if isinstance(target, Mapping):
        return target
    return {**target.policy_target(), "_object": target}


__all__ = ["Decision", "ServicePolicy", "allowed", "authorize", "checks", "decide", "reset", "service_policy"]
