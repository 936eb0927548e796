"""Each filter by a table of hosts and wishes; the selection as a whole."""

import pytest

from compute.scheduler.core import HostState, RequestSpec, how_many, select
from compute.scheduler.filters.affinity import ServerGroupAffinityFilter
from compute.scheduler.filters.anti_affinity import ServerGroupAntiAffinityFilter
from compute.scheduler.filters.availability_zone import AvailabilityZoneFilter
from compute.scheduler.filters.compute_up import ComputeFilter
from compute.scheduler.filters.core import CoreFilter
from compute.scheduler.filters.different_host import DifferentHostFilter
from compute.scheduler.filters.disk import DiskFilter
from compute.scheduler.filters.image_properties import ImagePropertiesFilter
from compute.scheduler.filters.ram import RamFilter
from compute.scheduler.filters.retry import RetryFilter
from compute.scheduler.filters.same_host import SameHostFilter
from compute.scheduler.weighers.ram import RamWeigher
from compute.scheduler.weighers.soft_affinity import ServerGroupSoftAffinityWeigher
from compute.scheduler.weighers.soft_anti_affinity import ServerGroupSoftAntiAffinityWeigher

HOST = {"name": "a", "vcpus": 4, "memory_mb": 1000, "disk_gb": 10, "vcpus_ratio": 2.0, "memory_ratio": 1.5, "disk_ratio": 1.0}
ALL = [
    RetryFilter(),
    ComputeFilter(),
    AvailabilityZoneFilter(),
    RamFilter(),
    DiskFilter(),
    CoreFilter(),
    ImagePropertiesFilter(),
]


def host(**facts) -> HostState:
    return HostState(**HOST | facts)


def spec(**wish) -> RequestSpec:
    return RequestSpec(**{"vcpus": 1, "memory_mb": 100, "disk_gb": 1} | wish)


@pytest.mark.parametrize(
    ("each", "wish", "facts", "reason"),
    [
        (RetryFilter, {}, {}, None),
        (RetryFilter, {"attempted": ("a",)}, {}, "tried there before"),
        (ComputeFilter, {}, {}, None),
        (ComputeFilter, {}, {"up": False}, "silent"),
        (ComputeFilter, {}, {"enabled": False}, "disabled by an operator"),
        (ComputeFilter, {}, {"enabled": False, "disabled_reason": "swap", "up": False}, "swap"),
        (AvailabilityZoneFilter, {}, {"zone": "x"}, None),
        (AvailabilityZoneFilter, {"zone": "x"}, {"zone": "x"}, None),
        (AvailabilityZoneFilter, {"zone": "y"}, {"zone": "x"}, "asked for zone y"),
        (AvailabilityZoneFilter, {"host": "b"}, {}, "another host"),
        (ServerGroupAffinityFilter, {"group_policy": "affinity"}, {}, None),
        (ServerGroupAffinityFilter, {"group_policy": "affinity", "group_hosts": {"a": 1}}, {}, None),
        (ServerGroupAffinityFilter, {"group_policy": "affinity", "group_hosts": {"b": 1}}, {}, "on another host"),
        (ServerGroupAffinityFilter, {"group_policy": "anti-affinity", "group_hosts": {"b": 1}}, {}, None),
        (ServerGroupAntiAffinityFilter, {"group_policy": "anti-affinity", "group_hosts": {"b": 1}}, {}, None),
        (ServerGroupAntiAffinityFilter, {"group_policy": "anti-affinity", "group_hosts": {"a": 1}}, {}, "1 server(s)"),
        (
            ServerGroupAntiAffinityFilter,
            {"group_policy": "anti-affinity", "group_hosts": {"a": 1}, "group_max_per_host": 2},
            {},
            None,
        ),
        (ServerGroupAntiAffinityFilter, {"group_policy": "affinity", "group_hosts": {"a": 1}}, {}, None),
        (SameHostFilter, {}, {}, None),
        (SameHostFilter, {"same_hosts": ("a", "b")}, {}, None),
        (SameHostFilter, {"same_hosts": ("b",)}, {}, "none of the servers"),
        (SameHostFilter, {"same_hosts": ()}, {}, "none of the servers"),
        (DifferentHostFilter, {}, {}, None),
        (DifferentHostFilter, {"different_hosts": ("b",)}, {}, None),
        (DifferentHostFilter, {"different_hosts": ("a",)}, {}, "shall not be with"),
        (RamFilter, {"memory_mb": 1500}, {}, None),
        (RamFilter, {"memory_mb": 1501}, {}, "1500 MB of memory free, 1501 MB asked"),
        (RamFilter, {"memory_mb": 1000}, {"memory_mb_used": 501}, "999 MB of memory free"),
        (DiskFilter, {"disk_gb": 10}, {}, None),
        (DiskFilter, {"disk_gb": 11}, {}, "10 GB of disk free, 11 GB asked"),
        (CoreFilter, {"vcpus": 4}, {"vcpus_used": 4}, None),
        (CoreFilter, {"vcpus": 4}, {"vcpus_used": 5}, "3 vCPUs free, 4 asked"),
        (CoreFilter, {"vcpus": 5}, {}, "of a host with 4"),
        (ImagePropertiesFilter, {}, {}, None),
        (ImagePropertiesFilter, {"image_properties": {"hw_architecture": "AMD64"}}, {}, None),
        (ImagePropertiesFilter, {"image_properties": {"architecture": "aarch64"}}, {}, "the image is for aarch64"),
        (ImagePropertiesFilter, {"image_properties": {"img_hv_type": "kvm"}}, {}, None),
        (ImagePropertiesFilter, {"image_properties": {"img_hv_type": "xen"}}, {}, "the image is for xen"),
    ],
)
def test_a_filter_refuses_with_a_reason(each, wish, facts, reason):
    found = each().refuse(spec(**wish), host(**facts))
    assert found is None if reason is None else reason in found


def test_the_selection_tells_each_step_and_weighs_the_rest():
    hosts = [host(name="a"), host(name="b", up=False), host(name="c", memory_mb=2000), host(name="d", memory_mb=60)]
    found = select(spec(), hosts, ALL, [(RamWeigher(), 1.0)])
    assert found.hosts == ["c", "a"]
    assert found.considered == 4
    assert [(step.filter, step.left) for step in found.steps][:4] == [
        ("RetryFilter", 4),
        ("ComputeFilter", 3),
        ("AvailabilityZoneFilter", 3),
        ("RamFilter", 2),
    ]
    assert [(weight.host, weight.total) for weight in found.weights] == [("c", 1.0), ("a", 0.0)]


def test_filtering_stops_when_no_host_is_left():
    found = select(spec(), [host(up=False)], ALL, [])
    assert [step.filter for step in found.steps] == ["RetryFilter", "ComputeFilter"]
    assert found.hosts == []


def test_what_was_stored_gives_the_same_decision_again():
    hosts = [host(name=name, memory_mb=500 + 100 * n) for n, name in enumerate("abcdef")]
    first, second = (select(spec(), hosts, ALL, [(RamWeigher(), 1.0)]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("wish", "facts", "number"),
    [
        ({}, {}, 8),
        ({"vcpus": 3}, {}, 2),
        ({"memory_mb": 700}, {}, 2),
        ({"disk_gb": 5}, {"disk_gb_used": 1}, 1),
        ({"disk_gb": 0}, {}, 8),
        ({}, {"up": False}, 0),
        ({"vcpus": 5}, {}, 0),
    ],
)
def test_how_many_fit(wish, facts, number):
    assert how_many(spec(**wish), [host(**facts)], ALL) == number


@pytest.mark.parametrize(
    ("policy", "first"), [("soft-affinity", "b"), ("soft-anti-affinity", "a"), ("affinity", "a"), (None, "a")]
)
def test_soft_groups_order_hosts_and_refuse_none(policy, first):
    wish = spec(group_policy=policy, group_hosts={"b": 2})
    weighers = [(ServerGroupSoftAffinityWeigher(), 1.0), (ServerGroupSoftAntiAffinityWeigher(), 1.0)]
    found = select(wish, [host(name="a"), host(name="b")], [], weighers)
    assert found.hosts[0] == first
    assert len(found.hosts) == 2
