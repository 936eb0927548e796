"""Signatures of images: who set the four ``img_signature`` properties gets an active image only when its bytes are the signed ones.

Follows the Image service's documentation, "Image Signature Verification". In place of a key manager an operator's folder holds the
certificates that are trusted, each a file ``<uuid>.pem`` or ``<uuid>.crt``.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from django.conf import settings

from images.stores.base import IMAGE_ID
from portal.core.errors import BadRequest

SIGNATURE = "img_signature"
HASH_METHOD = "img_signature_hash_method"
KEY_TYPE = "img_signature_key_type"
CERTIFICATE = "img_signature_certificate_uuid"
PROPERTIES = (SIGNATURE, HASH_METHOD, KEY_TYPE, CERTIFICATE)

_MAX_CERTIFICATE_BYTES = 64 << 10
_HASHES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "SHA-224": ("sha224", hashes.SHA224()),
    "SHA-256": ("sha256", hashes.SHA256()),
    "SHA-384": ("sha384", hashes.SHA384()),
    "SHA-512": ("sha512", hashes.SHA512()),
}
_CURVES = {f"ECC_{curve.name.upper()}": curve.name for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}
_KEYS: dict[str, type[Any]] = {
    "RSA-PSS": rsa.RSAPublicKey,
    "DSA": dsa.DSAPublicKey,
    **dict.fromkeys(_CURVES, ec.EllipticCurvePublicKey),
}


class SignatureFailed(BadRequest):
    """The bytes are not those that were signed, or nobody can tell."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Signature verification failed: {why}")


class Verifier:
    """Hashes an image's bytes as they flow past and compares them with its signature at the end."""

    def __init__(self, *, signature: bytes, hash_method: str, key_type: str, key: Any) -> None:
        self._signature = signature
        self._key_type = key_type
        self._key = key
        digest, self._algorithm = _HASHES[hash_method]
        self._hash = hashlib.new(digest)

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def verify(self) -> None:
        """Let the image pass if these were the signed bytes; raises SignatureFailed."""
        digest, prehashed = self._hash.digest(), Prehashed(self._algorithm)
        try:
            if self._key_type == "RSA-PSS":
                pss = padding.PSS(mgf=padding.MGF1(self._algorithm), salt_length=padding.PSS.AUTO)
                self._key.verify(self._signature, digest, pss, prehashed)
            elif self._key_type == "DSA":
                self._key.verify(self._signature, digest, prehashed)
            else:
                self._key.verify(self._signature, digest, ec.ECDSA(prehashed))
        except InvalidSignature:
            raise SignatureFailed("the data is not what was signed.") from None


def verifier_for(properties: Mapping[str, str]) -> Verifier | None:
    """Return what verifies an image of these properties, None when it is not signed; raises SignatureFailed."""
    if not all(name in properties for name in PROPERTIES):
        return None
    if properties[HASH_METHOD] not in _HASHES:
        raise SignatureFailed(f"{HASH_METHOD} must be one of {', '.join(_HASHES)}.")
    if properties[KEY_TYPE] not in _KEYS:
        raise SignatureFailed(f"{KEY_TYPE} must be one of {', '.join(_KEYS)}.")
    return Verifier(
        signature=_decoded(properties[SIGNATURE]),
        hash_method=properties[HASH_METHOD],
        key_type=properties[KEY_TYPE],
        key=_key(properties[CERTIFICATE], properties[KEY_TYPE]),
    )


def verify_file(properties: Mapping[str, str], path: Path) -> None:
    """Let a staged file pass if it is what was signed, or not signed at all; raises SignatureFailed."""
    verifier = verifier_for(properties)
    if verifier is None:
        return
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            verifier.update(chunk)
    verifier.verify()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureFailed(f"{SIGNATURE} is not base64.") from None


def _key(certificate_id: str, key_type: str) -> Any:
    certificate = _certificate(certificate_id)
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureFailed(f"certificate {certificate_id} is not valid at this time.")
    key = certificate.public_key()
    fits = isinstance(key, _KEYS[key_type])
    if fits and isinstance(key, ec.EllipticCurvePublicKey):
        fits = key.curve.name == _CURVES[key_type]
    if not fits:
        raise SignatureFailed(f"certificate {certificate_id} holds no key of type {key_type}.")
    return key


def _certificate(certificate_id: str) -> x509.Certificate:
    """Return a trusted certificate. The id becomes a file's name only when it is a UUID."""
    if not IMAGE_ID.fullmatch(certificate_id):
        raise SignatureFailed(f"{CERTIFICATE} must be a UUID.")
    for ending in (".pem", ".crt"):
        path = Path(settings.IMAGE_CERTIFICATES_DIR) / f"{certificate_id.lower()}{ending}"
        if path.is_file():
            break
    else:
        raise SignatureFailed(f"there is no trusted certificate {certificate_id}.")
    with path.open("rb") as source:
        content = source.read(_MAX_CERTIFICATE_BYTES)
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        pass
    try:
        return x509.load_der_x509_certificate(content)
    except ValueError:
        raise SignatureFailed(f"certificate {certificate_id} cannot be read.") from None
