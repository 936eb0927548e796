"""Server time of token validation and of a password sign-in, beside the cost of the password hash alone.

``.venv/bin/python benchmarks/identity.py`` uses a throwaway SQLite database in a temporary folder and Django's own client, so that
only the server's work is timed.
"""

import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import check_password, make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from benchmarks.timing import median_ms, settle  # noqa: E402

ROUNDS = 300
VALIDATION_TARGET_MS, SIGN_IN_EXTRA_TARGET_MS = 2, 5


def watch(client: Client) -> list[float]:
    """Return a list that grows by the milliseconds that the server takes for each request of a client."""
    spent: list[float] = []
    answer = client.handler.get_response

    def timed(request: Any) -> Any:
        began = perf_counter()
        try:
            return answer(request)
        finally:
            spent.append((perf_counter() - began) * 1000)

    client.handler.get_response = timed  # type: ignore[method-assign]
    return spent


def main() -> int:
    settings.PASSWORD_HASHERS = ["accounts.hashers.OwaspArgon2Hasher"]
    (settings.STATE_DIR / "db").mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    from accounts.services import seed

    seed.seed("bench-admin-1", "bench-demo-1")
    client = Client()
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "demo", "domain": {"id": "default"}, "password": "bench-demo-1"}},
            },
            "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
        }
    }

    def sign_in() -> str:
        answer = client.post("/identity/v3/auth/tokens", body, content_type="application/json")
        assert answer.status_code == 201, answer.content
        return str(answer["X-Subject-Token"])

    token = sign_in()
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}

    def validate(query: str = "") -> float:
        """Return the milliseconds from the request's arrival at the first middleware to its answer."""
        assert client.get(f"/identity/v3/auth/tokens{query}", headers=headers).status_code == 200
        return spent[-1]

    spent = watch(client)
    settle()
    from accounts.services.tokens import context_for_token

    inner = median_ms(lambda: context_for_token(token), ROUNDS)
    whole = median(validate() for _ in range(ROUNDS))
    plain = median(validate("?nocatalog") for _ in range(ROUNDS))
    encoded = make_password("bench-demo-1")
    hash_ms = median_ms(lambda: check_password("bench-demo-1", encoded), 30)
    sign_in_ms = median_ms(sign_in, 30)
    told = (
        ("token looked up", inner),
        ("GET /v3/auth/tokens", whole),
        ("GET /v3/auth/tokens?nocatalog", plain),
    )
    for name, ms in told:
        print(f"{name:<30} {ms:7.2f} ms  ratio to {VALIDATION_TARGET_MS} ms: {ms / VALIDATION_TARGET_MS:.2f}")
    print(f"password hash alone            {hash_ms:7.2f} ms")
    extra = sign_in_ms - hash_ms
    print(
        f"password sign-in               {sign_in_ms:7.2f} ms  extra {extra:.2f} ms, ratio to {SIGN_IN_EXTRA_TARGET_MS} ms: {extra / SIGN_IN_EXTRA_TARGET_MS:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
