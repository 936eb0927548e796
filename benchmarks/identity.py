"""Server time of token validation and of a password sign-in, beside the cost of the password hash alone.

``.venv/bin/python benchmarks/identity.py`` uses a throwaway SQLite database in a temporary folder and Django's own client, so that
only the server's work is timed.
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import check_password, make_password  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from benchmarks.timing import median_ms  # noqa: E402

ROUNDS = 300
VALIDATION_TARGET_MS, SIGN_IN_EXTRA_TARGET_MS = 2, 5


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

    def validate() -> Any:
        return client.get("/identity/v3/auth/tokens?nocatalog", headers=headers)

    assert validate().status_code == 200
    from accounts.services.tokens import context_for_token

    inner = median_ms(lambda: context_for_token(token), ROUNDS)
    outer = median_ms(validate, ROUNDS)
    encoded = make_password("bench-demo-1")
    hash_ms = median_ms(lambda: check_password("bench-demo-1", encoded), 30)
    sign_in_ms = median_ms(sign_in, 30)
    print(
        f"token validation (in process)  {inner:7.2f} ms  ratio to {VALIDATION_TARGET_MS} ms: {inner / VALIDATION_TARGET_MS:.2f}"
    )
    print(f"GET /v3/auth/tokens (whole)    {outer:7.2f} ms")
    print(f"password hash alone            {hash_ms:7.2f} ms")
    extra = sign_in_ms - hash_ms
    print(
        f"password sign-in               {sign_in_ms:7.2f} ms  extra {extra:.2f} ms, ratio to {SIGN_IN_EXTRA_TARGET_MS} ms: {extra / SIGN_IN_EXTRA_TARGET_MS:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
