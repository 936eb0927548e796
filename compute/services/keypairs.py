"""Keypairs: made here, with the private half given out once, or imported."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Keypair
from compute.models.keypair import KeypairType
from compute.services import certificates, quotas
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict
from portal.core.policy import authorize

NAME = re.compile(r"[A-Za-z0-9 _.@-]{1,255}")
RSA_BITS = 2048
PUBLIC_KEY_MAX = 16384
COMMENT = "Generated-by-Nebulet"


@dataclass(frozen=True)
class NewKeypair:
    """A keypair made here. ``private_key`` is kept nowhere: this is the only time it is seen."""

    keypair: Keypair
    private_key: str


def create(*, ctx: RequestContext, name: str, user_id: str | None = None, kind: KeypairType = KeypairType.SSH) -> NewKeypair:
    """Return a new RSA keypair with its private key in PEM; of kind X509 its public half is a certificate of the user."""
    owner = _admit(ctx, name, user_id)
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    if kind == KeypairType.X509:
        return NewKeypair(_store(ctx, owner, name, kind, certificates.of_user(key, owner)), private)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return NewKeypair(_store(ctx, owner, name, kind, f"{public} {COMMENT}"), private)


def import_(
    *, ctx: RequestContext, name: str, public_key: str, user_id: str | None = None, kind: KeypairType = KeypairType.SSH
) -> Keypair:
    """Return a keypair made from a public key in OpenSSH's form or, of kind X509, from a certificate in PEM; raises BadRequest."""
    owner = _admit(ctx, name, user_id)
    public = certificates.checked(public_key) if kind == KeypairType.X509 else checked(public_key)
    return _store(ctx, owner, name, kind, public)


def delete(*, ctx: RequestContext, keypair: Keypair) -> None:
    """Delete a keypair; servers that were built with it keep the key."""
    authorize(ctx, policies.KEYPAIRS_DELETE, keypair)
    keypair.delete()


def checked(public_key: str) -> str:
    """Return a public key on one line, or raise BadRequest."""
    text = public_key.strip()
    if not text or len(text) > PUBLIC_KEY_MAX or "\n" in text or "\r" in text or not text.isprintable():
        raise BadRequest(_("Keypair data is invalid: a public key is one line, as in a .pub file"))
    try:
        serialization.load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest(_("Keypair data is invalid: failed to generate fingerprint")) from error
    return text


def fingerprint_of(public_key: str) -> str:
    """Return the MD5 fingerprint in hexadecimal pairs, as the compute API shows it."""
    try:
        data = base64.b64decode(public_key.split()[1])
    except (IndexError, binascii.Error) as error:
        raise BadRequest(_("Keypair data is invalid: failed to generate fingerprint")) from error
    return hashlib.md5(data, usedforsecurity=False).digest().hex(":")


def _admit(ctx: RequestContext, name: str, user_id: str | None) -> str:
    owner = user_id or ctx.user_id or ""
    authorize(ctx, policies.KEYPAIRS_CREATE, {"user_id": owner})
    if not NAME.fullmatch(name) or name != name.strip():
        raise BadRequest(
            _("Keypair data is invalid: Keypair name must be 1 to 255 letters, digits, spaces and any of - _ . @")
        )
    return owner


@transaction.atomic
def _store(ctx: RequestContext, owner: str, name: str, kind: KeypairType, public_key: str) -> Keypair:
    if Keypair.objects.filter(user_id=owner, name=name).exists():
        raise Conflict(_("Key pair '%(name)s' already exists.") % {"name": name})
    quotas.admit_keypair(ctx.project_id or "", owner, Keypair.objects.filter(user_id=owner).count())
    fingerprint = certificates.fingerprint_of(public_key) if kind == KeypairType.X509 else fingerprint_of(public_key)
    try:
        with transaction.atomic():
            return Keypair.objects.create(user_id=owner, name=name, type=kind, public_key=public_key, fingerprint=fingerprint)
    except IntegrityError as error:
        raise Conflict(_("Key pair '%(name)s' already exists.") % {"name": name}) from error
