"""What a server used, from the intervals that its moves and sizes leave behind."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from compute import usage_selectors
from compute.models import Server, UsageInterval
from compute.services import lifecycle, rebuilding, repairs, resizing, shelving, sweeps
from compute.services.invariants import claims_equal_servers
from compute.states import Action, PowerState, VmState
from images.models import Image
from tests.compute.services.deeds import arrives, did
from tests.kit.compute import FlavorFactory, ServerFactory, make_image

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def big(cloud):
    return FlavorFactory(flavor_id="big", name="m1.big", vcpus=2, ram_mb=1024, root_gb=2)


def intervals(server):
    """Return the processors of each interval and whether it has ended."""
    return [(row.vcpus, row.ended_at is not None) for row in UsageInterval.objects.filter(server=server)]


def do(cloud, perform, server, **more):
    with cloud.commits():
        perform(ctx=cloud.again(), server=cloud.fresh(server), **more)


def shelve(cloud, server):
    do(cloud, shelving.shelve, server)
    arrives(Image.objects.get(name=f"{server.name}-shelved").pk)
    did(cloud, server, Action.SHELVE, power_state=PowerState.SHUTDOWN)
    with cloud.commits():
        sweeps.sweep()


def test_use_begins_when_a_server_was_built_and_ends_when_it_is_gone(cloud):
    server = cloud.create()
    assert intervals(server) == []
    server = cloud.place(server)
    assert intervals(server) == []
    server = did(cloud, server, Action.CREATE)
    assert intervals(server) == [(1, False)]
    do(cloud, lifecycle.delete, server)
    assert intervals(server) == [(1, False)]
    did(cloud, server, Action.DELETE)
    assert intervals(server) == [(1, True)]
    assert list(claims_equal_servers()) == []


def test_a_build_that_failed_used_nothing(cloud):
    server = cloud.place(cloud.create())
    did(cloud, server, Action.CREATE, fault="No.")
    assert intervals(server) == []


def test_a_rebuild_forgets_no_hour_before_it(cloud, server):
    UsageInterval.objects.update(started_at=NOON)
    do(cloud, rebuilding.rebuild, server, image_id=make_image(name="other").pk)
    server = did(cloud, server, Action.REBUILD)
    assert intervals(server) == [(1, False)]
    assert usage_selectors.spent(server, NOON, NOON + timedelta(hours=5)).hours == 5


def test_while_it_is_shelved_on_no_host_it_uses_nothing(cloud, server):
    shelve(cloud, server)
    assert intervals(server) == [(1, False)]
    did(cloud, server, Action.SHELVE_OFFLOAD, power_state=PowerState.NOSTATE)
    assert intervals(server) == [(1, True)]
    do(cloud, shelving.unshelve, server)
    cloud.place(cloud.fresh(server))
    did(cloud, server, Action.UNSHELVE)
    assert intervals(server) == [(1, True), (1, False)]
    assert list(claims_equal_servers()) == []


def test_each_size_counts_as_long_as_it_lasted(cloud, server, big):
    do(cloud, resizing.resize, server, flavor_id="big")
    assert intervals(server) == [(1, False)]
    did(cloud, server, Action.RESIZE)
    assert intervals(server) == [(1, True), (2, False)]
    do(cloud, resizing.revert, server)
    did(cloud, server, Action.REVERT_RESIZE)
    assert intervals(server) == [(1, True), (2, True), (1, False)]
    do(cloud, resizing.resize, server, flavor_id="big")
    did(cloud, server, Action.RESIZE)
    do(cloud, resizing.confirm, server)
    did(cloud, server, Action.CONFIRM_RESIZE)
    assert intervals(server) == [(1, True), (2, True), (1, True), (2, False)]


def test_what_is_not_counted_or_counted_for_nothing_is_found(cloud, server):
    gone = cloud.build()
    Server.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    UsageInterval.objects.filter(server=server).delete()
    found = [
        f"instance {server.pk} is on a host and its use is not counted as it is",
        f"instance {gone.pk} is on no host and its use is counted",
    ]
    assert list(claims_equal_servers())[1:] == found
    repairs.repair()
    assert list(claims_equal_servers()) == []


def test_a_server_that_is_counted_twice_or_with_another_size_is_found_and_set_right(cloud, server):
    other = cloud.build()
    UsageInterval.objects.create(server=server, started_at=NOON, vcpus=1, ram_mb=512, local_gb=1)
    UsageInterval.objects.filter(server=other).update(ram_mb=1)
    assert len(list(claims_equal_servers())) == 2
    repairs.repair()
    assert list(claims_equal_servers()) == []
    assert [row.size() for row in UsageInterval.objects.filter(server=other, ended_at=None)] == [
        {"vcpus": 1, "ram_mb": 512, "local_gb": 1}
    ]


def test_servers_of_before_have_the_interval_that_their_times_tell(cloud):
    hour = timedelta(hours=1)
    servers = {
        "runs": ServerFactory(name="runs", launched_at=NOON),
        "gone": ServerFactory(name="gone", launched_at=NOON, deleted_at=NOON + hour),
        "shelved": ServerFactory(name="shelved", launched_at=NOON, shelved_at=NOON + 2 * hour, host=None),
        "never": ServerFactory(name="never", launched_at=None),
        "shelved and gone": ServerFactory(launched_at=NOON, shelved_at=NOON + hour, host=None, deleted_at=NOON + 9 * hour),
        "comes back": ServerFactory(launched_at=NOON, shelved_at=NOON + hour, vm_state=VmState.SHELVED_OFFLOADED),
    }
    import_module("compute.migrations.0011_usage").intervals_of_before(apps, None)
    found = {name: [row.ended_at for row in UsageInterval.objects.filter(server=row)] for name, row in servers.items()}
    assert found == {
        "runs": [None],
        "gone": [NOON + hour],
        "shelved": [NOON + 2 * hour],
        "never": [],
        "shelved and gone": [NOON + hour],
        "comes back": [NOON + hour],
    }
    assert set(UsageInterval.objects.values_list("started_at", flat=True)) == {NOON}
