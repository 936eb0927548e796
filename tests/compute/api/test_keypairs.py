"""Keypairs at every shape they had."""

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.kit.api import Row, check, matrix

KEYPAIRS = "/compute/v2.1/os-keypairs"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRlc3RrZXl0ZXN0a2V5dGVzdGtleXRlc3RrZXkwMTIz me@example.org"


def wish(**changes):
    return {"keypair": {"name": "k1", "public_key": PUBLIC, **changes}}


def test_a_keypair_is_imported_listed_shown_and_deleted(personas, cloud):
    bad = [{}, {"keypair": {}}, wish(name=""), wish(name=1), wish(public_key="x"), wish(public_key=1), wish(more=1)]
    bad += [wish(name="a/b"), wish(type="ssh"), wish(name="x" * 256), wish(name="<b>")]
    made = check(personas, *matrix("post", KEYPAIRS, body=wish(), ok=200, stranger=None, malformed=bad))[-1].json()["keypair"]
    assert set(made) == {"name", "public_key", "fingerprint", "user_id"}
    check(personas, Row("member", "post", KEYPAIRS, 409, wish()))
    listed = check(personas, *matrix("get", KEYPAIRS, ok=200, stranger=200))[-1].json()["keypairs"]
    assert [set(item["keypair"]) for item in listed] == [{"name", "public_key", "fingerprint"}]
    assert personas.stranger.api.get(KEYPAIRS).json() == {"keypairs": []}
    check(personas, *matrix("get", f"{KEYPAIRS}/k1", ok=200), *matrix("delete", f"{KEYPAIRS}/k1", ok=202))
    check(personas, Row("member", "delete", f"{KEYPAIRS}/k1", 404))


def test_a_keypair_is_made_until_2_91(personas, cloud):
    body = {"keypair": {"name": "mine", "type": "ssh"}}
    made = check(personas, Row("member", "post", KEYPAIRS, 201, body, "2.2"))[0].json()["keypair"]
    assert "PRIVATE KEY" in made["private_key"]
    assert made["type"] == "ssh"
    check(personas, Row("member", "post", KEYPAIRS, 400, body, "2.92", says="public_key"))
    check(personas, Row("member", "delete", f"{KEYPAIRS}/mine", 204, version="2.2"))


def test_operators_name_another_user_from_2_10(personas, cloud):
    owner = personas.member.user.pk
    check(
        personas,
        Row("admin", "post", KEYPAIRS, 201, wish(user_id=owner), "2.10"),
        Row("stranger", "post", KEYPAIRS, 403, wish(user_id=owner), "2.10"),
        Row("stranger", "get", f"{KEYPAIRS}?user_id={owner}", 403, version="2.10"),
        Row("stranger", "get", f"{KEYPAIRS}/k1?user_id={owner}", 403, version="2.10"),
        Row("admin", "get", f"{KEYPAIRS}/k1?user_id={owner}", 200, version="2.10"),
        Row("admin", "get", f"{KEYPAIRS}/k1?user_id={owner}", 404, version="2.9"),
        Row("member", "get", f"{KEYPAIRS}/k1", 200),
    )


def test_pages_from_2_35(personas, cloud):
    for name in ("a", "b", "c"):
        check(personas, Row("member", "post", KEYPAIRS, 201, wish(name=name), "2.35"))
    page = check(personas, Row("member", "get", f"{KEYPAIRS}?limit=2", 200, version="2.35"))[0].json()
    assert [item["keypair"]["name"] for item in page["keypairs"]] == ["a", "b"]
    rest = personas.member.api.get(
        page["keypairs_links"][0]["href"].removeprefix("http://testserver"), OpenStack_API_Version="compute 2.35"
    )
    assert [item["keypair"]["name"] for item in rest.json()["keypairs"]] == ["c"]
    check(personas, Row("member", "get", f"{KEYPAIRS}?marker=zz", 400, version="2.35"))
    assert len(personas.member.api.get(f"{KEYPAIRS}?limit=2").json()["keypairs"]) == 3


def test_a_certificate_is_a_public_key_too(personas, cloud):
    made = check(personas, Row("member", "post", KEYPAIRS, 201, {"keypair": {"name": "w", "type": "x509"}}, "2.2"))[0].json()
    certificate = x509.load_pem_x509_certificate(made["keypair"]["public_key"].encode())
    private = serialization.load_pem_private_key(made["keypair"]["private_key"].encode(), None)
    assert certificate.public_key() == private.public_key()
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    public = made["keypair"]["public_key"]
    again = check(personas, Row("member", "post", KEYPAIRS, 201, wish(name="v", type="x509", public_key=public), "2.92"))[0]
    assert again.json()["keypair"]["fingerprint"] == made["keypair"]["fingerprint"]
    assert again.json()["keypair"]["type"] == "x509"
    for wrong in (wish(name="u", type="x509"), wish(name="u", public_key=public), wish(name="u", type="pgp")):
        check(personas, Row("member", "post", KEYPAIRS, 400, wrong, "2.2"))


def test_names_have_more_characters_from_2_92(personas, cloud):
    check(
        personas,
        Row("member", "post", KEYPAIRS, 400, wish(name="me@example.org"), "2.91"),
        Row("member", "post", KEYPAIRS, 201, wish(name="me@example.org"), "2.92"),
        Row("member", "post", KEYPAIRS, 400, wish(name="me/you"), "2.92"),
    )
