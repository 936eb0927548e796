"""Certificates as the public half of a keypair, by which guests let a user in."""

import hashlib
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core.errors import BadRequest

LIFETIME = timedelta(days=3650)
LENGTH_MAX = 16384

_USER_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


def of_user(key: RSAPrivateKey, user_id: str) -> str:
    """Return a certificate in PEM, signed by its own key, with which a Windows guest lets the user in (WinRM).

    Such a guest looks for the client's purpose and for the user's principal name.
    """
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id[:64])]), timezone.now()
    principal = f"{user_id}@localhost".encode()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.OtherName(_USER_PRINCIPAL_NAME, _utf8(principal))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def checked(text: str) -> str:
    """Return a certificate in PEM, or raise BadRequest."""
    _read(text)
    return text.strip()


def fingerprint_of(text: str) -> str:
    """Return the SHA-1 fingerprint in hexadecimal pairs, as the compute API shows it."""
    data = _read(text).public_bytes(serialization.Encoding.DER)
    return hashlib.sha1(data, usedforsecurity=False).digest().hex(":")


def _read(text: str) -> x509.Certificate:
    if len(text) > LENGTH_MAX:
        raise BadRequest(_("Keypair data is invalid: the certificate is too long"))
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise BadRequest(_("Keypair data is invalid: failed to generate X509 fingerprint")) from error


def _utf8(text: bytes) -> bytes:
    """Return a short text as DER."""
    return bytes([_UTF8_STRING, len(text)]) + text
