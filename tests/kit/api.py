"""Matrices of an API: who asks for what, and the status and the fault that he gets.

A test declares rows and runs them with ``check``; the message of a failure names the row. ``matrix`` makes the rows that every
endpoint has: anonymous 401, a stranger 404, somebody without the rule 403, a malformed body 400.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.kit.identity import Api

FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "computeFault",
    409: "conflictingRequest",
    410: "computeFault",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    503: "serviceUnavailable",
}
NOBODY = "anonymous"


@dataclass(frozen=True)
class Row:
    """One request and what must come back; ``kind`` is the type of the network service's fault."""

    who: str
    method: str
    path: str
    status: int
    body: Any = None
    version: str | None = None
    says: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = ""


def ask(personas: Any, row: Row) -> Any:
    """Return the answer to the row's request."""
    api = Api() if row.who == NOBODY else getattr(personas, row.who).api
    headers = dict(row.headers)
    if row.version:
        headers["OpenStack-API-Version"] = f"compute {row.version}"
    return api(row.method, row.path, row.body, **headers)


def check(personas: Any, *rows: Row) -> list[Any]:
    """Run the rows; each must have its status, and each refusal the service's own form. Return the answers."""
    return [_checked(personas, row) for row in rows]


def _checked(personas: Any, row: Row) -> Any:
    answer = ask(personas, row)
    assert answer.status_code == row.status, f"{row}: {answer.status_code} {answer.content[:500]!r}"
    assert answer.headers["X-OpenStack-Request-ID"].startswith("req-"), row
    if row.status >= 400:
        body = answer.json()
        assert len(body) == 1, f"{row}: {body}"
        name, fault = next(iter(body.items()))
        if row.path.startswith("/network"):
            assert name == "NeutronError", f"{row}: {body}"
            assert set(fault) == {"type", "message", "detail"}, f"{row}: {body}"
            assert fault["type"] == (row.kind or fault["type"]), f"{row}: {body}"
        else:
            assert name == FAULTS[row.status], f"{row}: {body}"
            assert fault["code"] == row.status, f"{row}: {body}"
        assert fault["message"], f"{row}: {body}"
        assert row.says in fault["message"], f"{row}: {fault['message']}"
    return answer


def matrix(
    method: str,
    path: str,
    *,
    body: Any = None,
    ok: int,
    who: str = "member",
    stranger: int | None = 404,
    weak: str | None = None,
    malformed: Iterable[Any] = (),
    version: str | None = None,
) -> list[Row]:
    """Return the rows that every endpoint has; ``weak`` is somebody whom the rule refuses. The success comes last."""
    common: dict[str, Any] = {"method": method, "path": path, "version": version}
    rows = [Row(who=NOBODY, status=401, body=body, **common)]
    if stranger is not None:
        rows.append(Row(who="stranger", status=stranger, body=body, **common))
    if weak is not None:
        rows.append(Row(who=weak, status=403, body=body, **common))
    rows += [Row(who=who, status=400, body=bad, **common) for bad in malformed]
    return [*rows, Row(who=who, status=ok, body=body, **common)]
