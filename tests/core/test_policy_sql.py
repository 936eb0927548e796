"""A rule as a condition of the database keeps just the rows on which the engine lets the caller pass."""

import pytest
from guardian.models import UserObjectPermission
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from compute import selectors
from compute.models import Server
from images import policies
from images.models import Image, ImageMember
from images.selectors import COLUMNS as IMAGE_COLUMNS
from images.selectors import images_visible, mark_membership
from portal.core.context import RequestContext
from portal.core.policy import engine, sql
from portal.core.policy.rules import Rule, registry
from tests.accounts.factories import UserFactory
from tests.kit.compute import ServerFactory, make_image

RULE = Rule("t:any", "!")
PROJECTS, ROLES = ("p1", "p2"), ("reader", "member", "admin")

atoms = st.sampled_from(
    [
        "@",
        "!",
        "role:reader",
        "role:Admin",
        "project_id:%(project_id)s",
        "tenant:%(project_id)s",
        "user_id:%(user_id)s",
        "system_scope:all",
        "'p1':%(project_id)s",
        "None:%(user_id)s",
        "token.project.id:%(project_id)s",
        "is_admin:True",
        "no_such_thing:%(project_id)s",
        "domain_id:%(project_id)s",
        "rule:t:base",
        "rule:t:nothing",
        "guardian:compute.view_server",
    ]
)
checks = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} and {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        inner.map(lambda each: f"not ({each})"),
    ),
    max_leaves=6,
)


class SameAnswer(TestCase):
    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(checks, st.sampled_from([None, *PROJECTS]), st.sets(st.sampled_from(ROLES)), st.booleans())
    def test_condition_and_engine_agree(self, check, project_id, roles, system):
        user = UserFactory()
        mine = [ServerFactory(project_id=project, user_id=owner) for project in PROJECTS for owner in (user.pk, "other")]
        permission = UserObjectPermission._meta.get_field("permission").related_model.objects.get(codename="view_server")
        UserObjectPermission.objects.create(
            user=user, permission=permission, content_type=permission.content_type, object_pk=mine[-1].pk
        )
        ctx = RequestContext(
            user_id=user.pk,
            project_id=None if system else project_id,
            system_scope="all" if system else None,
            roles=frozenset(roles),
        )
        registry._services["testing"] = {
            "t:any": Rule("t:any", check),
            "t:base": Rule("t:base", "role:member and project_id:%(project_id)s"),
        }
        engine.reset()
        try:
            wanted = {row.pk for row in Server.objects.all() if engine.allowed(ctx, RULE, row)}
            kept = sql.keep_allowed(Server.objects.all(), ctx, RULE, selectors.COLUMNS)
            assert {row.pk for row in kept} == wanted, check
            assert sql.condition(ctx, RULE, Server, selectors.COLUMNS) is not None
        finally:
            registry._services.pop("testing")
            engine.reset()


def test_what_is_no_filter_is_asked_row_by_row(db, monkeypatch):
    rows = [ServerFactory(project_id=project) for project in PROJECTS]
    monkeypatch.setitem(
        registry._services, "testing", {"t:any": Rule("t:any", "'p1':%(tenant_id)s or project_id:%(project_id)s")}
    )
    engine.reset()
    ctx = RequestContext(user_id="u", project_id="p1", roles=frozenset({"reader"}))
    assert sql.condition(ctx, RULE, Server, selectors.COLUMNS) is None
    assert list(sql.keep_allowed(Server.objects.all(), ctx, RULE, selectors.COLUMNS)) == [rows[0]]
    engine.reset()


@pytest.mark.parametrize("project_id", PROJECTS)
@pytest.mark.parametrize("role", ["reader", "none"])
def test_the_rule_of_images_is_a_filter_and_agrees_with_the_engine(db, project_id, role):
    for owner in PROJECTS:
        for visibility in ("public", "private", "shared", "community"):
            make_image(owner=owner, visibility=visibility, name=f"{owner}-{visibility}")
    ImageMember.objects.create(image=Image.objects.get(name="p2-shared"), member="p1", status="accepted")
    ctx = RequestContext(user_id="u", project_id=project_id, roles=frozenset({role}))
    wanted = set()
    for image in Image.objects.all():
        mark_membership(ctx, image)
        if engine.allowed(ctx, policies.GET_IMAGE, image):
            wanted.add(image.name)
    kept = sql.keep_allowed(Image.objects.all(), ctx, policies.GET_IMAGE, IMAGE_COLUMNS)
    assert {image.name for image in kept} == wanted
    assert (images_visible(ctx).count() == 0) == (role == "none")
