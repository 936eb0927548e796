"""How passwords and secrets are hashed."""

import hashlib
import secrets
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, BasePasswordHasher


class OwaspArgon2Hasher(Argon2PasswordHasher):
    """Argon2id with the figures of OWASP's password storage cheat sheet: 19 MiB, two passes, one lane."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1


class RandomSecretHasher(BasePasswordHasher):
    """One salted SHA-256, for secrets of 64 random bytes that we made ourselves: nobody can guess those, however fast he tries.

    Never for what a person chose.
    """

    algorithm = "random_sha256"

    def encode(self, password: str, salt: str) -> str:
        digest = hashlib.sha256(f"{salt}{password}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return secrets.compare_digest(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to make up for: there is one figure only."""
