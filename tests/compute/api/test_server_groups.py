"""Server groups: created, listed, shown, deleted, and joined by servers."""

from accounts.services import quotas as limits
from compute.models import Server, ServerGroup
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix

GROUPS = "/compute/v2.1/os-server-groups"
SERVERS = "/compute/v2.1/servers"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def older(**changes):
    return {"server_group": {"name": "apart", "policies": ["anti-affinity"], **changes}}


def newer(**changes):
    return {"server_group": {"name": "apart", "policy": "anti-affinity", **changes}}


def make_group(ctx, **fields):
    return ServerGroup.objects.create(
        **{"name": "apart", "policy": "anti-affinity", "project_id": ctx.project_id, "user_id": ctx.user_id, **fields}
    )


def test_a_group_is_created_with_a_list_of_one_policy_before_2_64(personas, cloud):
    bad = [
        {},
        {"server_group": {}},
        older(name=""),
        older(policies=[]),
        older(policies=["affinity", "anti-affinity"]),
        older(policies=["soft-affinity"]),
        older(policies="affinity"),
        older(policy="affinity"),
        older(more=1),
    ]
    rows = matrix("post", GROUPS, body=older(), ok=200, stranger=200, weak="reader", malformed=bad)
    group = check(personas, *rows)[-1].json()["server_group"]
    assert (group["policies"], group["metadata"], group["members"]) == (["anti-affinity"], {}, [])
    assert "project_id" not in group
    check(personas, Row("member", "post", GROUPS, 200, older(policies=["soft-affinity"]), "2.15"))


def test_a_group_is_created_with_one_policy_and_rules_from_2_64_on(personas, cloud):
    bad = [newer(policy="no-such"), older(), newer(rules={"max_server_per_host": 0}), newer(rules={"more": 1})]
    bad += [newer(policy="affinity", rules={"max_server_per_host": 2})]
    body = newer(rules={"max_server_per_host": 2})
    group = check(personas, *matrix("post", GROUPS, body=body, ok=200, stranger=200, malformed=bad, version="2.64"))[-1].json()
    assert group["server_group"]["rules"] == {"max_server_per_host": 2}
    assert group["server_group"]["project_id"] == personas.lab.pk
    assert not {"policies", "metadata"} & group["server_group"].keys()


def test_a_group_is_listed_shown_and_deleted_with_its_members(personas, cloud):
    group = make_group(personas.member.ctx)
    make_group(personas.stranger.ctx, name="theirs")
    Server.objects.filter(pk=cloud.server.pk).update(group=group)
    gone = make_server(personas.member.ctx, address=False, group=group, deleted_at=cloud.server.created_at)
    path = f"{GROUPS}/{group.pk}"

    shown = check(personas, *matrix("get", path, ok=200, who="reader"))[-1].json()["server_group"]
    assert shown["members"] == [cloud.server.pk]
    assert gone.pk not in shown["members"]
    listed = personas.member.api.get(GROUPS).json()["server_groups"]
    assert [each["name"] for each in listed] == ["apart"]
    assert [each["name"] for each in personas.member.api.get(f"{GROUPS}?all_projects").json()["server_groups"]] == ["apart"]
    everybodys = personas.admin.api.get(f"{GROUPS}?all_projects=True").json()["server_groups"]
    assert sorted(each["name"] for each in everybodys) == ["apart", "theirs"]
    assert personas.admin.api.get(f"{GROUPS}?all_projects=1&offset=1&limit=5").json()["server_groups"][0]["name"] == "theirs"
    check(
        personas, Row("member", "get", f"{GROUPS}?limit=x", 400), Row("member", "get", f"{GROUPS}?more=1", 400, version="2.75")
    )
    server = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}", OpenStack_API_Version="compute 2.71").json()["server"]
    assert server["server_groups"] == [group.pk]

    check(personas, *matrix("delete", path, ok=204, weak="reader"))
    check(personas, Row("member", "get", path, 404))
    cloud.server.refresh_from_db()
    assert cloud.server.group is None


def test_there_is_a_limit_of_groups_and_of_their_members(personas, cloud):
    CatalogServiceFactory(type="compute")
    registered = limits.set_limits(personas.lab.pk, {"server_group_members": 1, "server_groups": 10})
    assert registered["server_groups"] == 10
    for number in range(9):
        make_group(personas.member.ctx, name=f"g{number}")
    full = make_group(personas.member.ctx, name="full")
    check(personas, Row("member", "post", GROUPS, 403, older(), says="Quota exceeded, too many server groups"))
    make_server(personas.member.ctx, address=False, group=full)
    body = birth(cloud, {"group": full.pk})
    check(personas, Row("member", "post", SERVERS, 403, body, says="Quota exceeded, too many servers in group"))


def birth(cloud, hints):
    return {"server": {"name": "new", "flavorRef": "1", "imageRef": cloud.image.pk}, "os:scheduler_hints": hints}


def test_a_server_is_born_into_a_group(personas, cloud):
    group = make_group(personas.member.ctx)
    theirs = make_group(personas.stranger.ctx)
    check(
        personas,
        Row("member", "post", SERVERS, 400, birth(cloud, {"group": theirs.pk}), says=f"Instance group {theirs.pk}"),
        Row("member", "post", SERVERS, 400, birth(cloud, {"group": MADE_UP})),
        Row("member", "post", SERVERS, 400, birth(cloud, {"group": "no-uuid"})),
        Row("member", "post", SERVERS, 400, birth(cloud, {"same_host": ["no-uuid"]})),
        Row("member", "post", SERVERS, 400, birth(cloud, [])),
    )
    hints = {"group": group.pk, "different_host": [cloud.server.pk], "query": '["=", "$free", 1]'}
    made = check(personas, Row("member", "post", SERVERS, 202, birth(cloud, hints)))[0].json()["server"]
    shown = personas.member.api.get(f"{SERVERS}/{made['id']}", OpenStack_API_Version="compute 2.100").json()["server"]
    assert (shown["server_groups"], shown["scheduler_hints"]) == ([group.pk], hints)
