"""Images, backups, rescues and shelving: what rows, images and messages become."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.services import quotas
from compute.copy_messages import CopyDisk, Offload, Rescue, Unshelve
from compute.messages import BuildPhase, Destroy
from compute.models import ActionEvent, Server, ServerFault
from compute.network.models import Port
from compute.services import lifecycle, rescuing, shelving, snapshots, sweeps
from compute.states import Action, PowerState, TaskState, VmState
from compute.virt.driver import Quiesce
from images.models import Image, ImageProperty
from images.services import limits, transfer
from images.states import ImageStatus
from portal.core.errors import BadRequest, Conflict, Forbidden, TooLarge
from tests.accounts.factories import ServiceFactory as CatalogServiceFactory
from tests.compute.services.deeds import arrives, did, step
from tests.kit.compute import make_image


class TestImages:
    def create(self, cloud, server, **more):
        with cloud.commits():
            return snapshots.create_image(ctx=cloud.again(), server=cloud.fresh(server), name="web-copy", **more)

    def test_the_image_is_there_at_once_and_says_where_it_comes_from(self, cloud, server):
        ImageProperty.objects.create(image=cloud.image, name="hw_disk_bus", value="virtio")
        ImageProperty.objects.create(image=cloud.image, name="img_signature", value="of other bytes")

        image = Image.objects.get(pk=self.create(cloud, server, metadata={"why": "before the upgrade"}))

        assert (image.name, image.status, image.visibility, image.owner) == (
            "web-copy",
            "queued",
            "private",
            server.project_id,
        )
        assert (image.disk_format, image.min_disk) == ("qcow2", 1)
        told = {"base_image_ref": cloud.image.pk, "image_type": "snapshot", "instance_uuid": server.pk}
        assert told.items() | {"hw_disk_bus": "virtio", "why": "before the upgrade"}.items() <= image.custom.items()
        assert "img_signature" not in image.custom

    def test_its_host_is_told_where_to_send_the_bytes(self, cloud, server):
        image_id = self.create(cloud, server)

        command = cloud.box.commands[-1]
        assert isinstance(command, CopyDisk)
        assert (command.image_id, command.quiesce, command.stop_s) == (image_id, Quiesce.NO, None)
        ticket = parse_qs(urlsplit(command.address).query)["ticket"][0]
        assert transfer.check_write(ticket, image_id, "req-1").is_operator

    @pytest.mark.parametrize(
        ("properties", "quiesce"),
        [
            ({"hw_qemu_guest_agent": "yes"}, Quiesce.IF_POSSIBLE),
            ({"hw_qemu_guest_agent": "yes", "os_require_quiesce": "yes"}, Quiesce.REQUIRED),
        ],
    )
    def test_the_guests_agent_is_asked_as_the_image_wishes(self, cloud, server, properties, quiesce):
        Server.objects.filter(pk=server.pk).update(image_properties=properties)
        self.create(cloud, server)

        assert cloud.box.commands[-1].quiesce == quiesce

    @pytest.mark.parametrize("state", [VmState.ACTIVE, VmState.STOPPED, VmState.PAUSED])
    def test_the_server_is_afterwards_what_it_was(self, cloud, server, state):
        power = {VmState.ACTIVE: PowerState.RUNNING, VmState.STOPPED: PowerState.SHUTDOWN, VmState.PAUSED: PowerState.PAUSED}
        Server.objects.filter(pk=server.pk).update(vm_state=state)
        arrives(self.create(cloud, server))

        done = did(cloud, server, Action.CREATE_IMAGE, power_state=power[state])

        assert (done.vm_state, done.task_state) == (state, None)

    def test_progress_shows_in_the_log_and_in_the_state(self, cloud, server):
        self.create(cloud, server)
        for done in (10, 60, 40):
            step(cloud, server, TaskState.IMAGE_UPLOADING, done)

        assert cloud.fresh(server).task_state == TaskState.IMAGE_UPLOADING
        event = ActionEvent.objects.get(action__server=server, name="compute_image_uploading")
        assert (event.bytes_done, event.bytes_total, event.detail) == (60, 100, "on its way")
        step(cloud, server, TaskState.IMAGE_SNAPSHOT, 1)
        assert cloud.fresh(server).task_state == TaskState.IMAGE_UPLOADING
        did(cloud, server, Action.CREATE_IMAGE)
        assert not ActionEvent.objects.filter(action__server=server, finished_at=None).exists()

    def test_a_step_of_an_operation_that_is_over_changes_nothing(self, cloud, server):
        self.create(cloud, server)
        late = BuildPhase("host-1", server.pk, cloud.fresh(server).request_id, TaskState.IMAGE_UPLOADING, 2_000_000_000.0)
        did(cloud, server, Action.CREATE_IMAGE)

        cloud.tell(late)

        assert cloud.fresh(server).task_state is None

    def test_when_it_fails_the_image_goes_and_the_server_stays(self, cloud, server):
        image_id = self.create(cloud, server)

        done = did(cloud, server, Action.CREATE_IMAGE, fault="The disk of this host is full.")

        assert (done.vm_state, done.task_state) == (VmState.ACTIVE, None)
        assert Image.objects.get(pk=image_id).status == ImageStatus.DELETED
        assert ServerFault.objects.get(server=server).message == "The disk of this host is full."

    def test_deleting_the_server_meanwhile_takes_the_unfinished_image_along(self, cloud, server):
        image_id = self.create(cloud, server)

        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(server))

        assert Image.objects.get(pk=image_id).status == ImageStatus.DELETED
        assert isinstance(cloud.box.commands[-1], Destroy)

    def test_an_image_that_is_whole_outlives_its_server(self, cloud, server):
        image_id = self.create(cloud, server)
        arrives(image_id)

        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(server))

        assert Image.objects.get(pk=image_id).status == ImageStatus.ACTIVE

    def test_a_second_one_waits_for_the_first(self, cloud, server):
        self.create(cloud, server)

        with pytest.raises(Conflict, match=r"Cannot 'createImage' instance .* while it is in task_state image_snapshot"):
            self.create(cloud, server)
        assert Image.objects.filter(name="web-copy").count() == 1

    def test_the_quota_of_images_is_obeyed_and_the_server_is_left_alone(self, cloud, server):
        CatalogServiceFactory(type="image", name="glance")
        quotas.set_limits(cloud.ctx.project_id, {limits.IMAGES: 1})

        with pytest.raises(TooLarge):
            self.create(cloud, server)
        assert cloud.fresh(server).task_state is None

    def test_metadata_cannot_bear_the_name_of_what_an_image_has(self, cloud, server):
        with pytest.raises(BadRequest, match="named status"):
            self.create(cloud, server, metadata={"status": "active"})

    def test_a_lost_command_is_made_again_from_the_row(self, cloud, server):
        image_id = self.create(cloud, server)
        fresh = cloud.fresh(server)

        with cloud.commits():
            sweeps.resend(fresh, Action.CREATE_IMAGE)

        again = cloud.box.commands[-1]
        assert (again.image_id, again.request_id) == (image_id, fresh.request_id)


class TestBackups:
    def back_up(self, cloud, server, kind="daily", rotation=2):
        with cloud.commits():
            image_id = snapshots.create_backup(
                ctx=cloud.again(), server=cloud.fresh(server), name=f"b-{kind}", backup_type=kind, rotation=rotation
            )
        arrives(image_id)
        did(cloud, server, Action.CREATE_BACKUP)
        return image_id

    def left(self, *ids):
        return [image_id for image_id in ids if Image.objects.get(pk=image_id).status != ImageStatus.DELETED]

    def test_the_newest_of_a_kind_stay(self, cloud, server):
        weekly = self.back_up(cloud, server, "weekly")
        first, second, third = (self.back_up(cloud, server) for _ in range(3))

        assert self.left(weekly, first, second, third) == [weekly, second, third]

    def test_none_stays_when_none_is_to_be_kept(self, cloud, server):
        first = self.back_up(cloud, server)
        assert self.left(first, self.back_up(cloud, server, rotation=0)) == []

    def test_one_that_is_protected_stays(self, cloud, server):
        first = self.back_up(cloud, server, rotation=1)
        Image.objects.filter(pk=first).update(protected=True)

        second = self.back_up(cloud, server, rotation=1)

        assert self.left(first, second) == [first, second]

    def test_backups_of_another_server_are_not_touched(self, cloud, server):
        other = self.back_up(cloud, cloud.build(), rotation=1)
        mine = self.back_up(cloud, server, rotation=1)

        assert self.left(other, mine) == [other, mine]


class TestRescues:
    def test_from_its_own_image_or_another(self, cloud, server):
        image = make_image(name="rescue")
        ImageProperty.objects.create(image=image, name="hw_rescue_bus", value="scsi")
        with cloud.commits():
            rescuing.rescue(ctx=cloud.again(), server=cloud.fresh(server))
        command = cloud.box.commands[-1]
        assert isinstance(command, Rescue)
        assert (command.rescue.image.id, command.rescue.stable) == (cloud.image.pk, False)
        assert did(cloud, server, Action.RESCUE).vm_state == VmState.RESCUED
        with cloud.commits():
            rescuing.unrescue(ctx=cloud.again(), server=cloud.fresh(server))
        assert did(cloud, server, Action.UNRESCUE).vm_state == VmState.ACTIVE

        with cloud.commits():
            rescuing.rescue(ctx=cloud.again(), server=cloud.fresh(server), image_id=image.pk)
        wanted = cloud.box.commands[-1].rescue
        assert (wanted.image.id, wanted.stable, wanted.device, wanted.bus) == (image.pk, True, "disk", "scsi")

    @pytest.mark.parametrize(
        "properties",
        [{"hw_rescue_bus": "lxc"}, {"hw_rescue_device": "floppy"}, {"hw_rescue_device": "cdrom", "hw_rescue_bus": "virtio"}],
    )
    def test_a_place_where_no_disk_can_be_is_refused(self, cloud, server, properties):
        image = make_image(name="rescue")
        for name, value in properties.items():
            ImageProperty.objects.create(image=image, name=name, value=value)

        with pytest.raises(BadRequest, match="not supported"):
            rescuing.rescue(ctx=cloud.again(), server=cloud.fresh(server), image_id=image.pk)
        assert cloud.fresh(server).task_state is None

    def test_one_that_fails_leaves_the_server_as_its_guest_is(self, cloud, server):
        with cloud.commits():
            rescuing.rescue(ctx=cloud.again(), server=cloud.fresh(server))

        done = did(cloud, server, Action.RESCUE, fault="No room.", power_state=PowerState.SHUTDOWN)

        assert (done.vm_state, done.task_state) == (VmState.STOPPED, None)


class TestShelving:
    def shelve(self, cloud, server):
        with cloud.commits():
            shelving.shelve(ctx=cloud.again(), server=cloud.fresh(server))
        image = Image.objects.get(name=f"{server.name}-shelved")
        arrives(image.pk)
        return image, did(cloud, server, Action.SHELVE, power_state=PowerState.SHUTDOWN)

    def offload(self, cloud, server):
        with cloud.commits():
            sweeps.sweep()
        return did(cloud, server, Action.SHELVE_OFFLOAD, power_state=PowerState.NOSTATE)

    def unshelve(self, cloud, server, **more):
        with cloud.commits():
            shelving.unshelve(ctx=more.pop("ctx", cloud.again()), server=cloud.fresh(server), **more)
        return cloud.fresh(server)

    def test_a_shelved_server_gives_host_and_claim_back_and_keeps_its_addresses(self, cloud, server):
        ports = list(Port.objects.filter(device_id=server.pk).values_list("pk", flat=True))
        image, shelved = self.shelve(cloud, server)
        assert (shelved.status, shelved.shelved_image_id, cloud.box.commands[-1].stop_s) == ("SHELVED", image.pk, 30)
        assert cloud.used() != (0, 0, 0)

        gone = self.offload(cloud, server)

        assert isinstance(cloud.box.commands[-1], Offload)
        assert (gone.status, gone.host, gone.task_state) == ("SHELVED_OFFLOADED", None, None)
        assert cloud.used() == (0, 0, 0)
        assert list(Port.objects.filter(device_id=server.pk).values_list("pk", flat=True)) == ports

    def test_it_stays_on_its_host_as_long_as_the_settings_say(self, cloud, server, settings):
        settings.SHELVED_OFFLOAD_TIME_S = 60
        self.shelve(cloud, server)
        sweeps.sweep()
        assert cloud.fresh(server).task_state is None
        settings.SHELVED_OFFLOAD_TIME_S = -1
        Server.objects.update(shelved_at=timezone.now() - timedelta(days=1))
        sweeps.sweep()
        assert cloud.fresh(server).task_state is None
        settings.SHELVED_OFFLOAD_TIME_S = 60
        sweeps.sweep()
        assert cloud.fresh(server).task_state == TaskState.SHELVING_OFFLOADING

    def test_it_comes_back_from_its_image_through_the_scheduler(self, cloud, server):
        image, _ = self.shelve(cloud, server)
        self.offload(cloud, server)

        placed = cloud.place(self.unshelve(cloud, server))

        command = cloud.box.commands[-1]
        assert isinstance(command, Unshelve)
        assert (placed.host, command.guest.image.id) == ("host-1", image.pk)
        assert len(command.guest.interfaces) == 1
        back = did(cloud, server, Action.UNSHELVE, definition="<domain/>")
        assert (back.status, back.shelved_image_id, back.image_id) == ("ACTIVE", None, server.image_id)
        assert Image.objects.get(pk=image.pk).status == ImageStatus.DELETED
        assert cloud.used() == (1, 512, 1)

    def test_one_that_is_still_on_its_host_is_only_started(self, cloud, server):
        image, _ = self.shelve(cloud, server)

        self.unshelve(cloud, server)

        assert cloud.box.commands[-1] == Unshelve(server.pk, cloud.fresh(server).request_id)
        assert did(cloud, server, Action.UNSHELVE).status == "ACTIVE"
        assert Image.objects.get(pk=image.pk).status == ImageStatus.DELETED

    @pytest.mark.parametrize("how", ["nowhere", "failed", "silent"])
    def test_one_that_cannot_come_back_stays_shelved_and_holds_nothing(self, cloud, server, how):
        image, _ = self.shelve(cloud, server)
        self.offload(cloud, server)
        if how == "nowhere":
            cloud.host.service.delete()
        waiting = cloud.place(self.unshelve(cloud, server))
        if how == "failed":
            did(cloud, server, Action.UNSHELVE, fault="No.", power_state=PowerState.NOSTATE)
        elif how == "silent":
            with cloud.commits():
                sweeps.expire(waiting, Action.UNSHELVE, 1800)

        fresh = cloud.fresh(server)
        assert (fresh.status, fresh.host, fresh.task_state) == ("SHELVED_OFFLOADED", None, None)
        assert Image.objects.get(pk=image.pk).status == ImageStatus.ACTIVE
        if how != "nowhere":
            assert cloud.used() == (0, 0, 0)
            assert isinstance(cloud.box.commands[-1], Offload)

    def test_zone_and_host_may_be_named_for_one_without_a_host(self, cloud, server):
        self.shelve(cloud, server)
        with pytest.raises(Conflict, match="to a chosen place"):
            self.unshelve(cloud, server, zone="nova")
        self.offload(cloud, server)
        admin = replace(cloud.again(), roles=cloud.ctx.roles | {"admin"})
        with pytest.raises(BadRequest, match="zone is not available"):
            self.unshelve(cloud, server, zone="mars")
        with pytest.raises(Forbidden):
            self.unshelve(cloud, server, host="host-1")
        with pytest.raises(BadRequest, match="could not be found"):
            self.unshelve(cloud, server, ctx=admin, host="no-such")

        placed = cloud.place(self.unshelve(cloud, server, ctx=admin, zone="nova", host="host-1"))

        assert (placed.host, placed.requested_zone) == ("host-1", "nova")

    def test_one_that_fails_to_be_shelved_is_what_its_guest_is(self, cloud, server):
        with cloud.commits():
            shelving.shelve(ctx=cloud.again(), server=cloud.fresh(server))

        done = did(cloud, server, Action.SHELVE, fault="Full.", power_state=PowerState.RUNNING)

        assert (done.status, done.shelved_image_id) == ("ACTIVE", None)
        assert not Image.objects.present().filter(name__endswith="-shelved").exists()

    @pytest.mark.parametrize("offloaded", [False, True])
    def test_deleting_it_deletes_its_image(self, cloud, server, offloaded):
        image, _ = self.shelve(cloud, server)
        if offloaded:
            self.offload(cloud, server)
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(server))
        fresh = cloud.fresh(server)
        if offloaded:
            with cloud.commits():
                cloud.hosts.broker.get_actor(lifecycle.FORGET).fn(server_id=server.pk, request_id=fresh.request_id)
        else:
            did(cloud, server, Action.DELETE)

        assert cloud.fresh(server).status == "DELETED"
        assert Image.objects.get(pk=image.pk).status == ImageStatus.DELETED
