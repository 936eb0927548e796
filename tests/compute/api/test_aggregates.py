"""Host aggregates, and the availability zones that follow from them."""

import pytest

from compute.models import HostImage
from compute.selectors import host_states
from tests.kit.api import Row, check, matrix
from tests.kit.compute import HostFactory

V2 = "/compute/v2.1"
PATH = f"{V2}/os-aggregates"
MADE_UP = "00000000-0000-4000-8000-000000000000"


def wish(**changes):
    return {"aggregate": {"name": "rack-1", **changes}}


@pytest.fixture
def idle():
    """A second host, on which no server is."""
    return HostFactory(name="host2")


@pytest.fixture
def make(personas):
    """Return a function that makes an aggregate and returns its address."""

    def make(name="rack-1", **fields):
        made = check(personas, Row("admin", "post", PATH, 200, wish(name=name, **fields)))[0].json()["aggregate"]
        return f"{PATH}/{made['id']}"

    return make


def act(personas, address, status, **action):
    return check(personas, Row("admin", "post", f"{address}/action", status, action))[0].json()


def zones(personas):
    return {zone["zoneName"] for zone in personas.member.api.get(f"{V2}/os-availability-zone").json()["availabilityZoneInfo"]}


def test_an_aggregate_is_made_listed_shown_changed_and_deleted(personas, cloud):
    bad = [
        {},
        {"aggregate": {}},
        wish(name=""),
        wish(name="x" * 256),
        wish(name=1),
        wish(more=1),
        wish(availability_zone="a:b"),
    ]
    made = check(
        personas, *matrix("post", PATH, body=wish(), ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    )[-1].json()["aggregate"]
    assert set(made) == {"id", "name", "availability_zone", "created_at", "updated_at", "deleted", "deleted_at"}
    check(personas, Row("admin", "post", PATH, 409, wish()))
    (listed,) = check(personas, *matrix("get", PATH, ok=200, who="admin", stranger=403, weak="member"))[-1].json()[
        "aggregates"
    ]
    assert (listed["hosts"], listed["metadata"], listed["availability_zone"]) == ([], {}, None)
    one = f"{PATH}/{made['id']}"
    check(personas, *matrix("get", one, ok=200, who="admin", stranger=403, weak="member"))
    shown = check(personas, Row("admin", "get", one, 200, version="2.41"))[0].json()["aggregate"]
    assert len(shown["uuid"]) == 36
    bad = [
        {},
        {"aggregate": {}},
        {"aggregate": {"name": ""}},
        {"aggregate": {"availability_zone": None}},
        {"aggregate": {"id": 1}},
    ]
    change = {"aggregate": {"name": " rack-2 ", "availability_zone": "west"}}
    rows = matrix("put", one, body=change, ok=200, who="admin", stranger=403, weak="member", malformed=bad)
    changed = check(personas, *rows)[-1].json()["aggregate"]
    assert (changed["name"], changed["availability_zone"]) == ("rack-2", "west")
    assert changed["metadata"] == {"availability_zone": "west"}
    check(personas, *matrix("delete", one, ok=200, who="admin", stranger=403, weak="member"))
    check(
        personas,
        Row("admin", "get", one, 404),
        Row("admin", "delete", one, 404),
        Row("admin", "get", f"{PATH}/-1", 404),
        Row("admin", "get", f"{PATH}/x", 400),
    )


def test_two_aggregates_have_two_names(personas, cloud, make):
    make()
    other = make("rack-2")
    check(personas, Row("admin", "put", other, 409, wish()))


def test_a_host_goes_to_the_zone_of_its_aggregate_and_back(personas, cloud, make, idle):
    address = make(availability_zone="west")
    shown = act(personas, address, 200, add_host={"host": "host2"})["aggregate"]
    assert shown["hosts"] == ["host2"]
    assert zones(personas) == {"nova", "west"}
    assert {state.name: state.zone for state in host_states()} == {"host1": "nova", "host2": "west"}
    act(personas, address, 409, add_host={"host": "host2"})
    check(personas, Row("admin", "delete", address, 400))
    assert act(personas, address, 200, remove_host={"host": "host2"})["aggregate"]["hosts"] == []
    assert zones(personas) == {"nova"}
    act(personas, address, 404, remove_host={"host": "host2"})
    check(personas, Row("admin", "delete", address, 200))


def test_a_host_is_in_one_zone_only(personas, cloud, make, idle):
    west, plain, east = make(availability_zone="west"), make("plain"), make("east", availability_zone="east")
    act(personas, west, 200, add_host={"host": "host2"})
    act(personas, plain, 200, add_host={"host": "host2"})
    act(personas, east, 409, add_host={"host": "host2"})
    check(personas, Row("admin", "put", plain, 400, {"aggregate": {"availability_zone": "east"}}))
    act(personas, plain, 400, set_metadata={"metadata": {"availability_zone": "east"}})
    act(personas, plain, 200, set_metadata={"metadata": {"availability_zone": "west"}})
    act(personas, west, 200, remove_host={"host": "host2"})
    assert zones(personas) == {"nova", "west"}


def test_servers_do_not_change_their_zone(personas, cloud, make):
    west = make(availability_zone="west")
    act(personas, west, 409, add_host={"host": "host1"})
    plain = make("plain")
    act(personas, plain, 200, add_host={"host": "host1"})
    check(personas, Row("admin", "put", plain, 400, {"aggregate": {"availability_zone": "west"}}))
    assert zones(personas) == {"nova"}
    assert personas.admin.api.get(plain).json()["aggregate"]["availability_zone"] is None


def test_metadata_is_merged_and_null_takes_a_key_away(personas, cloud, make):
    address = make()
    act(personas, address, 200, set_metadata={"metadata": {"ssd": "true", "rack": "1"}})
    after = act(personas, address, 200, set_metadata={"metadata": {"rack": None, "gpu": "no"}})["aggregate"]
    assert after["metadata"] == {"ssd": "true", "gpu": "no"}
    for bad in ({}, {"metadata": {"a/b": "x"}}, {"metadata": {"a": 1}}, {"metadata": {"availability_zone": None}}):
        act(personas, address, 400, set_metadata=bad)


def test_actions_need_their_words(personas, cloud, make):
    address = f"{make()}/action"
    for bad in ({}, {"other": {}}, {"add_host": {}}, {"add_host": {"host": "a b"}}, {"add_host": {"host": "x"}, "more": {}}):
        check(personas, Row("admin", "post", address, 400, bad))
    for action in ({"add_host": {"host": "host1"}}, {"remove_host": {"host": "host1"}}, {"set_metadata": {"metadata": {}}}):
        check(personas, Row("member", "post", address, 403, action), Row("anonymous", "post", address, 401, action))
    check(personas, Row("admin", "post", address, 404, {"add_host": {"host": "no-such"}}))
    check(personas, Row("admin", "post", f"{PATH}/99/action", 404, {"add_host": {"host": "host1"}}))


def test_the_hosts_of_an_aggregate_fetch_images_from_2_81(personas, cloud, make, idle, sent):
    address = make()
    act(personas, address, 200, add_host={"host": "host2"})
    wanted = {"cache": [{"id": cloud.image.pk}]}
    bad = [{}, {"cache": []}, {"cache": [{"id": "x"}]}, {"cache": wanted["cache"] * 2}, {"cache": [{"id": MADE_UP}]}]
    check(
        personas,
        Row("admin", "post", f"{address}/images", 404, wanted, "2.80"),
        *matrix(
            "post",
            f"{address}/images",
            body=wanted,
            ok=202,
            who="admin",
            stranger=403,
            weak="member",
            malformed=bad,
            version="2.81",
        ),
    )
    assert [row.host.name for row in HostImage.objects.filter(image_id=cloud.image.pk)] == ["host2"]


def test_a_list_takes_a_fixed_number_of_queries(personas, cloud, make, idle, django_assert_max_num_queries):
    for number in range(5):
        act(personas, make(f"rack-{number}"), 200, add_host={"host": "host2"})
    with django_assert_max_num_queries(6):
        assert len(personas.admin.api.get(PATH).json()["aggregates"]) == 5


def test_a_deleted_host_leaves_its_aggregates(personas, cloud, make, idle):
    address = make()
    act(personas, address, 200, add_host={"host": "host2"})
    check(personas, Row("admin", "delete", f"{V2}/os-services/{idle.service.uuid}", 204, version="2.53"))
    assert personas.admin.api.get(address).json()["aggregate"]["hosts"] == []


def test_zones_name_their_hosts(personas, cloud, make, idle):
    act(personas, make(availability_zone="west"), 200, add_host={"host": "host2"})
    detail = personas.admin.api.get(f"{V2}/os-availability-zone/detail").json()["availabilityZoneInfo"]
    assert {zone["zoneName"]: set(zone["hosts"]) for zone in detail} == {"nova": {"host1"}, "west": {"host2"}}
