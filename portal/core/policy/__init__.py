"""Rules and the engine that answers them. Only this package imports oslo.policy."""

from portal.core.policy.engine import Decision, allowed, authorize, decide
from portal.core.policy.rules import Rule, registry

__all__ = ["Decision", "Rule", "allowed", "authorize", "decide", "registry"]
