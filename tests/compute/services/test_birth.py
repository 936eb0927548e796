"""What a launch may say beyond image, flavor and networks, and where it then goes."""

import pytest

from accounts.services import quotas as limits
from compute.models import ServerGroup
from compute.services import lifecycle, placement
from compute.services.birth import Extras
from compute.states import VmState
from images.models import ImageProperty
from portal.core.errors import BadRequest, Conflict, Forbidden, QuotaExceeded
from tests.kit.compute import FlavorFactory, HostFactory, ServiceFactory


def group(cloud, policy, **fields):
    return ServerGroup.objects.create(name="g", policy=policy, project_id=cloud.ctx.project_id, user_id="u", **fields)


def test_tags_addresses_and_disk_layout_are_kept(cloud):
    extras = Extras(tags=["b", "a", "b"], access_ip_v4="192.0.2.1", access_ip_v6="2001:db8::1", auto_disk_config=True)
    server = cloud.create(extras=extras)
    assert [row.tag for row in server.tags.all()] == ["b", "a"]
    assert (server.access_ip_v4, server.access_ip_v6, server.auto_disk_config) == ("192.0.2.1", "2001:db8::1", True)


def test_of_the_images_properties_those_stay_that_say_how_servers_run(cloud):
    for name, value in {"hw_disk_bus": "scsi", "os_distro": "debian", "os_version": "12", "note": "x"}.items():
        ImageProperty.objects.create(image=cloud.image, name=name, value=value)
    assert cloud.create().image_properties == {"hw_disk_bus": "scsi", "os_distro": "debian"}


def test_an_image_can_forbid_that_disks_follow_the_flavor(cloud):
    ImageProperty.objects.create(image=cloud.image, name="auto_disk_config", value="False")
    with pytest.raises(BadRequest, match="automatic disk resize disabled"):
        cloud.create(extras=Extras(auto_disk_config=True))


def test_files_reach_the_guest_through_its_config_drive(cloud):
    files = [{"path": "/etc/one", "contents": "b25l"}, {"path": "/etc/two", "contents": "dHdv"}]
    server = cloud.place(cloud.create(extras=Extras(files=files)))
    guest = cloud.box.commands[0].guest
    assert guest.files == {"0000": "b25l", "0001": "dHdv"}
    assert guest.meta_data["files"] == [
        {"content_path": "/content/0000", "path": "/etc/one"},
        {"content_path": "/content/0001", "path": "/etc/two"},
    ]
    assert server.injected_files == files


@pytest.mark.parametrize(
    ("limit", "files", "why"),
    [
        ({"injected_files": 1}, [{"path": "a", "contents": ""}] * 2, "Personality file limit exceeded"),
        ({"injected_file_path_bytes": 3}, [{"path": "a" * 4, "contents": ""}], "path exceeds maximum 3"),
        ({"injected_file_content_bytes": 3}, [{"path": "a", "contents": "eHg="}], "content exceeds maximum 3"),
    ],
)
def test_files_have_limits(cloud, limit, files, why):
    limits.set_limits(cloud.ctx.project_id, limit)
    with pytest.raises(QuotaExceeded, match=why):
        cloud.create(extras=Extras(files=files))


def test_local_disks_have_the_sizes_of_the_flavor(cloud):
    FlavorFactory(flavor_id="big", ephemeral_gb=2, swap_mb=512)
    assert cloud.create(flavor_id="big", extras=Extras(ephemeral_gb=2, swap_mb=512)).swap_mb == 512
    for extras, why in (
        (Extras(ephemeral_gb=3), "Ephemeral disks requested are larger"),
        (Extras(swap_mb=513), "Swap drive requested is larger"),
        (Extras(ephemeral_gb=1), "sizes of the flavor"),
    ):
        with pytest.raises(BadRequest, match=why):
            cloud.create(flavor_id="big", extras=extras)


def test_a_host_can_be_chosen_by_those_who_may(cloud, operator):
    HostFactory(name="host-2", service=ServiceFactory(host="host-2", zone="far"))
    cloud.ctx = operator
    for wish in (
        {"availability_zone": "nova:host-1"},
        {"availability_zone": "nova:host-1:host-1"},
        {"availability_zone": "nova::host-1"},
        {"availability_zone": ":host-1"},
        {"extras": Extras(host="host-1")},
        {"extras": Extras(hypervisor_hostname="host-1")},
    ):
        assert cloud.place(cloud.create(**wish)).host == "host-1", wish
    for wish, why in (
        ({"availability_zone": "nova:host-9"}, "Compute host host-9 could not be found."),
        ({"availability_zone": "nova:host-2"}, "host-2 is in zone far"),
        ({"availability_zone": "nova:host-1:host-2"}, "in zone far"),
        ({"availability_zone": ":host-1:host-2"}, "different hosts"),
        ({"availability_zone": "a:b:c:d"}, "Unable to parse"),
        ({"extras": Extras(host="host-9")}, "Compute host host-9 could not be found."),
        ({"availability_zone": "nova:host-1", "extras": Extras(host="host-1")}, "mutually exclusive"),
    ):
        with pytest.raises(BadRequest, match=why):
            cloud.create(**wish)


def test_others_may_not_choose_a_host(cloud):
    for wish in ({"availability_zone": "nova:host-1"}, {"extras": Extras(host="host-1")}):
        with pytest.raises(Forbidden):
            cloud.create(**wish)


def test_servers_apart_are_never_on_one_host(cloud):
    HostFactory(name="host-2")
    apart = group(cloud, "anti-affinity")
    servers = [cloud.place(cloud.create(extras=Extras(hints={"group": apart.pk}))) for _ in range(3)]
    assert sorted(str(server.host) for server in servers) == ["None", "host-1", "host-2"]
    assert next(server for server in servers if server.host is None).vm_state == VmState.ERROR


def test_so_many_on_one_host_as_the_group_says(cloud):
    apart = group(cloud, "anti-affinity", max_per_host=2)
    servers = [cloud.place(cloud.create(extras=Extras(hints={"group": apart.pk}))) for _ in range(3)]
    assert [server.host for server in servers] == ["host-1", "host-1", None]


def test_servers_together_stay_on_the_host_of_the_first(cloud):
    small = HostFactory(name="host-2", memory_mb=2048)
    together = group(cloud, "affinity")
    first = cloud.place(cloud.create(extras=Extras(hints={"group": together.pk}), availability_zone=None))
    assert first.host == "host-1"
    others = [cloud.place(cloud.create(extras=Extras(hints={"group": together.pk}))) for _ in range(3)]
    assert {server.host for server in others} == {"host-1"}
    assert small.name != first.host


def test_a_group_that_moved_since_hosts_were_weighed_costs_the_claim(cloud):
    HostFactory(name="host-2")
    apart = group(cloud, "anti-affinity")
    hints = Extras(hints={"group": apart.pk})
    placed, waiting = cloud.place(cloud.create(extras=hints)), cloud.create(extras=hints)
    spec = placement.spec_of(cloud.fresh(waiting), cloud.image)
    assert placement._company_stays(cloud.fresh(waiting), spec)
    lifecycle.Server.objects.filter(pk=placed.pk).update(host="host-2")
    assert not placement._company_stays(cloud.fresh(waiting), spec)


def test_company_and_distance_by_name(cloud):
    HostFactory(name="host-2", memory_mb=32768)
    first = cloud.place(cloud.create())
    assert first.host == "host-2"
    assert cloud.place(cloud.create(extras=Extras(hints={"different_host": first.pk}))).host == "host-1"
    assert cloud.place(cloud.create(extras=Extras(hints={"same_host": [first.pk]}))).host == "host-2"
    alone = cloud.place(cloud.create(extras=Extras(hints={"same_host": "00000000-0000-4000-8000-000000000000"})))
    assert alone.vm_state == VmState.ERROR


def test_a_pinned_zone_is_left_and_taken_again(cloud):
    server = cloud.build(availability_zone="nova")
    with pytest.raises(Conflict, match="Unpin first"):
        lifecycle.update(ctx=cloud.ctx, server=server, requested_zone="far")
    lifecycle.update(ctx=cloud.ctx, server=server, requested_zone=None)
    with pytest.raises(Conflict, match="only be pinned to its current availability zone 'nova'"):
        lifecycle.update(ctx=cloud.ctx, server=server, requested_zone="far")
    assert lifecycle.update(ctx=cloud.ctx, server=server, requested_zone="nova").requested_zone == "nova"
