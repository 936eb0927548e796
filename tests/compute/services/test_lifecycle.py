"""Creating and deleting servers."""

import base64

import pytest

from accounts.services import quotas
from compute.messages import Destroy, Spawn
from compute.models import Keypair, PlacementDecision, Server, ServerAction, ServerFault, UserLimit
from compute.network.models import Port
from compute.network.selectors import addresses
from compute.services import launch, lifecycle
from compute.states import BUILD_STAGES, Action, TaskState, VmState
from portal.core.errors import BadRequest, Conflict, Forbidden, NotFound, QuotaExceeded
from tests.kit.compute import FlavorFactory, make_image, member


def test_a_new_server_waits_for_placement_with_an_address_and_an_action(cloud):
    server = cloud.create(name="Web 01")

    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state, server.host) == (VmState.BUILDING, TaskState.SCHEDULING, None)
    assert server.status == "BUILD"
    assert server.hostname == "web-01"
    assert addresses([server.pk])[server.pk][0].address.startswith("10.180.")
    assert cloud.hosts.broker.to(lifecycle.BUILD) == [{"server_id": server.pk, "request_id": server.request_id}]
    assert server.actions.get().action == Action.CREATE


def test_a_build_goes_to_a_host_and_ends_active(cloud):
    server = cloud.place(cloud.create())

    (command,) = cloud.box.commands
    assert isinstance(command, Spawn)
    assert command.guest.memory_mb == 512
    assert command.guest.interfaces[0].addresses
    assert command.guest.meta_data["uuid"] == server.pk
    assert cloud.used() == (1, 512, 1)
    for stage in BUILD_STAGES[1:]:
        cloud.tell(cloud.box.phase(server, stage))
        assert cloud.fresh(server).task_state == stage
    cloud.tell(cloud.box.finished(server, Action.CREATE, definition="<domain/>"))

    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state, server.status) == (VmState.ACTIVE, None, "ACTIVE")
    assert server.definitions.get().xml == "<domain/>"
    action = server.actions.get()
    assert action.finished_at is not None
    assert action.message is None
    assert {f"compute_{stage}" for stage in BUILD_STAGES} <= set(action.events.values_list("name", flat=True))
    assert not action.events.filter(finished_at=None).exists()


def test_several_servers_are_numbered(cloud):
    servers = cloud.create_many(name="web", min_count=2, max_count=3)
    assert [server.name for server in servers] == ["web-1", "web-2", "web-3"]
    assert [server.launch_index for server in servers] == [0, 1, 2]
    assert len({server.reservation_id for server in servers}) == 1
    assert len({server.domain_name for server in servers}) == 3


def test_the_quota_admits_between_min_and_max_and_never_more(cloud):
    quotas.set_limits(cloud.ctx.project_id, {"instances": 3})
    assert len(cloud.create_many(min_count=2, max_count=10)) == 3
    with pytest.raises(QuotaExceeded, match="instances"):
        cloud.create()
    assert Server.objects.count() == 3
    assert Port.objects.count() == 3


@pytest.mark.parametrize(("resource", "limit"), [("instances", 0), ("cores", 0), ("ram", 511)])
def test_each_resource_is_limited(cloud, resource, limit):
    quotas.set_limits(cloud.ctx.project_id, {resource: limit})
    with pytest.raises(QuotaExceeded, match=resource):
        cloud.create()
    assert not Server.objects.exists()


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"image_id": "00000000-0000-0000-0000-000000000000"}, "Can not find requested image"),
        ({"flavor_id": "nothing"}, "Flavor nothing could not be found"),
        ({"key_name": "nothing"}, "Invalid key_name"),
        ({"user_data": "???"}, "base 64"),
        ({"user_data": "A" * 65536}, "too large"),
        ({"availability_zone": "mars"}, "availability zone"),
        ({"metadata": {"k": "v" * 256}}, "Metadata"),
        ({"metadata": {"k": 1}}, "not a string"),
        ({"networks": [{"uuid": "00000000-0000-0000-0000-000000000000"}]}, "could not be found"),
        ({"name": " "}, "name"),
        ({"min_count": 3, "max_count": 2}, "min_count"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(cloud, wish, sentence):
    with pytest.raises(BadRequest, match=sentence):
        cloud.create(**wish)
    assert not Server.objects.exists()
    assert not Port.objects.exists()
    assert cloud.hosts.broker.sent == []


def test_an_image_that_does_not_fit_the_flavor_is_refused(cloud):
    with pytest.raises(BadRequest, match="memory is too small"):
        cloud.create(image_id=make_image(min_ram=1024).pk)
    with pytest.raises(BadRequest, match="minimum size"):
        cloud.create(image_id=make_image(min_disk=2).pk)
    with pytest.raises(BadRequest, match="disk is too small"):
        cloud.create(image_id=make_image(virtual_size=2 << 30).pk)
    with pytest.raises(BadRequest, match="not active"):
        cloud.create(image_id=make_image(status="queued").pk)
    with pytest.raises(BadRequest, match=r"is an archive \(ova\)"):
        cloud.create(image_id=make_image(container_format="ova").pk)


def test_a_flavor_without_disk_is_for_members_too(cloud):
    FlavorFactory(flavor_id="84", root_gb=0)
    assert cloud.create(flavor_id="84", image_id=make_image(min_disk=5).pk)


def test_things_of_others_are_not_found(cloud):
    Keypair.objects.create(user_id="f" * 32, name="theirs", public_key="x", fingerprint="x")
    private = make_image(owner="f" * 32, visibility="private")
    flavor = FlavorFactory(is_public=False)
    for wish in ({"key_name": "theirs"}, {"image_id": private.pk}, {"flavor_id": flavor.flavor_id}):
        with pytest.raises(BadRequest):
            cloud.create(**wish)


def test_a_reader_may_not_create_and_a_member_may_not_choose_the_host(cloud):
    with pytest.raises(Forbidden):
        cloud.create(ctx=member(roles=frozenset({"reader"})))
    with pytest.raises(Forbidden):
        cloud.create(availability_zone="nova:host-1")


def test_hostile_names_are_only_data(cloud):
    name = "<b>&\"'; rm -rf / \u202e ${x} %s"
    server = cloud.place(cloud.create(name=name, user_data=base64.b64encode(b"#!/bin/sh\nexit").decode()))
    (command,) = cloud.box.commands
    assert command.guest.name == name
    assert launch.hostname_of(name, "id") == server.hostname
    assert set(server.hostname) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize("reached", [None, *BUILD_STAGES])
def test_a_delete_during_a_build_wins_at_each_stage(cloud, reached):
    server = cloud.create()
    if reached is not None:
        server = cloud.place(server)
        cloud.tell(cloud.box.phase(server, reached))
    build = server.request_id
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    server = cloud.fresh(server)
    assert server.task_state == TaskState.DELETING
    assert server.request_id != build

    for late in (
        cloud.box.phase(server, TaskState.SPAWNING),
        cloud.box.finished(server, Action.CREATE, request_id=build),
        cloud.box.finished(server, Action.CREATE, "cut short", request_id=build),
    ):
        cloud.tell(late)
        assert cloud.fresh(server).task_state == TaskState.DELETING
    if reached is None:
        cloud.place(server)
        assert cloud.box.commands == []
        with cloud.commits():
            cloud.hosts.broker.get_actor(lifecycle.FORGET).fn(server_id=server.pk, request_id=server.request_id)
    else:
        assert cloud.box.commands[-1] == Destroy(server.pk, server.request_id)
        cloud.tell(cloud.box.finished(server, Action.DELETE))

    server = cloud.fresh(server)
    assert (server.vm_state, server.task_state) == (VmState.DELETED, None)
    assert server.deleted_at is not None
    assert cloud.used() == (0, 0, 0)
    assert not Port.objects.exists()
    assert not ServerAction.objects.filter(finished_at=None).exists()


def test_a_build_placed_after_its_delete_goes_nowhere(cloud):
    server = cloud.create()
    stale = (server.pk, server.request_id)
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    with cloud.commits():
        cloud.hosts.broker.get_actor(lifecycle.BUILD).fn(server_id=stale[0], request_id=stale[1])
    assert cloud.box.commands == []
    assert cloud.used() == (0, 0, 0)


def test_deleting_twice_is_one_delete(cloud):
    server = cloud.build()
    for _ in range(2):
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=server)
    assert len([command for command in cloud.box.commands if isinstance(command, Destroy)]) == 1
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.DELETE))
    with pytest.raises(NotFound):
        lifecycle.delete(ctx=cloud.again(), server=server)


def test_a_locked_server_is_not_deleted(cloud):
    server = cloud.build()
    Server.objects.filter(pk=server.pk).update(locked=True)
    with pytest.raises(Conflict, match="locked"):
        lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(server))


def test_no_host_is_an_error_with_the_reason_and_without_host_names(cloud):
    FlavorFactory(flavor_id="whale", ram_mb=40000)
    server = cloud.place(cloud.create(flavor_id="whale"))
    assert server.vm_state == VmState.ERROR
    fault = ServerFault.objects.get(server=server)
    assert fault.message.startswith("No valid host was found.")
    assert "40000 MB asked" in fault.message
    assert "host-1" not in fault.message
    decision = PlacementDecision.objects.get(server=server)
    assert decision.chosen is None
    assert decision.steps[-1]["filter"] == "RamFilter"
    assert not Port.objects.exists()
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    assert cloud.hosts.broker.to(lifecycle.FORGET)


def test_a_users_own_limit_stops_his_servers_and_nobody_elses(cloud):
    UserLimit.objects.create(project_id=cloud.ctx.project_id, user_id=cloud.ctx.user_id, resource="instances", limit=2)
    assert len(cloud.create_many(min_count=1, max_count=5)) == 2
    with pytest.raises(QuotaExceeded, match="already used 2 of 2 instances"):
        cloud.create()
    other = member(user_id="e" * 32)
    assert cloud.create(ctx=other).user_id == other.user_id


@pytest.mark.parametrize(
    ("specs", "properties", "sentence"),
    [
        ({"hw:watchdog_action": "explode"}, {}, "hw:watchdog_action"),
        ({"hw:cpu_policy": "dedicated"}, {}, "No host of this cloud offers"),
        ({}, {"hw_disk_bus": "<disk/>"}, "hw_disk_bus"),
        ({}, {"hw_machine_type": "../../etc/shadow"}, "hw_machine_type"),
    ],
)
def test_hardware_that_no_host_can_build_is_refused_before_anything_is_written(cloud, specs, properties, sentence):
    flavor = FlavorFactory(flavor_id="odd", name="odd", extra_specs=specs)
    image = make_image()
    for name, value in properties.items():
        image.properties.create(name=name, value=value)

    with pytest.raises(BadRequest, match=sentence):
        cloud.create(flavor_id=flavor.flavor_id, image_id=image.pk)

    assert not Server.objects.exists()
