"""The second factor: one-time passwords by the clock (RFC 6238), and recovery codes for the day the device is lost.

The seed is a credential of type ``totp`` whose secret is the seed in base32, as Identity v3 keeps it ("Time-based one-time
password"); a seed that came by the API serves here too.
"""

import hashlib
import hmac
import logging
import secrets
import time
from base64 import b32decode, b32encode
from binascii import Error as NotBase32
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Credential, RecoveryCode, User
from accounts.models.credential import TOTP as TYPE
from accounts.services import once, vault
from portal.core.errors import BadRequest

LOG = logging.getLogger(__name__)

ISSUER = "Nebulet"
DIGITS, STEP_S, DRIFT = 6, 30, 1
RECOVERY_CODES = 10
TRIES, TRIES_WITHIN_S = 5, 300
RULES = [["password", "totp"], ["application_credential"]]


@dataclass(frozen=True)
class Enrolment:
    """A seed that is not yet anybody's, and the address that authenticator apps read from a QR code."""

    seed: str
    uri: str


def enrol(*, user: User) -> Enrolment:
    """Return a new seed for a user to put into his app; it counts once ``confirm`` saw a code of it."""
    seed = b32encode(secrets.token_bytes(20)).decode()
    return Enrolment(seed, uri_of(user, seed))


def uri_of(user: User, seed: str) -> str:
    """Return the address that stands for a seed in a QR code."""
    return _clock(seed).get_provisioning_uri(user.name, ISSUER)


@transaction.atomic
def confirm(*, user: User, seed: str, code: str) -> list[str]:
    """Take a seed as the user's second factor and return his recovery codes; raises BadRequest when the code is not of it.

    From then on tokens, too, ask for both factors, unless the user has rules of his own.
    """
    try:
        step = _step(seed, code)
    except ValueError:
        step = None
    if step is None:
        raise BadRequest(_("This code is not right. Check the clock of the device."))
    Credential.objects.filter(user=user, type=TYPE).delete()
    row = Credential.objects.create(user=user, type=TYPE, sealed=vault.seal(seed))
    _take(row, step)
    if not user.options.get("multi_factor_auth_rules"):
        user.options = {**user.options, "multi_factor_auth_rules": RULES, "multi_factor_auth_enabled": True}
        user.save(update_fields=["options"])
    LOG.info("User %s has a second factor", user.pk)
    return new_recovery_codes(user=user)


def verify(*, user: User, code: str, alone: bool = False) -> bool:
    """Return whether this is a code of the user's device or one of his recovery codes; each is good once.

    After a few wrong ones the device's codes are refused for some minutes, so that six digits cannot be tried out. Who proved
    nothing else (``alone``) is counted apart: a stranger cannot shut the owner out.
    """
    code = "".join(code.split()) if len(code) <= 64 else ""
    if not code or not is_enrolled(user):
        return False
    if len(code) > DIGITS:
        return _by_recovery_code(user, code)
    tries = f"totp-tries:{'alone' if alone else 'second'}:{user.pk}"
    if once.count(tries, TRIES_WITHIN_S) <= TRIES and _by_device(user, code):
        once.forget(tries)
        return True
    LOG.info("Wrong second factor of user %s", user.pk)
    return False


@transaction.atomic
def disable(*, user: User) -> None:
    """Let the password alone suffice again."""
    Credential.objects.filter(user=user, type=TYPE).delete()
    RecoveryCode.objects.filter(user=user).delete()
    if user.options.get("multi_factor_auth_rules") == RULES:
        names = ("multi_factor_auth_rules", "multi_factor_auth_enabled")
        user.options = {name: value for name, value in user.options.items() if name not in names}
        user.save(update_fields=["options"])
    LOG.info("User %s has no second factor any more", user.pk)


def is_enrolled(user: User) -> bool:
    """Return whether the user has a second factor."""
    return Credential.objects.filter(user=user, type=TYPE).exists()


@transaction.atomic
def new_recovery_codes(*, user: User) -> list[str]:
    """Return fresh recovery codes, to be shown this once; earlier ones end."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = [_spelled(b32encode(secrets.token_bytes(10)).decode().lower()) for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes])
    return codes


def _by_device(user: User, code: str) -> bool:
    for row in Credential.objects.filter(user=user, type=TYPE):
        try:
            step = _step(vault.unseal(row), code)
        except ValueError:
            LOG.warning("Credential %s holds no seed in base32", row.pk)
            continue
        if step is not None:
            return _take(row, step)
    return False


def _by_recovery_code(user: User, code: str) -> bool:
    right = RecoveryCode.objects.filter(user=user, code_hash=_hash(user, code)).delete()[0] == 1
    LOG.info("%s recovery code of user %s", "Used up a" if right else "Wrong", user.pk)
    return right


def _step(seed: str, code: str) -> int | None:
    """Return the step of the clock to which a code belongs, None when to none near; raises ValueError for a broken seed."""
    clock, now = _clock(seed), int(time.time()) // STEP_S
    steps = range(now - DRIFT, now + DRIFT + 1)
    right = [step for step in steps if hmac.compare_digest(clock.generate(step * STEP_S), code.encode())]
    return right[0] if right else None


def _clock(seed: str) -> TOTP:
    text = seed.strip().upper()
    try:
        key = b32decode(text + "=" * (-len(text) % 8))
    except (NotBase32, ValueError) as error:
        raise ValueError("not base32") from error
    return TOTP(key, DIGITS, SHA1(), STEP_S, enforce_key_length=False)  # noqa: S303


def _take(row: Credential, step: int) -> bool:
    """Use up a code; False when it was used before."""
    return once.use_up(f"totp:{row.pk}:{step}", (2 * DRIFT + 2) * STEP_S)


def _hash(user: User, code: str) -> str:
    """Return what is kept of a recovery code: it is 80 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(f"{user.pk}:{code.replace('-', '').lower()}".encode()).hexdigest()


def _spelled(code: str) -> str:
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))
