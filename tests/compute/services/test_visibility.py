"""Who sees which servers and flavors."""

import pytest
from django.contrib.auth.models import Group, Permission
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts.models import Domain, User
from compute.models import FlavorAccess
from compute.selectors import get_flavor, get_server, list_flavors, servers_visible, usage
from compute.services import power, seed
from portal.core.errors import Forbidden, NotFound
from portal.core.policy.checks import project_group
from tests.kit.compute import FlavorFactory, ServerFactory, member

OTHER = "f" * 32


def test_a_server_of_another_project_is_not_found_like_one_that_never_was(cloud):
    server = ServerFactory(project_id=OTHER)
    for server_id in (server.pk, "nothing"):
        with pytest.raises(NotFound, match="could not be found"):
            get_server(cloud.ctx, server_id)
    assert list(servers_visible(cloud.ctx)) == []


def test_operators_see_all_when_they_ask(cloud, operator):
    server = ServerFactory(project_id=OTHER)
    assert get_server(operator, server.pk) == server
    assert list(servers_visible(operator)) == []
    assert list(servers_visible(operator, all_projects=True)) == [server]
    with pytest.raises(Forbidden):
        servers_visible(cloud.ctx, all_projects=True)


def grant(perm: str, server, project_id: str | None = None, user: User | None = None) -> None:
    permission = Permission.objects.get(codename=perm, content_type__app_label="compute")
    common = {"permission": permission, "content_type": permission.content_type, "object_pk": server.pk}
    if user is not None:
        UserObjectPermission.objects.create(user=user, **common)
    else:
        group, _made = Group.objects.get_or_create(name=project_group(project_id))
        GroupObjectPermission.objects.create(group=group, **common)


@pytest.mark.parametrize("to", ["project", "user"])
def test_a_shared_server_is_seen_and_only_what_was_granted_can_be_done(cloud, to):
    server = ServerFactory(project_id=OTHER)
    domain, _made = Domain.objects.get_or_create(pk="default", defaults={"name": "Default"})
    user = User.objects.create(pk=cloud.ctx.user_id, name="ana", domain=domain)
    whom = {"user": user} if to == "user" else {"project_id": cloud.ctx.project_id}
    grant("view_server", server, **whom)
    assert get_server(cloud.ctx, server.pk) == server
    assert list(servers_visible(cloud.ctx)) == [server]
    with pytest.raises(Forbidden):
        power.stop(ctx=cloud.ctx, server=server)
    grant("stop_server", server, **whom)
    with cloud.commits():
        power.stop(ctx=cloud.ctx, server=server)
    with pytest.raises(NotFound):
        get_server(member("e" * 32, "e" * 32), server.pk)


def test_a_flavor_that_is_not_public_is_for_those_who_were_let_in(cloud, operator):
    flavor = FlavorFactory(flavor_id="private", is_public=False)
    with pytest.raises(NotFound):
        get_flavor(cloud.ctx, "private")
    assert get_flavor(operator, "private") == flavor
    FlavorAccess.objects.create(flavor=flavor, project_id=cloud.ctx.project_id)
    assert get_flavor(cloud.ctx, "private") == flavor
    assert list_flavors(cloud.ctx).count() == 2


def test_use_is_counted_from_rows_with_a_fixed_number_of_queries(cloud, django_assert_num_queries):
    ServerFactory.create_batch(3, vcpus=2, ram_mb=1000)
    ServerFactory(project_id=OTHER)
    with django_assert_num_queries(4):
        found = usage(cloud.ctx)
    assert {name: (each.used, each.limit, each.free) for name, each in found.items()} == {
        "instances": (3, 10, 7),
        "cores": (6, 20, 14),
        "ram": (3000, 51200, 48200),
    }


def test_the_twelve_flavors_are_made_once(db):
    assert len(seed.seed()) == 12
    assert seed.seed() == []
