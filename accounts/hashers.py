"""How passwords and secrets are hashed."""

import hashlib
import secrets
from functools import lru_cache
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, BasePasswordHasher, check_password, get_hasher
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id


class OwaspArgon2Hasher(Argon2PasswordHasher):
    """Argon2id with the figures of OWASP's password storage cheat sheet that cost a server the least memory: 7 MiB, five passes.

    libsodium verifies, since it uses what the processor offers and so takes two thirds of the time of the reference code.
    """

    time_cost = 5
    memory_cost = 7168
    parallelism = 1

    def verify(self, password: str, encoded: str) -> bool:
        try:
            return argon2id.verify(f"${encoded.partition('$')[2]}".encode(), password.encode())
        except (CryptoError, ValueError):
            return False


def check_in_vain(password: str) -> None:
    """Spend the time of a check where there is nobody whose password could be checked."""
    check_password(password, _nobodys(get_hasher()))


@lru_cache(maxsize=1)
def _nobodys(hasher: BasePasswordHasher) -> str:
    return hasher.encode(secrets.token_urlsafe(), hasher.salt())


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
