"""The second line of defence: what looks like a secret is taken out of a line before it is written.

The first is that nobody logs one. What is looked for here are forms, since no line knows which words are somebody's password.
"""

import re
from typing import Any

GONE = "***"

_WORDS = (
    r"x-(?:auth|subject|service)-token|authorization|(?:set-)?cookie|openstack-auth-receipt|[a-z_.-]{0,24}passw(?:or)?d|passcode|"
    r"admin_?pass|[a-z_.-]{0,24}secret(?:_?key)?|user_data|private_key|secret-key|queue-key|ticket|token|signature|sessionid|totp"
)
_VALUE = r"""(?:\\?"(?:[^"\\]|\\.)*\\?"|'(?:[^'\\]|\\.)*'|(?:Bearer |Basic )?[^\s"',;&}\])]+)"""
_SECRET = re.compile(
    rf"""(?P<key>(?<![a-z0-9])(?:{_WORDS})\\?["']?\s?[:=]\s?)(?:{_VALUE})"""
    r"|gAAAA[\w-]{20,}={0,2}"
    r"|(?P<scheme>://[^\s:/@]*:)[^\s/@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?P<detail>\bDETAIL:)[^\n]*",  # PostgreSQL shows the whole row that a constraint refused
    re.IGNORECASE | re.DOTALL,
)
_SIGNS = (":", "=", "gAAAA", "-----BEGIN")  # without any of them there is nothing to find, which most access lines are spared


def redact(text: str) -> str:
    """Return the text without what looks like a token, a password, a key, a signed address or a sealed row."""
    return _SECRET.sub(_blank, text) if any(sign in text for sign in _SIGNS) else text


def _blank(match: "re.Match[str]") -> str:
    return f"{match['key'] or match['scheme'] or match['detail'] or ''}{GONE}"


def without_payload(argument: Any) -> Any:
    """Return a message of the queue as its name and id: its text would carry all that it brings, user data too."""
    name = getattr(argument, "actor_name", None)
    return f"{name} {argument.message_id}" if name is not None and hasattr(argument, "message_id") else argument
