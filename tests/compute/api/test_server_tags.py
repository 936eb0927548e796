"""Tags of servers, and the filters that look for them."""

from compute.models import ServerTag
from compute.states import VmState
from tests.compute.api.world import make_server
from tests.kit.api import Row, check, matrix

SERVERS = "/compute/v2.1/servers"


def put(server, *tags):
    ServerTag.objects.bulk_create(ServerTag(server=server, tag=tag) for tag in tags)


def test_tags_are_replaced_listed_and_cleared(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}/tags"
    bad = [{}, {"tags": "web"}, {"tags": ["a,b"]}, {"tags": ["a/b"]}, {"tags": [""]}, {"tags": ["x" * 61]}, {"tags": [1]}]
    bad += [{"tags": [str(number) for number in range(51)]}]
    rows = matrix("put", path, body={"tags": ["web", "blue", "web"]}, ok=200, weak="reader", malformed=bad, version="2.26")
    assert check(personas, *rows)[-1].json() == {"tags": ["web", "blue"]}
    assert check(personas, *matrix("get", path, ok=200, who="reader", version="2.26"))[-1].json() == {"tags": ["web", "blue"]}
    shown = personas.member.api.get(f"{SERVERS}/{cloud.server.pk}", OpenStack_API_Version="compute 2.26").json()["server"]
    assert shown["tags"] == ["web", "blue"]
    check(personas, *matrix("delete", path, ok=204, weak="reader", version="2.26"))
    assert not cloud.server.tags.exists()
    check(personas, Row("member", "get", path, 404, version="2.25"))


def test_one_tag_is_put_found_and_taken(personas, cloud):
    path = f"{SERVERS}/{cloud.server.pk}/tags/web"
    made = check(personas, *matrix("put", path, ok=201, weak="reader", version="2.26"))[-1]
    assert made.headers["Location"].endswith(path)
    check(
        personas,
        Row("member", "put", path, 204, version="2.26"),
        *matrix("get", path, ok=204, who="reader", version="2.26"),
        Row("member", "get", f"{path}s", 404, version="2.26"),
        Row("member", "put", f"{SERVERS}/{cloud.server.pk}/tags/a,b", 400, version="2.26"),
        Row("member", "put", f"{SERVERS}/{cloud.server.pk}/tags/a%2Fb", 400, version="2.26"),
        Row("member", "put", f"{SERVERS}/{cloud.server.pk}/tags/{'x' * 61}", 400, version="2.26"),
        *matrix("delete", path, ok=204, weak="reader", version="2.26"),
        Row("member", "delete", path, 404, version="2.26", says="has no tag 'web'"),
    )


def test_a_server_has_at_most_fifty_tags_and_none_while_it_is_built(personas, cloud):
    put(cloud.server, *(str(number) for number in range(50)))
    path = f"{SERVERS}/{cloud.server.pk}/tags/more"
    check(personas, Row("member", "put", path, 400, version="2.26", says="exceeded the per-server limit 50"))
    young = make_server(personas.member.ctx, address=False, vm_state=VmState.BUILDING)
    check(personas, Row("member", "put", f"{SERVERS}/{young.pk}/tags/a", 409, version="2.26", says="Cannot 'update tag'"))


def test_servers_are_found_by_their_tags(personas, cloud):
    put(cloud.server, "web", "blue")
    put(make_server(personas.member.ctx, address=False, name="db1"), "blue")
    make_server(personas.member.ctx, address=False, name="bare")

    def found(query, version="2.26"):
        answer = personas.member.api.get(f"{SERVERS}?{query}", OpenStack_API_Version=f"compute {version}")
        return sorted(server["name"] for server in answer.json()["servers"])

    assert found("tags=web,blue") == ["web1"]
    assert found("tags-any=web,blue") == ["db1", "web1"]
    assert found("not-tags=web,blue") == ["bare", "db1"]
    assert found("not-tags-any=web,blue") == ["bare"]
    assert found("tags=blue&not-tags=web") == ["db1"]
    assert found("tags=web", "2.25") == ["bare", "db1", "web1"]
