"""Trusts: what is lent, to whom, how often, how far it may be handed on, and when it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Assignment, Trust
from accounts.services import tokens, trusts, users
from accounts.services.tokens import Scope
from portal.core.errors import CloudError
from tests.accounts.factories import PASSWORD, AssignmentFactory, UserFactory
from tests.kit.identity import Api, persona

pytestmark = pytest.mark.django_db

AUTH = "/identity/v3/auth/tokens"
TRUSTS = "/identity/v3/OS-TRUST/trusts"


@pytest.fixture
def trustee(db):
    """Return somebody who holds nothing himself."""
    return UserFactory(name="trustee")


def wanted(personas, trustee, **values):
    return {
        "trustor_user_id": personas.manager.user.pk,
        "trustee_user_id": trustee.pk,
        "impersonation": False,
        "project_id": personas.lab.pk,
        "roles": [{"name": "member"}],
        **values,
    }


def give(personas, trustee, api=None, status=201, **values):
    body = {"trust": wanted(personas, trustee, **values)}
    answer = (api or personas.manager.api).post(TRUSTS, body)
    assert answer.status_code == status, answer.content
    return answer.json().get("trust")


def use(trust, user):
    password = {"user": {"id": user.pk, "password": PASSWORD}}
    identity = {"methods": ["password"], "password": password}
    return Api().post(AUTH, {"auth": {"identity": identity, "scope": {"OS-TRUST:trust": {"id": trust["id"]}}}})


def entrusted(trust, user):
    """Return a client that acts by a trust."""
    answer = use(trust, user)
    assert answer.status_code == 201, answer.content
    return Api(answer["X-Subject-Token"])


def alive(api):
    return api.get("/identity/v3/auth/projects").status_code == 200


def in_minutes(minutes):
    return (timezone.now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_one_is_given_seen_and_taken_back(personas, trustee):
    made = give(personas, trustee)
    assert made == {
        "id": made["id"],
        "trustor_user_id": personas.manager.user.pk,
        "trustee_user_id": trustee.pk,
        "project_id": personas.lab.pk,
        "impersonation": False,
        "expires_at": None,
        "deleted_at": None,
        "remaining_uses": None,
        "redelegation_count": 0,
        "redelegated_trust_id": None,
        "roles": made["roles"],
        "roles_links": {"self": f"http://testserver{TRUSTS}/{made['id']}/roles", "next": None, "previous": None},
        "links": {"self": f"http://testserver{TRUSTS}/{made['id']}"},
    }
    assert [role["name"] for role in made["roles"]] == ["member"]
    api, one = personas.manager.api, f"{TRUSTS}/{made['id']}"
    assert api.get(one).json()["trust"] == made
    listed = {key: value for key, value in made.items() if key not in ("roles", "roles_links")}
    assert api.get(f"{TRUSTS}?trustor_user_id={personas.manager.user.pk}").json()["trusts"] == [listed]
    assert persona(trustee).api.get(f"{TRUSTS}?trustee_user_id={trustee.pk}").json()["trusts"] == [listed]
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == api.delete(one).status_code == 404


def test_its_roles_can_be_looked_at(personas, trustee):
    roles = f"{TRUSTS}/{give(personas, trustee)['id']}/roles"
    member, reader = personas.roles["member"].pk, personas.roles["reader"].pk
    api = personas.manager.api
    body = api.get(roles).json()
    assert [role["id"] for role in body["roles"]] == [member]
    assert body["links"]["self"].endswith("/roles")
    assert api.get(f"{roles}/{member}").json()["role"]["name"] == "member"
    assert api.head(f"{roles}/{member}").status_code == api.head(roles).status_code == 200
    assert api.get(f"{roles}/{reader}").status_code == api.head(f"{roles}/{reader}").status_code == 404


def test_who_may_see_and_take_back(personas, trustee):
    one = f"{TRUSTS}/{give(personas, trustee)['id']}"
    for tail in ("", "/roles", f"/roles/{personas.roles['member'].pk}"):
        for who, status in (("stranger", 404), ("member", 404), ("nobody", 404), ("admin", 200), ("operator", 200)):
            assert getattr(personas, who).api.get(one + tail).status_code == status, who + tail
        assert persona(trustee).api.get(one + tail).status_code == 200
        assert Api().get(one + tail).status_code == 401
    for api, status in ((personas.stranger.api, 404), (persona(trustee).api, 403), (personas.operator.api, 204)):
        assert api.delete(one).status_code == status


def test_who_may_list(personas, trustee):
    give(personas, trustee)
    theirs = f"{TRUSTS}?trustor_user_id={personas.manager.user.pk}"
    for who, all_of_them, those in (("member", 403, 403), ("manager", 403, 200), ("admin", 200, 200), ("operator", 200, 200)):
        api = getattr(personas, who).api
        assert (api.get(TRUSTS).status_code, api.get(theirs).status_code) == (all_of_them, those), who
    assert personas.manager.api.get(f"{TRUSTS}?trustee_user_id={trustee.pk}").status_code == 403


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"roles": []}, 403),
        ({"roles": [{"name": "admin"}]}, 404),
        ({"roles": [{"name": "nosuch"}]}, 404),
        ({"roles": [{"id": "a", "name": "b"}]}, 400),
        ({"trustee_user_id": "f" * 32}, 404),
        ({"trustee_user_id": None}, 400),
        ({"project_id": "f" * 32}, 404),
        ({"project_id": None}, 404),
        ({"impersonation": "yes"}, 400),
        ({"expires_at": "bad.123Z"}, 400),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 400),
        ({"remaining_uses": 0}, 400),
        ({"remaining_uses": "2"}, 400),
        ({"remaining_uses": True}, 400),
        ({"remaining_uses": 2**70}, 400),
        ({"remaining_uses": 2, "allow_redelegation": True}, 400),
        ({"redelegation_count": -1}, 400),
        ({"allow_redelegation": True, "redelegation_count": 9}, 403),
    ],
)
def test_a_wrong_one_is_refused(personas, trustee, wrong, status):
    give(personas, trustee, status=status, **wrong)
    assert not Trust.objects.exists()


def test_nobody_gives_a_trust_in_anothers_name(personas, trustee):
    for who in ("member", "admin", "operator"):
        give(personas, trustee, api=getattr(personas, who).api, status=403)


def test_the_same_trust_with_the_same_end_is_given_once(personas, trustee):
    ends = in_minutes(5)
    give(personas, trustee, expires_at=ends)
    give(personas, trustee, expires_at=ends, status=409)


def test_who_is_trusted_acts_in_his_own_name(personas, trustee):
    made = give(personas, trustee)
    token = use(made, trustee).json()["token"]
    assert token["user"]["id"] == trustee.pk
    assert token["project"]["id"] == personas.lab.pk
    assert {role["name"] for role in token["roles"]} == {"member", "reader"}
    assert token["OS-TRUST:trust"] == {
        "id": made["id"],
        "trustor_user": {"id": personas.manager.user.pk},
        "trustee_user": {"id": trustee.pk},
        "impersonation": False,
    }


def test_with_impersonation_he_acts_in_the_trustors_name(personas, trustee):
    made = give(personas, trustee, impersonation=True)
    api = entrusted(made, trustee)
    ctx = tokens.context_for_token(api.token)
    assert (ctx.user_id, ctx.trust_id, ctx.trustor_id) == (personas.manager.user.pk, made["id"], personas.manager.user.pk)
    assert ctx.roles == {"member", "reader"}
    assert ctx.restricted


def test_only_who_is_trusted_can_use_it(personas, trustee):
    made = give(personas, trustee)
    for user in (personas.stranger.user, personas.manager.user):
        assert use(made, user).status_code == 404
    assert use({"id": "f" * 32}, trustee).status_code == 404


def test_a_token_of_his_own_will_do_instead_of_the_password(personas, trustee):
    made = give(personas, trustee)
    identity = {"methods": ["token"], "token": {"id": persona(trustee).token}}
    answer = Api().post(AUTH, {"auth": {"identity": identity, "scope": {"OS-TRUST:trust": {"id": made["id"]}}}})
    assert answer.status_code == 201
    assert answer.json()["token"]["methods"] == ["password", "token"]


def test_uses_are_counted_and_the_last_token_stays_good(personas, trustee):
    made = give(personas, trustee, remaining_uses=2)
    entrusted(made, trustee)
    last = entrusted(made, trustee)
    assert use(made, trustee).status_code == 403
    assert alive(last)
    assert personas.manager.api.get(f"{TRUSTS}/{made['id']}").status_code == 404
    assert personas.manager.api.delete(f"{TRUSTS}/{made['id']}").status_code == 204


def test_two_who_read_the_same_row_do_not_both_get_its_last_use(personas, trustee):
    made = give(personas, trustee, remaining_uses=1)
    first, second = Trust.objects.get(pk=made["id"]), Trust.objects.get(pk=made["id"])
    assert [trusts.consume(first), trusts.consume(second)] == [True, False]
    assert Trust.objects.get().remaining_uses == 0


def test_a_failed_sign_in_uses_nothing_up(personas, trustee):
    made = give(personas, trustee, remaining_uses=1)
    type(personas.lab).objects.update(enabled=False)
    assert use(made, trustee).status_code == 401
    assert Trust.objects.get().remaining_uses == 1


def test_a01_a_trust_token_cannot_be_rescoped_nor_outlive_the_trust(personas, trustee):
    AssignmentFactory(user=personas.manager.user, role=personas.roles["member"], project=personas.other)
    ends = in_minutes(5)
    made = give(personas, trustee, impersonation=True, expires_at=ends)
    answer = use(made, trustee)
    assert answer.json()["token"]["expires_at"] == ends
    identity = {"methods": ["token"], "token": {"id": answer["X-Subject-Token"]}}
    for scope in ({}, {"scope": {"project": {"id": personas.other.pk}}}, {"scope": {"OS-TRUST:trust": {"id": made["id"]}}}):
        assert Api().post(AUTH, {"auth": {"identity": identity, **scope}}).status_code == 403
    Trust.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert use(made, trustee).status_code == 401
    assert personas.manager.api.get(f"{TRUSTS}/{made['id']}").status_code == 404


def disable(row):
    type(row).objects.filter(pk=row.pk).update(enabled=False)


@pytest.mark.parametrize("impersonation", [True, False], ids=["impersonating", "himself"])
@pytest.mark.parametrize(
    "deed",
    [
        lambda p, trustee: Trust.objects.all().delete(),
        lambda p, trustee: Assignment.objects.filter(user=p.manager.user).delete(),
        lambda p, trustee: p.roles["member"].delete(),
        lambda p, trustee: disable(p.manager.user),
        lambda p, trustee: disable(trustee),
        lambda p, trustee: users.set_password(p.manager.user, "another"),
        lambda p, trustee: users.set_password(trustee, "another"),
        lambda p, trustee: disable(p.lab),
        lambda p, trustee: p.lab.delete(),
        lambda p, trustee: p.manager.user.delete(),
        lambda p, trustee: trustee.delete(),
    ],
    ids=[
        "taken back",
        "trustor's last role removed",
        "role deleted",
        "trustor disabled",
        "trustee disabled",
        "trustor's password changed",
        "trustee's password changed",
        "project disabled",
        "project deleted",
        "trustor deleted",
        "trustee deleted",
    ],
)
def test_a02_its_tokens_end_at_once(personas, trustee, deed, impersonation):
    api = entrusted(give(personas, trustee, impersonation=impersonation), trustee)
    assert alive(api)
    deed(personas, trustee)
    assert not alive(api)


def test_a03_who_acts_by_a_trust_reaches_no_other_and_makes_no_credential(personas, trustee):
    other = give(personas, UserFactory())
    made = give(personas, trustee, impersonation=True)
    api = entrusted(made, trustee)
    assert api.get(f"{TRUSTS}/{made['id']}").status_code == 200
    assert api.get(f"{TRUSTS}/{other['id']}").status_code == 403
    assert api.get(f"{TRUSTS}?trustor_user_id={personas.manager.user.pk}").status_code == 403
    for one in (made, other):
        assert api.delete(f"{TRUSTS}/{one['id']}").status_code == 403
    home = f"/identity/v3/users/{personas.manager.user.pk}"
    body = {"application_credential": {"name": "robot"}}
    assert api.post(f"{home}/application_credentials", body).status_code == 403
    assert api.get(f"{home}/application_credentials").status_code == api.get(f"{home}/access_rules").status_code == 403
    give(personas, UserFactory(), api=api, status=403)
    assert Trust.objects.count() == 2


def test_a03_an_ec2_key_gets_no_other_token_makes_no_trust_and_no_credential(personas, trustee):
    token = tokens.issue(user=personas.manager.user, methods=[tokens.EC2_METHOD], scope=Scope(project=personas.lab))[0]
    identity = {"methods": ["token"], "token": {"id": token}}
    scope = {"project": {"id": personas.lab.pk}}
    assert Api().post(AUTH, {"auth": {"identity": identity, "scope": scope}}).status_code == 403
    give(personas, trustee, api=Api(token), status=403)
    home = f"/identity/v3/users/{personas.manager.user.pk}/application_credentials"
    assert Api(token).post(home, {"application_credential": {"name": "robot"}}).status_code == 403


def test_it_can_be_handed_on_as_often_as_was_said(personas, trustee):
    made = give(personas, trustee, impersonation=True, allow_redelegation=True, redelegation_count=2)
    assert made["redelegation_count"] == 2
    second, third, fourth = UserFactory(), UserFactory(), UserFactory()
    once = give(personas, second, api=entrusted(made, trustee), impersonation=True, allow_redelegation=True)
    assert (once["redelegation_count"], once["redelegated_trust_id"]) == (1, made["id"])
    twice = give(personas, third, api=entrusted(once, second), impersonation=True, allow_redelegation=True)
    assert twice["redelegation_count"] == 0
    api = entrusted(twice, third)
    assert tokens.context_for_token(api.token).user_id == personas.manager.user.pk
    give(personas, fourth, api=api, status=403, impersonation=True)
    disable(second)
    assert not alive(api)


def test_without_impersonation_it_lends_what_the_first_trustor_holds(personas, trustee):
    made = give(personas, trustee, allow_redelegation=True)
    assert made["redelegation_count"] == trusts.MAX_REDELEGATIONS
    second = UserFactory()
    once = give(personas, second, api=entrusted(made, trustee), trustor_user_id=trustee.pk)
    api = entrusted(once, second)
    ctx = tokens.context_for_token(api.token)
    assert (ctx.user_id, ctx.trustor_id, ctx.roles) == (second.pk, trustee.pk, {"member", "reader"})
    Assignment.objects.filter(user=personas.manager.user).delete()
    assert not alive(api)


def test_what_was_handed_on_goes_with_its_source_and_can_be_taken_back_by_who_did(personas, trustee):
    made = give(personas, trustee, impersonation=True, allow_redelegation=True)
    api, second = entrusted(made, trustee), UserFactory()
    once = give(personas, second, api=api, impersonation=True)
    assert api.delete(f"{TRUSTS}/{once['id']}").status_code == 204
    again = entrusted(give(personas, second, api=api, impersonation=True), second)
    assert personas.manager.api.delete(f"{TRUSTS}/{made['id']}").status_code == 204
    assert not alive(again)
    assert not Trust.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"roles": [{"name": "manager"}]},
        {"roles": [{"name": "reader"}]},
        {"impersonation": True},
        {"expires_at": in_minutes(60)},
        {"remaining_uses": 1},
        {"allow_redelegation": True, "redelegation_count": 3},
        {"project_id": "other"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a03_handing_on_never_gives_more(personas, trustee, more):
    AssignmentFactory(user=personas.manager.user, role=personas.roles["member"], project=personas.other)
    made = give(personas, trustee, allow_redelegation=True, expires_at=in_minutes(30))
    api = entrusted(made, trustee)
    more = {**more, "project_id": personas.other.pk} if "project_id" in more else more
    give(personas, UserFactory(), api=api, status=403, trustor_user_id=trustee.pk, **more)
    once = give(personas, UserFactory(), api=api, trustor_user_id=trustee.pk)
    assert once["expires_at"] == made["expires_at"]


LINK = st.fixed_dictionaries(
    {
        "impersonation": st.booleans(),
        "roles": st.sets(st.sampled_from(["manager", "member", "reader"]), min_size=1),
        "allow_redelegation": st.booleans(),
        "minutes": st.one_of(st.none(), st.integers(1, 60)),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINK, min_size=2, max_size=5))
def test_no_chain_of_trusts_ever_gives_more_than_each_of_its_links(personas, chain):
    Trust.objects.all().delete()
    ctx, before = personas.manager.ctx, None
    for depth, link in enumerate(chain):
        trustee = UserFactory()
        ends = timezone.now() + timedelta(minutes=link["minutes"]) if link["minutes"] else None
        try:
            row = trusts.create(
                ctx=ctx,
                trustor_user_id=ctx.user_id,
                trustee_user_id=trustee.pk,
                project_id=personas.lab.pk,
                impersonation=link["impersonation"],
                roles=[{"name": name} for name in link["roles"]],
                allow_redelegation=link["allow_redelegation"],
                expires_at=ends,
            )
        except CloudError:
            return
        grant = tokens.validate(entrusted({"id": row.pk}, trustee).token)
        assert depth <= trusts.MAX_REDELEGATIONS
        if before is not None:
            assert {role.pk for role in grant.roles} <= {role.pk for role in before.roles}
            assert grant.payload.expires_us <= before.payload.expires_us or row.expires_at is None
            assert row.redelegation_count < before.delegation.row.redelegation_count
            assert before.delegation.row.impersonation or not row.impersonation
        ctx, before = grant.context(), grant
