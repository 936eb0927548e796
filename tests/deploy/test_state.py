"""The state folder and its secrets."""

import base64
import re
import stat
from dataclasses import replace

import pytest

from deploy.launcher import state
from deploy.launcher.errors import LauncherError

MODES = {
    "secrets": 0o700,
    "secrets/fernet": 0o700,
    "secrets/credential": 0o700,
    "db": 0o700,
    "images": 0o750,
    "staging": 0o700,
    "queue": 0o700,
    "cache": 0o750,
    "static": 0o755,
    "instances": 0o711,
    "run": 0o1775,
    "log": 0o750,
    "log/services": 0o750,
    "stamps": 0o755,
}


def modes(config):
    return {name: stat.S_IMODE((config.state_dir / name).stat().st_mode) for name in MODES}


def test_every_folder_is_made_with_its_mode(config, owner):
    state.lay_out(config, owner)

    assert modes(config) == MODES


def test_modes_that_changed_are_set_right_again(config, owner):
    state.lay_out(config, owner)
    (config.state_dir / "secrets").chmod(0o777)

    state.lay_out(config, owner)

    assert modes(config) == MODES


def test_a_link_in_place_of_a_folder_is_refused(config, owner, tmp_path):
    config.state_dir.mkdir()
    (config.state_dir / "secrets").symlink_to(tmp_path)

    with pytest.raises(LauncherError, match="secrets"):
        state.lay_out(config, owner)


def test_secrets_are_made_once_and_readable_by_their_owner_only(config, owner):
    state.lay_out(config, owner)

    made = state.ensure_secrets(config, owner)
    first = {name: state.read_secret(config, name) for name in made}

    keys = {f"{keep}/{number}" for keep in ("fernet", "credential") for number in (0, 1)}
    assert set(made) == {"secret-key", "queue-key", "admin-password", "demo-password"} | keys
    assert all(stat.S_IMODE((config.secrets / name).stat().st_mode) == 0o600 for name in made)
    assert state.ensure_secrets(config, owner) == []
    assert first == {name: state.read_secret(config, name) for name in made}


def test_secrets_have_the_form_their_readers_expect(config, owner):
    state.lay_out(config, owner)
    state.ensure_secrets(config, owner)

    for name in ("fernet/1", "credential/1"):
        assert len(base64.urlsafe_b64decode(state.read_secret(config, name))) == 32
    assert re.fullmatch(r"[\w-]{64}", state.read_secret(config, "queue-key"))
    assert re.fullmatch(r"[a-zA-Z2-9]{16}", state.read_secret(config, "admin-password"))


def test_a_given_password_takes_the_place_of_the_old_one(config, owner):
    state.lay_out(config, owner)
    state.ensure_secrets(config, owner)

    made = state.ensure_secrets(replace(config, admin_password="chosen"), owner)

    assert made == ["admin-password"]
    assert state.read_secret(config, "admin-password") == "chosen"


def test_rotated_keys_are_left_alone(config, owner):
    state.lay_out(config, owner)
    for name in ("0", "7"):
        state.write_private(config.secrets / "fernet" / name, name, owner)

    state.ensure_secrets(config, owner)

    assert sorted(file.name for file in (config.secrets / "fernet").iterdir()) == ["0", "7"]


def test_a_link_is_replaced_and_not_followed(tmp_path, owner):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("untouched")
    link.symlink_to(target)

    state.write_private(link, "secret", owner)

    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("untouched", "secret", False)
