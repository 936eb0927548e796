"""The one place where rules are evaluated: API, pages, admin and ``user.has_perm`` all ask here.

oslo.policy parses and evaluates; this module gives it our rules, watches each service's policy file, and says in words why
an answer was no. A broken file is named in the log and the last good rules stay; an unknown rule denies.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from django.conf import settings
from oslo_config import cfg
from oslo_policy import policy

from portal.core.context import RequestContext
from portal.core.errors import Forbidden
from portal.core.policy import checks, words
from portal.core.policy.rules import Rule, registry

LOG = logging.getLogger(__name__)


class Targetable(Protocol):
    """An object that rules can speak about."""

    def policy_target(self) -> dict[str, Any]: ...


Target = Targetable | Mapping[str, Any] | None


@dataclass(frozen=True)
class Decision:
    """The engine's answer: ``reason`` says in words what was missing, and is empty when allowed."""

    allowed: bool
    rule: Rule
    reason: str = ""


class ServicePolicy:
    """The rules of one service as they stand now: defaults, changed by its policy file."""

    def __init__(self, service: str, path: Path | None) -> None:
        self.service = service
        self.path = path
        self.problems: list[str] = []
        self._stamp: tuple[int, int] | None = (-1, -1)
        self._lock = Lock()
        conf = cfg.ConfigOpts()
        conf([], project="nebulet", default_config_files=[])
        self._enforcer = policy.Enforcer(conf, use_conf=False, rules=None, default_rule=None)

    def check(self, rule: str, target: Mapping[str, Any], credentials: dict[str, Any]) -> bool:
        """Return whether the rule allows; False for a rule that does not exist."""
        self.refresh()
        return bool(self._enforcer.enforce(rule, target, credentials))

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
            rules = policy.Rules.from_dict(self._defaults() | overrides)
        except Exception as error:  # the parser raises many kinds; every one means "keep the last good rules"
            self.problems = [f"{self.path}: {error}"]
            LOG.error("Policy of %s not read, the last good rules stay: %s", self.service, error)
            if not self._enforcer.rules:
                self._enforcer.set_rules(policy.Rules.from_dict(self._defaults()), use_conf=False)
            return
        self.problems = self._unknown(overrides)
        for problem in self.problems:
            LOG.warning("Policy of %s: %s", self.service, problem)
        self._enforcer.set_rules(rules, overwrite=True, use_conf=False)

    def _defaults(self) -> dict[str, str]:
        return {name: rule.check for name, rule in registry.of(self.service).items()}

    def _read_stamp(self) -> tuple[int, int] | None:
        if self.path is None:
            return None
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _read_overrides(self) -> dict[str, str]:
        assert self.path is not None
        text = self.path.read_text()
        if not text.strip():
            raise ValueError("the file is empty; write {} to change nothing")
        found = policy.parse_file_contents(text)
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise ValueError("the file must be one object of rule names and check strings")
        for name, check in found.items():
            if check.strip() != "!" and isinstance(policy._parser.parse_rule(check), policy._checks.FalseCheck):
                raise ValueError(f"the check of {name} cannot be read: {check!r}")
        return found

    def _unknown(self, overrides: Mapping[str, str]) -> list[str]:
        known = registry.of(self.service)
        used = " ".join([*overrides.values(), *(rule.check for rule in known.values())])
        return [f"rule {name} is not known here" for name in overrides if name not in known and f"rule:{name}" not in used]


_policies: dict[str, ServicePolicy] = {}


def service_policy(service: str) -> ServicePolicy:
    """Return the live policy of a service."""
    if service not in _policies:
        path = settings.POLICY_FILES.get(service)
        _policies[service] = ServicePolicy(service, Path(path) if path else None)
    return _policies[service]


def reset() -> None:
    """Forget what was read, for tests that change settings."""
    _policies.clear()


def decide(ctx: RequestContext, rule: Rule, target: Target = None) -> Decision:
    """Return whether ``ctx`` may do what ``rule`` stands for, and why not."""
    decision = _decide(ctx, rule, target)
    verdict = "allowed" if decision.allowed else f"refused: {decision.reason}"
    LOG.debug("Rule %s for user %s in project %s: %s", rule.name, ctx.user_id, ctx.project_id, verdict)
    return decision


def _decide(ctx: RequestContext, rule: Rule, target: Target) -> Decision:
    service = registry.service_of(rule.name)
    if service is None:
        return Decision(False, rule, words.unknown_rule(rule.name))
    live = service_policy(service)
    if live.check(rule.name, _as_mapping(ctx, target), ctx.credentials()):
        return Decision(True, rule)
    return Decision(False, rule, words.refusal(ctx, live.parsed(rule.name), registry.of(service)))


def allowed(ctx: RequestContext, rule: Rule, target: Target = None) -> bool:
    """Return whether ``ctx`` may do what ``rule`` stands for."""
    if LOG.isEnabledFor(logging.DEBUG):
        return decide(ctx, rule, target).allowed  # slower, since it finds the reason
    service = registry.service_of(rule.name)
    return service is not None and service_policy(service).check(rule.name, _as_mapping(ctx, target), ctx.credentials())


def authorize(ctx: RequestContext, rule: Rule, target: Target = None) -> None:
    """Let the caller pass or raise Forbidden with the rule's name and the reason in words."""
    decision = decide(ctx, rule, target)
    if not decision.allowed:
        LOG.info("Refused %s to user %s in project %s: %s", rule.name, ctx.user_id, ctx.project_id, decision.reason)
        raise Forbidden(f"Policy doesn't allow {rule.name} to be performed.", rule=rule.name, reason=decision.reason)


def _as_mapping(ctx: RequestContext, target: Target) -> Mapping[str, Any]:
    if target is None:
        return {"project_id": ctx.project_id, "user_id": ctx.user_id, "domain_id": ctx.domain_id}
    if isinstance(target, Mapping):
        return target
    return {**target.policy_target(), "_object": target}


__all__ = ["Decision", "ServicePolicy", "allowed", "authorize", "checks", "decide", "reset", "service_policy"]
