"""Keypairs: made here or imported, and never with the private half."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from accounts.services import quotas
from compute.models import Keypair
from compute.selectors import get_keypair, list_keypairs
from compute.services import keypairs
from portal.core.errors import BadRequest, Conflict, Forbidden, NotFound, QuotaExceeded

OPENSSH = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def test_a_made_key_fits_its_private_half(cloud):
    made = keypairs.create(ctx=cloud.ctx, name="laptop")
    private = serialization.load_pem_private_key(made.private_key.encode(), None)
    public = private.public_key().public_bytes(*OPENSSH).decode()
    assert made.keypair.public_key.startswith(public)
    assert len(made.keypair.fingerprint) == 47
    assert "PRIVATE" not in str(Keypair.objects.values().get())


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())])
def test_an_imported_key_is_kept_as_it_is(cloud, key):
    text = key.public_key().public_bytes(*OPENSSH).decode() + " ana@laptop"
    row = keypairs.import_(ctx=cloud.ctx, name="mine", public_key=f"{text}\n")
    assert row.public_key == text


@pytest.mark.parametrize(
    "text", ["", "ssh-rsa", "ssh-rsa AAAA", "nonsense", "ssh-ed25519 AAAA x\nssh-ed25519 BBBB y", "x" * 20000, "ssh-rsa \x00"]
)
def test_what_is_no_key_is_refused(cloud, text):
    with pytest.raises(BadRequest, match="Keypair data is invalid"):
        keypairs.import_(ctx=cloud.ctx, name="mine", public_key=text)


@pytest.mark.parametrize("name", ["", " a", "a/b", "a\nb", "é" * 256, "<b>"])
def test_a_name_that_cannot_be_is_refused(cloud, name):
    with pytest.raises(BadRequest):
        keypairs.create(ctx=cloud.ctx, name=name)


def test_names_are_unique_per_user_and_limited_in_number(cloud):
    keypairs.create(ctx=cloud.ctx, name="a")
    with pytest.raises(Conflict):
        keypairs.create(ctx=cloud.ctx, name="a")
    quotas.set_limits(cloud.ctx.project_id, {"key_pairs": 1})
    with pytest.raises(QuotaExceeded):
        keypairs.create(ctx=cloud.ctx, name="b")


def test_only_the_owner_and_operators_touch_a_key(cloud, operator):
    keypairs.create(ctx=cloud.ctx, name="a")
    with pytest.raises(NotFound):
        get_keypair(operator, "a")
    assert get_keypair(operator, "a", cloud.ctx.user_id).name == "a"
    with pytest.raises(Forbidden):
        keypairs.create(ctx=cloud.ctx, name="b", user_id=operator.user_id)
    with pytest.raises(Forbidden):
        list_keypairs(cloud.ctx, operator.user_id)
    keypairs.delete(ctx=cloud.ctx, keypair=get_keypair(cloud.ctx, "a"))
    assert not list_keypairs(cloud.ctx)
