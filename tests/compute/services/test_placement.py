"""Choosing and claiming hosts."""

import random
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from compute.models import Host, PlacementDecision, Server
from compute.scheduler import core
from compute.selectors import fits, host_states
from compute.services import aggregates, claims, lifecycle, placement, sweeps
from compute.states import VmState
from images.models import ImageProperty
from tests.kit.compute import FlavorFactory, HostFactory, ServerFactory, make_image


def test_the_freest_host_wins_and_the_decision_tells_why(cloud, caplog):
    HostFactory(name="host-2", memory_mb=32768)
    HostFactory(name="host-3", memory_mb=100)
    with caplog.at_level("INFO"):
        server = cloud.place(cloud.create())
    assert server.host == "host-2"
    decision = PlacementDecision.objects.get(server=server)
    ram = next(step for step in decision.steps if step["filter"] == "RamFilter")
    assert ram["left"] == 2
    assert ram["refused"] == {"host-3": "150 MB of memory free, 512 MB asked"}
    assert [weight["host"] for weight in decision.weights] == ["host-2", "host-1"]
    for line in (
        "Attempting claim on node host-2: memory 512 MB, disk 1 GB, vcpus 1 CPU",
        "Total memory: 32768 MB, used: 0.00 MB",
        "memory limit: 49152.00 MB, free: 49152.00 MB",
        "Claim successful on node host-2",
    ):
        assert line in caplog.text


def test_a_filter_that_leaves_no_host_says_so_in_the_log(cloud, caplog):
    FlavorFactory(flavor_id="whale", ram_mb=40000)
    with caplog.at_level("INFO"):
        cloud.place(cloud.create(flavor_id="whale"))
    assert "Filter RamFilter returned 0 hosts" in caplog.text


def test_a_doubled_placement_sends_one_command(cloud):
    server = cloud.place(cloud.create())
    cloud.place(server)
    assert len(cloud.box.commands) == 1
    assert cloud.used() == (1, 512, 1)


def test_claims_never_exceed_the_limits_whatever_order_they_come_in(cloud):
    Host.objects.filter(pk=cloud.host.pk).update(vcpus=4, memory_mb=3000, disk_gb=10)
    settings_limits = (
        4 * settings.CPU_ALLOCATION_RATIO,
        3000 * settings.RAM_ALLOCATION_RATIO,
        10 * settings.DISK_ALLOCATION_RATIO,
    )
    randomness, held = random.Random(7), []
    for _ in range(200):
        server = ServerFactory(
            vcpus=randomness.randint(1, 3), ram_mb=randomness.randint(1, 800), root_gb=randomness.randint(0, 3)
        )
        if claims.take(server, "host-1"):
            held.append(server)
        elif held and randomness.random() < 0.5:
            claims.give_back(held.pop(randomness.randrange(len(held))), "host-1")
        used = cloud.used()
        assert all(figure <= limit for figure, limit in zip(used, settings_limits, strict=True))
        assert used == (
            sum(s.vcpus for s in held),
            sum(s.ram_mb for s in held),
            sum(s.disk_gb for s in held),
        )


def test_two_hundred_builds_on_a_small_host_fill_it_exactly(cloud, settings):
    from accounts.services import quotas

    quotas.set_limits(cloud.ctx.project_id, dict.fromkeys(("instances", "cores", "ram"), -1))
    Host.objects.filter(pk=cloud.host.pk).update(disk_gb=30)
    servers = cloud.create_many(min_count=200)
    for server in servers:
        cloud.hosts.broker.get_actor(lifecycle.BUILD).fn(server_id=server.pk, request_id=server.request_id)
    assert Server.objects.filter(host="host-1").count() == 30
    assert Server.objects.filter(vm_state=VmState.ERROR).count() == 170
    assert cloud.used()[2] == 30


def test_zone_and_forced_host_are_kept(cloud, operator):
    HostFactory(name="host-2", memory_mb=1024, service__zone="west")
    assert cloud.place(cloud.create(availability_zone="west")).host == "host-2"
    assert cloud.place(cloud.create(ctx=operator, availability_zone="nova:host-1")).host == "host-1"


def test_a_host_that_is_off_or_silent_takes_nothing(cloud):
    HostFactory(name="host-2", memory_mb=99999, service__disabled=True, service__disabled_reason="disk swap")
    HostFactory(name="host-3", memory_mb=99999, service__seen_at=timezone.now() - timedelta(hours=1))
    server = cloud.place(cloud.create())
    assert server.host == "host-1"
    step = next(step for step in PlacementDecision.objects.get().steps if step["filter"] == "ComputeFilter")
    assert step["refused"] == {"host-2": "disabled by an operator: disk swap", "host-3": "the host is silent"}


def test_as_many_more_fit_as_was_said(cloud):
    Host.objects.filter(pk=cloud.host.pk).update(disk_gb=3)
    assert fits(cloud.ctx, [cloud.flavor]) == {"1": {"now": 3, "quota": 10}}
    for left in (2, 1, 0):
        assert cloud.place(cloud.create()).host == "host-1"
        assert fits(cloud.ctx, [cloud.flavor])["1"] == {"now": left, "quota": left + 7}
    assert cloud.place(cloud.create()).vm_state == VmState.ERROR


def test_a_build_on_a_silent_host_moves_on(cloud):
    HostFactory(name="host-2", memory_mb=1024)
    server = cloud.place(cloud.create())
    assert server.host == "host-1"
    with cloud.commits():
        sweeps.move_build(server)
    moved = cloud.place(cloud.fresh(server))
    assert moved.host == "host-2"
    assert cloud.used() == (0, 0, 0)
    assert [type(command).__name__ for command in cloud.box.commands] == ["Spawn", "Destroy"]
    assert {state.name: state.vcpus_used for state in host_states()} == {"host-1": 0, "host-2": 1}


def test_a_kernel_swapped_after_the_launch_for_a_foreign_one_is_not_sent(cloud):
    foreign = make_image(owner="f" * 32, visibility="private", disk_format="aki", container_format="aki")
    server = cloud.create()
    ImageProperty.objects.create(image_id=server.image_id, name="kernel_id", value=foreign.pk)

    cloud.place(server)

    server.refresh_from_db()
    assert server.vm_state == VmState.ERROR
    assert cloud.box.commands == []
    assert cloud.used() == (0, 0, 0)


def test_a_build_goes_to_the_zone_it_asks_for(cloud):
    west = HostFactory(name="host-2", memory_mb=1024, service__zone="west")
    server = cloud.place(cloud.create(availability_zone="west"))
    assert (server.host, server.availability_zone) == (west.name, "west")


def test_a_host_that_changed_its_zone_is_not_taken_for_the_old_one(cloud, operator):
    server, (seen,) = cloud.create(), host_states()
    aggregate = aggregates.create(ctx=operator, name="rack", zone="west")
    aggregates.add_host(ctx=operator, aggregate=aggregate, host="host-1")
    spec = placement.spec_of(server, cloud.image)
    selection = core.select(spec, [seen], [], [])

    assert not placement.claim(server, spec, selection, seen, as_weighed=True)

    assert (cloud.used(), cloud.fresh(server).host) == ((0, 0, 0), None)
