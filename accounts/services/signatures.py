"""Signatures of requests as the public documents of AWS describe them: versions 2 and 4.

Nothing here knows rows or keys at rest: a secret and a request go in, the signature that must stand on it comes out.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

V4 = "AWS4-HMAC-SHA256"
COMPACT = "%Y%m%dT%H%M%SZ"
_part = re.compile(r"(Credential|SignedHeaders)=([^,\s]+)")


class Malformed(ValueError):
    """The request is not signed in a way that is known here."""


@dataclass(frozen=True)
class SignedRequest:
    """A request as the service that received it describes it. ``params`` hold the query, or the form of a POST."""

    host: str
    verb: str
    path: str
    params: Mapping[str, Any]
    headers: Mapping[str, str]
    body_hash: str = ""

    @property
    def v4(self) -> bool:
        """Whether it says to be signed by version 4, in a header or in the query."""
        return self._header("authorization").startswith(V4) or self.params.get("X-Amz-Algorithm") == V4

    @property
    def moment(self) -> datetime:
        """When it was signed; raises Malformed."""
        if self.v4:
            return _time(self._date())
        return _time(str(self.params.get("Timestamp", "")))

    def signatures(self, secret: str) -> list[str]:
        """Return the signatures that this secret makes with the host as it is and, since some clients sign so, without its
        port; raises Malformed.
        """
        hosts = dict.fromkeys((self.host, self.host.rpartition(":")[0] or self.host))
        return [replace(self, host=host).signature(secret) for host in hosts]

    def signature(self, secret: str) -> str:
        """Return the signature that this secret makes; raises Malformed."""
        if self.v4:
            return self._signature_4(secret)
        if self.params.get("SignatureVersion") == "2" and self.params.get("SignatureMethod", "HmacSHA256") == "HmacSHA256":
            return self._signature_2(secret)
        raise Malformed("Only signature versions 2 (HmacSHA256) and 4 are known.")

    def _signature_2(self, secret: str) -> str:
        lines = (self.verb.upper(), self.host.lower(), self.path or "/", _query(self.params))
        return base64.b64encode(_hmac(secret.encode(), "\n".join(lines))).decode()

    def _signature_4(self, secret: str) -> str:
        said = self._authorization()
        scope = said.get("Credential", "").split("/")[1:]
        names = said.get("SignedHeaders", "")
        if len(scope) != 4 or "host" not in names.split(";"):
            raise Malformed("The scope or the signed headers are missing.")
        headers = "".join(f"{name}:{self._signed_header(name)}\n" for name in names.split(";"))
        query = "" if self.verb.upper() == "POST" else _query(self.params)
        canonical = "\n".join((self.verb.upper(), self.path or "/", query, headers, names, self.body_hash))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return signature_4(secret, "\n".join((V4, self._date(), "/".join(scope), digest)))

    def _authorization(self) -> dict[str, str]:
        header = self._header("authorization")
        if header.startswith(V4):
            return dict(_part.findall(header))
        return {name: str(self.params.get(f"X-Amz-{name}", "")) for name in ("Credential", "SignedHeaders")}

    def _date(self) -> str:
        return self._header("x-amz-date") or str(self.params.get("X-Amz-Date", ""))

    def _signed_header(self, name: str) -> str:
        value = self.host if name == "host" and not self._header(name) else self._header(name)
        return " ".join(value.split())

    def _header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower().strip() == name), "")


def signature_4(secret: str, text: str) -> str:
    """Return the version 4 signature of a string to sign, with the key that its scope derives; raises Malformed."""
    lines = text.split("\n")
    scope = lines[2].split("/") if len(lines) == 4 else []
    if lines[0] != V4 or len(scope) != 4 or scope[3] != "aws4_request" or not lines[1].startswith(scope[0]):
        raise Malformed("The string to sign is not one of version 4.")
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def moment_of(text: str) -> datetime:
    """Return when a version 4 string to sign was signed; raises Malformed."""
    lines = text.split("\n")
    return _time(lines[1] if len(lines) > 1 else "")


def _query(params: Mapping[str, Any]) -> str:
    pairs = ((name, str(value)) for name, value in params.items() if name not in ("Signature", "X-Amz-Signature"))
    return "&".join(f"{name}={value}" for name, value in sorted((_quoted(name), _quoted(value)) for name, value in pairs))


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, COMPACT).replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("The request does not say when it was signed.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
