"""Tokens: what they carry, when they end, and what is never believed."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Assignment, ImpliedRole, RevokedToken
from accounts.services import keys, tokens, users
from accounts.services.tokens import Scope
from portal.core.errors import Unauthorized
from tests.accounts.factories import AssignmentFactory, DomainFactory, ProjectFactory, RoleFactory, UserFactory
from tests.kit.identity import persona

pytestmark = pytest.mark.django_db


@pytest.fixture
def key_folder(tmp_path, settings):
    settings.FERNET_KEY_DIR = tmp_path / "fernet"
    keys.TOKENS.ensure()
    return settings.FERNET_KEY_DIR


def refused(token):
    with pytest.raises(Unauthorized):
        tokens.context_for_token(token)
    return True


def test_a_project_token_makes_its_context(personas):
    ctx = tokens.context_for_token(personas.manager.token, request_id="req-1", global_request_id="req-2")
    assert (ctx.request_id, ctx.global_request_id) == ("req-1", "req-2")
    assert (ctx.user_id, ctx.user_name, ctx.user_domain_id, ctx.user_domain_name) == (
        personas.manager.user.pk,
        "manager",
        "default",
        "Default",
    )
    assert (ctx.project_id, ctx.project_name, ctx.project_domain_name) == (personas.lab.pk, "lab", "Default")
    assert ctx.roles == {"manager", "member", "reader"}


def test_domain_system_and_unscoped_tokens_have_no_project(personas):
    user, domain = UserFactory(), DomainFactory()
    AssignmentFactory(user=user, role__name="manager", domain=domain)
    ctx = tokens.context_for_token(persona(user, domain=domain).token)
    assert (ctx.domain_id, ctx.project_id, ctx.system_scope) == (domain.pk, None, None)
    ctx = tokens.context_for_token(personas.operator.token)
    assert (ctx.system_scope, ctx.project_id, ctx.domain_id) == ("all", None, None)
    ctx = tokens.context_for_token(personas.nobody.token)
    assert (ctx.project_id, ctx.domain_id, ctx.system_scope, ctx.roles) == (None, None, None, frozenset())


def test_tokens_are_short(personas):
    assert len(personas.member.token) < 255
    assert "=" not in personas.member.token


def test_no_token_without_a_role(personas):
    with pytest.raises(Unauthorized):
        tokens.issue(user=personas.stranger.user, methods=["password"], scope=Scope(project=personas.lab))


def test_rescoping_never_prolongs(personas):
    first = tokens.validate(personas.member.token).payload
    origin = first
    for _round in range(5):
        _token, grant = tokens.issue(
            user=personas.member.user, methods=["token"], scope=Scope(project=personas.lab), origin=origin
        )
        origin = grant.payload
    assert origin.expires_us == first.expires_us
    assert origin.audits[-1] == first.audits[0]
    assert len(origin.audits) == 2
    assert origin.methods == ["password", "token"]


@pytest.mark.usefixtures("tokens_issued")
def test_an_expired_token_ends(personas, settings, monkeypatch):
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + settings.TOKEN_LIFETIME_S * 10**9 + 10**9)
    assert refused(personas.member.token)


def test_a_revoked_token_ends_and_others_stay(personas):
    other = persona(personas.member.user, project=personas.lab)
    tokens.revoke(tokens.validate(personas.member.token))
    assert refused(personas.member.token)
    assert tokens.validate(other.token)


def test_memory_of_revoked_tokens_is_dropped_when_they_have_expired(personas):
    tokens.revoke(tokens.validate(personas.member.token))
    assert tokens.forget_expired() == 0
    RevokedToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.forget_expired() == 1


def disable(row):
    type(row).objects.filter(pk=row.pk).update(enabled=False)


@pytest.mark.parametrize(
    "deed",
    [
        lambda p: disable(p.member.user),
        lambda p: disable(p.lab),
        lambda p: disable(p.lab.domain),
        lambda p: users.set_password(p.member.user, "another"),
        lambda p: Assignment.objects.filter(user=p.member.user).delete(),
        lambda p: p.member.user.delete(),
    ],
    ids=["user disabled", "project disabled", "domain disabled", "password changed", "role removed", "user deleted"],
)
def test_a_token_ends_at_once(personas, deed):
    assert tokens.validate(personas.member.token)
    deed(personas)
    assert refused(personas.member.token)


def test_a_disabled_users_tokens_do_not_come_back(personas):
    users.update(ctx=personas.admin.ctx, user=personas.member.user, enabled=False)
    users.update(ctx=personas.admin.ctx, user=personas.member.user, enabled=True)
    assert refused(personas.member.token)
    assert persona(personas.member.user, project=personas.lab)


def test_a_role_added_or_taken_shows_at_once(personas):
    user = personas.member.user
    AssignmentFactory(user=user, role__name="manager", project=personas.lab)
    assert "manager" in tokens.context_for_token(personas.member.token).roles
    Assignment.objects.filter(user=user, role__name="manager").delete()
    assert "manager" not in tokens.context_for_token(personas.member.token).roles


def test_implications_may_run_in_circles(personas):
    ImpliedRole.objects.create(prior=personas.roles["reader"], implied=personas.roles["member"])
    assert tokens.context_for_token(personas.reader.token).roles == {"reader", "member"}


def test_a_role_of_a_domain_only_carries_others(personas):
    own = RoleFactory(name="lab-operator", domain=personas.lab.domain)
    ImpliedRole.objects.create(prior=own, implied=personas.roles["reader"])
    user = UserFactory()
    AssignmentFactory(user=user, role=own, project=personas.lab)
    assert persona(user, project=personas.lab).ctx.roles == {"reader"}


def test_a_role_on_a_parent_does_not_reach_its_children(personas):
    child = ProjectFactory(parent=personas.lab)
    with pytest.raises(Unauthorized):
        tokens.issue(user=personas.member.user, methods=["password"], scope=Scope(project=child))


def test_every_flipped_bit_is_noticed(personas):
    token = personas.member.token
    for place in range(0, len(token), 3):
        flipped = chr(ord(token[place]) ^ 1)
        changed = token[:place] + flipped + token[place + 1 :]
        if place == len(token) - 1 or changed.rstrip("=") == token:
            continue
        assert refused(changed)


@pytest.mark.parametrize("text", ["", "x", "gAAAAA", "a" * 1_000_000, "é" * 40, "\x00" * 40, "gAAAAA" + "=" * 200, " ", "a b"])
def test_rubbish_is_refused(db, text):
    assert refused(text)


@pytest.mark.usefixtures("tokens_issued")
def test_a_token_of_another_installation_is_refused(personas, key_folder):
    assert refused(personas.member.token)


def test_a_sealed_note_of_another_form_is_refused(db, key_folder):
    for note in (b"", b"\x90", b"\x93\x01\x02\x03", b"\xc1", b"{}"):
        assert refused(keys.TOKENS.cipher().encrypt(note).decode())


def test_keys_rotate_while_clients_work(personas, key_folder):
    token = persona(personas.member.user, project=personas.lab).token
    keys.TOKENS.rotate()
    assert tokens.validate(token)
    newer = persona(personas.member.user, project=personas.lab).token
    for _round in range(keys.KEEP - 1):
        keys.TOKENS.rotate()
    assert refused(token)
    assert tokens.validate(newer)
    keys.TOKENS.rotate()
    assert refused(newer)
    assert {path.name for path in key_folder.iterdir()} == {"0", "3", "4", "5"}
    assert tokens.validate(persona(personas.member.user, project=personas.lab).token)


def test_a_broken_key_file_is_passed_over(personas, key_folder):
    token = persona(personas.member.user, project=personas.lab).token
    (key_folder / "9").write_text("not a key")
    (key_folder / "notes.txt").write_text("nothing")
    assert tokens.validate(token)


def test_without_keys_nothing_is_sealed_and_nothing_breaks(personas, tmp_path, settings):
    settings.FERNET_KEY_DIR = tmp_path / "none"
    with pytest.raises(Exception, match="no key"):
        keys.TOKENS.cipher()


@pytest.mark.usefixtures("tokens_issued")
def test_looking_a_token_up_takes_four_queries_whatever_was_given(personas, django_assert_num_queries):
    for number in range(20):
        AssignmentFactory(user=personas.member.user, role__name=f"role-{number}", project=personas.lab)
    with django_assert_num_queries(4):
        assert len(tokens.context_for_token(personas.member.token).roles) == 22
    with django_assert_num_queries(1):
        tokens.context_for_token(personas.nobody.token)
    with django_assert_num_queries(0):
        refused("gAAAAA" + "a" * 200)


def test_tokens_are_not_logged(personas, caplog):
    caplog.set_level("DEBUG")
    fresh = persona(personas.member.user, project=personas.lab)
    users.set_password(personas.member.user, "another")
    refused(fresh.token)
    assert fresh.token not in caplog.text
    assert fresh.token[10:40] not in caplog.text
