"""Keys that seal tokens and credentials: rotated by commands while everything works on."""

from io import StringIO
from time import sleep

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Credential
from accounts.services import keys, vault
from portal.core.errors import Unavailable
from tests.accounts.factories import UserFactory
from tests.kit.identity import Api, persona

pytestmark = pytest.mark.django_db

TOKENS = "/identity/v3/auth/tokens"


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    """Give every test keys of its own."""
    settings.FERNET_KEY_DIR, settings.CREDENTIAL_KEY_DIR = tmp_path / "fernet", tmp_path / "credential"
    for keep in (keys.TOKENS, keys.CREDENTIALS):
        keep.ensure()
    return tmp_path


def run(*words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().splitlines()


def make_credential(blob="a secret"):
    return Credential.objects.create(user=UserFactory(), type="cert", sealed=vault.seal(blob))


def test_operators_see_which_key_does_what(folders):
    assert run("fernet", "list") == ["0 staged", "1 primary"]
    assert run("fernet", "rotate") == ["0 staged", "1 secondary", "2 primary"]
    for _round in range(3):
        shown = run("fernet", "rotate")
    assert shown == ["0 staged", "3 secondary", "4 secondary", "5 primary"]
    assert run("credential_keys", "list") == ["0 staged", "1 primary"]


def test_setup_makes_what_is_missing_and_nothing_else(folders, settings):
    before = (folders / "fernet" / "1").read_bytes()
    assert run("fernet", "setup") == ["0 staged", "1 primary"]
    assert (folders / "fernet" / "1").read_bytes() == before
    settings.FERNET_KEY_DIR = folders / "new"
    assert run("fernet", "list") == []
    assert run("fernet", "setup") == ["0 staged", "1 primary"]
    assert (folders / "new").stat().st_mode & 0o777 == 0o700
    assert (folders / "new" / "1").stat().st_mode & 0o777 == 0o600


def test_the_staged_key_is_the_next_one_to_seal(folders):
    staged = (folders / "fernet" / "0").read_bytes()
    run("fernet", "rotate")
    assert (folders / "fernet" / "2").read_bytes() == staged


def test_clients_work_on_while_keys_rotate_until_their_key_is_dropped(personas):
    """A07 of the threats."""
    member = persona(personas.member.user, project=personas.lab)
    for _round in range(keys.KEEP - 1):
        run("fernet", "rotate")
        assert member.api.get("/identity/v3/auth/projects").status_code == 200
        assert persona(personas.member.user, project=personas.lab).api.get("/identity/v3/auth/catalog").status_code == 200
    run("fernet", "rotate")
    assert member.api.get("/identity/v3/auth/projects").status_code == 401


def test_every_other_token_is_refused_and_breaks_nothing(personas, folders, settings):
    """A07 of the threats: flipped bits, another installation's, far too long."""
    token = persona(personas.member.user, project=personas.lab).token
    middle = len(token) // 2
    flipped = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    settings.FERNET_KEY_DIR = folders / "elsewhere"
    keys.TOKENS.ensure()
    foreign = persona(personas.member.user, project=personas.lab).token
    settings.FERNET_KEY_DIR = folders / "fernet"
    admin = persona(personas.admin.user, project=personas.lab).api
    for bad in (flipped, foreign, token * 4000, token[:-1], "gAAAAA", "%00", "ÿ"):
        assert Api(bad).get("/identity/v3/auth/projects").status_code == 401
        assert Api(bad).get("/compute/v2.1/servers").status_code == 401
        assert admin.get(TOKENS, X_Subject_Token=bad).status_code == 404
    assert Api(token).get("/identity/v3/auth/projects").status_code == 200


def test_tokens_and_credentials_do_not_open_each_other(folders):
    with pytest.raises(keys.InvalidToken):
        keys.TOKENS.unseal(vault.seal("a secret"))


def test_a_key_that_another_process_made_opens_at_once_and_one_that_it_removed_a_second_later_no_more(folders):
    first = keys.TOKENS.seal(b"a note")
    theirs = Fernet.generate_key()
    (folders / "fernet" / "2").write_bytes(theirs)
    assert keys.TOKENS.unseal(Fernet(theirs).encrypt(b"another").decode()) == b"another"
    (folders / "fernet" / "1").unlink()
    sleep(keys.LOOK_EVERY_S)
    with pytest.raises(keys.InvalidToken):
        keys.TOKENS.unseal(first)


def test_credentials_outlive_every_rotation(folders):
    row = make_credential()
    run("credential_keys", "rotate")
    with pytest.raises(CommandError, match="migrate"):
        run("credential_keys", "rotate")
    assert run("credential_keys", "migrate") == ["Sealed anew: 1", "0 staged", "1 secondary", "2 primary"]
    assert run("credential_keys", "migrate")[0] == "Sealed anew: 0"
    for _round in range(keys.KEEP + 1):
        run("credential_keys", "rotate")
        run("credential_keys", "migrate")
    row.refresh_from_db()
    assert vault.unseal(row) == "a secret"
    assert "1 secondary" not in run("credential_keys", "list")


def test_without_keys_the_commands_say_so(folders, settings):
    settings.CREDENTIAL_KEY_DIR = folders / "none"
    for act in ("rotate", "migrate"):
        with pytest.raises(CommandError, match="no key"):
            run("credential_keys", act)
    assert run("credential_keys", "list") == []


def test_a_credential_whose_key_is_gone_is_said_to_be_so(personas, folders, settings):
    row = make_credential()
    settings.CREDENTIAL_KEY_DIR = folders / "elsewhere"
    keys.CREDENTIALS.ensure()
    with pytest.raises(Unavailable):
        vault.unseal(row)
    admin = persona(personas.admin.user, project=personas.lab).api
    assert admin.get(f"/identity/v3/credentials/{row.pk}").status_code == 503
    with pytest.raises(CommandError, match="key is missing"):
        run("credential_keys", "migrate")
