"""Signed images: the bytes that were signed and no others, by a certificate that the operator trusts."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from images.models import Image
from images.services.steps import signature
from images.services.steps.signature import SignatureFailed
from tests.images.asgi import call, file_of
from tests.images.factories import ImageFactory, PropertyFactory, noise

KEYS = {
    "RSA-PSS": rsa.generate_private_key(65537, 2048),
    "DSA": dsa.generate_private_key(1024),
    "ECC_SECP256R1": ec.generate_private_key(ec.SECP256R1()),
    "ECC_SECP384R1": ec.generate_private_key(ec.SECP384R1()),
    "ECC_SECP521R1": ec.generate_private_key(ec.SECP521R1()),
}
METHODS = {"SHA-224": hashes.SHA224(), "SHA-256": hashes.SHA256(), "SHA-384": hashes.SHA384(), "SHA-512": hashes.SHA512()}
CONTENT = noise(300_000)


def certificate(key, *, days=(-1, 1)):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    return builder.sign(key, hashes.SHA256())


def sign(key, method, content):
    algorithm = METHODS[method]
    match key:
        case rsa.RSAPrivateKey():
            pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.MAX_LENGTH)
            return key.sign(content, pss, algorithm)
        case dsa.DSAPrivateKey():
            return key.sign(content, algorithm)
        case _:
            return key.sign(content, ec.ECDSA(algorithm))


@pytest.fixture
def trust(settings, tmp_path):
    """Put a key's certificate into the folder and return its id."""
    settings.IMAGE_CERTIFICATES_DIR = tmp_path

    def put(key, encoding=serialization.Encoding.PEM, **options):
        name = str(uuid4())
        (tmp_path / f"{name}.pem").write_bytes(certificate(key, **options).public_bytes(encoding))
        return name

    return put


def properties(certificate_id, *, key_type="RSA-PSS", method="SHA-256", content=CONTENT, **changes):
    made = base64.b64encode(sign(KEYS[key_type], method, content)).decode()
    values = (made, method, key_type, certificate_id)
    return {**dict(zip(signature.PROPERTIES, values, strict=True)), **changes}


def verify(wanted, tmp_path, content=CONTENT):
    (tmp_path / "staged").write_bytes(content)
    signature.verify_file(wanted, tmp_path / "staged")


@pytest.mark.parametrize("key_type", KEYS)
@pytest.mark.parametrize("method", METHODS)
def test_what_was_signed_passes_and_one_bit_less_does_not(trust, tmp_path, key_type, method):
    wanted = properties(trust(KEYS[key_type]), key_type=key_type, method=method)
    verify(wanted, tmp_path)
    with pytest.raises(SignatureFailed, match="not what was signed"):
        verify(wanted, tmp_path, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))


def test_a_certificate_may_be_binary(trust, tmp_path):
    verify(properties(trust(KEYS["RSA-PSS"], serialization.Encoding.DER)), tmp_path)


def test_an_image_that_lacks_one_of_the_four_properties_is_not_signed(trust):
    whole = properties(trust(KEYS["RSA-PSS"]))
    for name in signature.PROPERTIES:
        assert signature.verifier_for({key: value for key, value in whole.items() if key != name}) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({signature.SIGNATURE: "***"}, "not base64"),
        ({signature.HASH_METHOD: "MD5"}, "must be one of SHA-224"),
        ({signature.KEY_TYPE: "ROT13"}, "must be one of RSA-PSS"),
        ({signature.KEY_TYPE: "DSA"}, "no key of type DSA"),
        ({signature.KEY_TYPE: "ECC_SECP384R1"}, "no key of type"),
        ({signature.CERTIFICATE: str(uuid4())}, "no trusted certificate"),
        ({signature.CERTIFICATE: "../../etc/ssl/x"}, "must be a UUID"),
        ({signature.CERTIFICATE: "/etc/passwd"}, "must be a UUID"),
    ],
)
def test_what_cannot_be_verified_says_why(trust, changes, why):
    with pytest.raises(SignatureFailed, match=why):
        signature.verifier_for(properties(trust(KEYS["RSA-PSS"]), **changes))


@pytest.mark.parametrize("days", [(-2, -1), (1, 2)])
def test_a_certificate_out_of_its_time_is_not_trusted(trust, days):
    with pytest.raises(SignatureFailed, match="not valid at this time"):
        signature.verifier_for(properties(trust(KEYS["RSA-PSS"], days=days)))


def test_a_file_that_is_no_certificate_is_named(trust, tmp_path):
    name = trust(KEYS["RSA-PSS"])
    (tmp_path / f"{name}.pem").write_bytes(b"nonsense")
    with pytest.raises(SignatureFailed, match="cannot be read"):
        signature.verifier_for(properties(name))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("sent", "status", "after"), [(CONTENT, 204, "active"), (CONTENT + b"more", 400, "queued")])
async def test_an_upload_is_verified_while_it_arrives(personas, trust, store, sent, status, after):
    image = await sync_to_async(_signed)(personas, properties(trust(KEYS["RSA-PSS"])))
    answer = await call("PUT", file_of(image), token=personas.member.token, chunks=[sent[:100_000], sent[100_000:]])
    row = await Image.objects.aget(pk=image.pk)
    assert (answer.status, row.status) == (status, after)
    assert (image.pk in store.data) == (after == "active")
    if status == 400:
        assert b"Signature verification failed" in answer.body


def _signed(personas, wanted):
    image = ImageFactory(owner=personas.lab.pk)
    for name, value in wanted.items():
        PropertyFactory(image=image, name=name, value=value)
    return image
