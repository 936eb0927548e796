"""Who left something open and was lent his rights: he may as long as they are lent, and no more than was lent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApplicationCredential, Assignment, Project, Role, Trust, User
from accounts.standing import Standing
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def credential(personas):
    row = ApplicationCredential.objects.create(user=personas.manager.user, project=personas.lab, name="robot", secret_hash="!")
    row.roles.set(Role.objects.filter(name="reader"))
    return row


@pytest.fixture
def trust(personas):
    row = Trust.objects.create(trustor=personas.manager.user, trustee=UserFactory(name="trustee"), project=personas.lab)
    row.roles.set(Role.objects.filter(name="member"))
    return row


def by(row):
    if isinstance(row, Trust):
        return Standing(row.trustee_id, row.project_id, trust_id=row.pk)
    return Standing(row.user_id, row.project_id, application_credential_id=row.pk)


def test_a_token_is_remembered_by_what_it_was_lent(credential, trust):
    for row in (credential, trust):
        ctx = by(row).context()
        assert ctx is not None
        assert Standing.of(ctx) == by(row)


def test_it_gives_what_was_lent_and_no_more(credential, trust):
    assert by(credential).context().roles == {"reader"}
    assert by(trust).context().roles == {"member", "reader"}


def gone(row):
    row.delete()


def ended(row):
    type(row).objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def lender_disabled(row):
    User.objects.filter(name="manager").update(enabled=False)


def lender_without_roles(row):
    Assignment.objects.filter(user__name="manager").delete()


def project_disabled(row):
    Project.objects.filter(pk=row.project_id).update(enabled=False)


@pytest.mark.parametrize("deed", [gone, ended, lender_disabled, lender_without_roles, project_disabled])
@pytest.mark.parametrize("kind", ["credential", "trust"])
def test_it_ends_with_what_was_lent(request, deed, kind):
    row = request.getfixturevalue(kind)
    standing = by(row)
    assert standing.context() is not None
    deed(row)
    assert standing.context() is None


def test_without_a_loan_the_own_roles_count(personas):
    standing = Standing.of(personas.member.ctx)
    assert standing.context().roles == personas.member.ctx.roles
    Assignment.objects.filter(user=personas.member.user).delete()
    assert standing.context() is None
