"""Tokens for requests that somebody signed with an EC2 key pair (Identity v3, "OS-EC2").

The service that received the request describes it; a token comes back when the signature is right, fresh, and new.
"""

import base64
import hashlib
import hmac
import logging
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts import policies
from accounts.models import Credential
from accounts.models.credential import EC2, ec2_id
from accounts.services import credentials, once, signatures, tokens
from accounts.services.signatures import Malformed, SignedRequest
from accounts.services.tokens import EC2_METHOD, Grant, Scope
from portal.core.context import RequestContext
from portal.core.errors import Unauthorized
from portal.core.policy import authorize

LOG = logging.getLogger(__name__)

SKEW = timedelta(minutes=15)


def authenticate(*, ctx: RequestContext, signed: dict[str, Any]) -> tuple[str, Grant]:
    """Return a token of whoever signed a request, in the project of his key pair; raises Unauthorized."""
    authorize(ctx, policies.EC2TOKENS_VALIDATE)
    access, signature = signed.pop("access"), signed.pop("signature")
    credential, secret = _key_pair(access)
    request = SignedRequest(**{"params": {}, "headers": {}, **signed})
    try:
        _check(credential, signature, request.signatures(secret), request.moment)
    except Malformed as error:
        raise Unauthorized(f"The EC2 signature is not valid. {error}") from error
    return _token(credential)


def authenticate_text(*, ctx: RequestContext, access: str, signature: str, token: str) -> tuple[str, Grant]:
    """Return a token of whoever signed a text for object storage, which sends it in base64; raises Unauthorized."""
    authorize(ctx, policies.S3TOKENS_VALIDATE)
    credential, secret = _key_pair(access)
    try:
        text = base64.urlsafe_b64decode(token).decode()
        _check(credential, signature, [signatures.signature_4(secret, text)], signatures.moment_of(text))
    except (NotBase64, ValueError) as error:
        raise Unauthorized("The signature is not valid.") from error
    return _token(credential)


def _key_pair(access: str) -> tuple[Credential, str]:
    rows = Credential.objects.select_related("user__domain", "project__domain")
    credential = rows.filter(pk=ec2_id(access), type=EC2, project__isnull=False).first()
    pair = credentials.ec2_pair(credential) if credential is not None else None
    if credential is None or pair is None or pair.access != access:
        raise Unauthorized("The EC2 signature is not valid.")
    return credential, pair.secret


def _check(credential: Credential, given: str, right: list[str], moment: datetime) -> None:
    if not any([hmac.compare_digest(given.encode(), text.encode()) for text in right]):
        raise Unauthorized("The EC2 signature is not valid.")
    if abs(datetime.now(UTC) - moment) > SKEW:
        raise Unauthorized("The EC2 signature is too old, or the clock of who signed is wrong.")
    used = hashlib.sha256(f"{credential.pk}:{given}".encode()).hexdigest()
    if not once.use_up(f"signature:{used}", int(2 * SKEW.total_seconds()) + 1):
        LOG.warning("A signature with EC2 key pair %s came twice", credential.pk)
        raise Unauthorized("The EC2 signature was used before.")


def _token(credential: Credential) -> tuple[str, Grant]:
    assert credential.project is not None
    return tokens.issue(user=credential.user, methods=[EC2_METHOD], scope=Scope(project=credential.project))
