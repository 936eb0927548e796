"""Sharing single objects: what is given, by whom, until when, and how it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts.models import Ancestor, Assignment, Project, Share
from accounts.services import assignments, groups, shares
from accounts.services.assignments import Place
from compute.selectors import get_server, servers_visible
from compute.services import power, removal
from images.services import registry
from portal.core.errors import BadRequest, Forbidden, NotFound
from portal.core.policy import allowed
from portal.core.policy import registry as rules
from tests.accounts.factories import AssignmentFactory, GroupFactory, ProjectFactory
from tests.dashboard.world import make_server
from tests.kit.compute import *  # noqa: F403
from tests.kit.compute import make_image
from tests.kit.identity import personas  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(personas, hosts):  # noqa: F811
    return make_server(personas.member.ctx, name="web")


def give(personas, obj, level="reader", **whom):  # noqa: F811
    owner = getattr(obj, "project_id", None) or obj.owner
    return shares.share(ctx=personas.member.ctx, obj=obj, owner_project_id=owner, level=level, **whom)


@pytest.mark.parametrize("to", ["user", "project"])
@pytest.mark.parametrize(
    ("level", "may"),
    [
        ("reader", {"show"}),
        ("user", {"show", "stop"}),
        ("manager", {"show", "stop", "delete", "share"}),
    ],
)
def test_each_level_gives_what_it_says_and_no_more(personas, server, to, level, may):  # noqa: F811
    ctx = personas.stranger.ctx
    with pytest.raises(NotFound):
        get_server(ctx, server.pk)
    give(personas, server, level, **{to: personas.stranger.user if to == "user" else personas.other})
    assert list(servers_visible(ctx)) == [server]
    compute = rules.of("compute")
    for verb in ("show", "stop", "delete", "share", "create"):
        assert allowed(ctx, compute[f"os_compute_api:servers:{verb}"], server) == (verb in may), verb
    if "stop" not in may:
        with pytest.raises(Forbidden):
            power.stop(ctx=ctx, server=server)


def test_giving_again_changes_level_and_end(personas, server):  # noqa: F811
    first = give(personas, server, "manager", user=personas.stranger.user)
    again = give(personas, server, "reader", user=personas.stranger.user, ends_at=timezone.now() + timedelta(days=1))
    assert first.pk == again.pk
    assert Share.objects.get().level == "reader"
    assert {row.permission.codename for row in UserObjectPermission.objects.all()} == {"view_server", "read_log_of_server"}


def test_a_share_ends_with_its_date(personas, server):  # noqa: F811
    row = give(personas, server, user=personas.stranger.user, ends_at=timezone.now() + timedelta(hours=1))
    assert shares.sweep() == 0
    Share.objects.filter(pk=row.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert shares.sweep() == 1
    assert not Share.objects.exists()
    assert not UserObjectPermission.objects.exists()
    with pytest.raises(NotFound):
        get_server(personas.stranger.ctx, server.pk)


@pytest.mark.parametrize("way", ["withdrawn", "group", "disabled project"])
def test_a_colleagues_share_ends_when_he_leaves_the_project(personas, server, way):  # noqa: F811
    user, role, place = personas.stranger.user, personas.roles["reader"], Place(project=personas.lab)
    group = GroupFactory()
    if way == "group":
        group.members.add(user)
        AssignmentFactory(user=None, group=group, role=role, project=personas.lab)
    else:
        AssignmentFactory(user=user, role=role, project=personas.lab)
    give(personas, server, "manager", user=user)
    if way == "withdrawn":
        assignments.withdraw(ctx=personas.admin.ctx, actor=user, role=role, place=place)
    elif way == "group":
        groups.remove(ctx=personas.admin.ctx, group=group, user=user)
    else:
        Assignment.objects.filter(user=user, project=personas.lab).delete()
        shares.sweep()
    assert not Share.objects.exists()
    with pytest.raises(NotFound):
        get_server(personas.stranger.ctx, server.pk)


def test_a_share_with_an_outsider_stays_when_others_leave(personas, server):  # noqa: F811
    give(personas, server, user=personas.stranger.user)
    assignments.withdraw(
        ctx=personas.admin.ctx, actor=personas.reader.user, role=personas.roles["reader"], place=Place(project=personas.lab)
    )
    assert Share.objects.count() == 1


@pytest.mark.parametrize("way", ["himself", "group", "project above", "domain"])
def test_a_colleagues_share_stays_while_any_role_is_left(personas, server, way):  # noqa: F811
    user, role, project = personas.stranger.user, personas.roles["reader"], personas.lab
    AssignmentFactory(user=user, role=role, project=project)
    give(personas, server, user=user)
    Assignment.objects.filter(user=user, project=project).delete()
    if way == "himself":
        AssignmentFactory(user=user, role=personas.roles["member"], project=project)
    elif way == "group":
        group = GroupFactory()
        group.members.add(user)
        AssignmentFactory(user=None, group=group, role=role, project=project)
    elif way == "project above":
        above = ProjectFactory()
        Ancestor.objects.create(project=project, above=above, distance=1)
        AssignmentFactory(user=user, role=role, project=above, inherited=True)
    else:
        AssignmentFactory(user=user, role=role, project=None, domain=project.domain, inherited=True)
    assert shares.sweep() == 0
    Project.objects.filter(pk=project.pk).update(enabled=False)
    assert shares.sweep() == 1


def test_looking_for_leavers_asks_once_however_much_is_shared(personas, hosts, django_assert_num_queries):  # noqa: F811
    for _server in range(5):
        give(personas, make_server(personas.member.ctx), user=personas.reader.user)
    with django_assert_num_queries(1):
        shares.end_for_leavers()
    assert Share.objects.count() == 5


def test_what_is_gone_is_shared_with_nobody(personas, server):  # noqa: F811
    image = make_image(owner=personas.lab.pk, visibility="private")
    for obj in (server, image):
        give(personas, obj, user=personas.stranger.user)
        give(personas, obj, project=personas.other)
    server.operation = "delete"
    type(server).objects.filter(pk=server.pk).update(request_id="r", operation="delete", task_state="deleting")
    removal.remove(server.pk, "r")
    registry.delete(ctx=personas.member.ctx, image=image)
    assert not Share.objects.exists()
    assert not UserObjectPermission.objects.exists()
    assert not GroupObjectPermission.objects.exists()


def test_only_who_may_share_shares_and_the_receiver_may_leave(personas, server):  # noqa: F811
    for who in ("reader", "stranger"):
        with pytest.raises(Forbidden):
            shares.share(
                ctx=getattr(personas, who).ctx,
                obj=server,
                owner_project_id=server.project_id,
                level="reader",
                user=personas.nobody.user,
            )
    row = give(personas, server, user=personas.stranger.user)
    with pytest.raises(Forbidden):
        shares.withdraw(ctx=personas.reader.ctx, obj=server, share_id=row.pk)
    shares.withdraw(ctx=personas.stranger.ctx, obj=server, share_id=row.pk)
    assert not Share.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "owner"},
        {"ends_at": timezone.now() - timedelta(days=1)},
        {"user": None},
        {"project": "own"},
    ],
)
def test_shares_that_mean_nothing_are_refused(personas, server, wrong):  # noqa: F811
    wanted = {"user": personas.stranger.user, **wrong}
    if wrong.get("project") == "own":
        wanted = {"project": personas.lab}
    with pytest.raises(BadRequest):
        give(personas, server, **wanted)


def test_the_page_of_an_object_shows_and_changes_its_shares(personas, server, client):  # noqa: F811
    personas.member.sign_in(client)
    tab = f"/instances/{server.pk}/access/"
    assert "Nobody outside the project can use this." in client.get(tab).content.decode()
    form = {"kind": "person", "name": "stranger", "level": "user", "ends_on": ""}
    assert client.post(f"/shares/instance/{server.pk}/", form).status_code == 302
    page = client.get(tab).content.decode()
    assert "stranger" in page
    wrong = client.post(f"/shares/instance/{server.pk}/", {**form, "name": "no<body"})
    assert wrong.status_code == 400
    assert "There is nobody of this name." in wrong.content.decode()
    assert "no&lt;body" in wrong.content.decode()
    row = Share.objects.get()
    assert client.post(f"/shares/instance/{server.pk}/{row.pk}/end/").status_code == 302
    assert not Share.objects.exists()


def test_the_receiver_sees_what_is_shared_with_him(personas, server, client):  # noqa: F811
    image = make_image(owner=personas.lab.pk, visibility="private", name="golden")
    give(personas, server, "user", user=personas.stranger.user)
    give(personas, image, project=personas.other)
    personas.stranger.sign_in(client)
    page = client.get("/shares/").content.decode()
    assert "web" in page
    assert "golden" in page
    for address in (f"/instances/{server.pk}/", f"/instances/{server.pk}/access/", f"/images/{image.pk}/"):
        assert client.get(address).status_code == 200, address
    row = shares.of_object(server).get()
    assert client.post(f"/shares/instance/{server.pk}/{row.pk}/end/").status_code == 302
    assert client.get(f"/instances/{server.pk}/").status_code == 404
    assert client.post(f"/shares/instance/{server.pk}/", {}).status_code == 404
    personas.member.sign_in(client)
    assert "golden" in client.get("/shares/").content.decode()
