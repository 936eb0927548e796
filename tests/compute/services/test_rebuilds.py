"""Rebuilds: what rows, images and messages become."""

import pytest

from compute.copy_messages import Rebuild
from compute.messages import UNTOUCHED
from compute.models import Server, ServerFault
from compute.network.models import Port
from compute.services import deferred, lifecycle, rebuilding, rebuilt, sweeps
from compute.states import Action, PowerState, VmState
from portal.core.errors import BadRequest, QuotaExceeded
from tests.compute.services.deeds import did
from tests.kit.compute import make_image


class TestRebuilds:
    def rebuild(self, cloud, server, image=None, **more):
        with cloud.commits():
            return rebuilding.rebuild(
                ctx=cloud.again(), server=cloud.fresh(server), image_id=(image or make_image(name="other")).pk, **more
            )

    def test_the_row_shows_the_new_image_at_once_and_ports_stay(self, cloud, server):
        before = list(Port.objects.filter(device_id=server.pk).values_list("pk", "mac_address"))
        image = make_image(name="other")

        self.rebuild(cloud, server, image, changes={"name": "renamed", "metadata": {"a": "b"}, "key_name": None})

        fresh = cloud.fresh(server)
        assert (fresh.image_id, fresh.name, fresh.metadata, fresh.status) == (image.pk, "renamed", {"a": "b"}, "REBUILD")
        command = cloud.box.commands[-1]
        assert isinstance(command, Rebuild)
        assert (command.guest.image.id, command.guest.name, command.start) == (image.pk, "renamed", True)
        assert list(Port.objects.filter(device_id=server.pk).values_list("pk", "mac_address")) == before

    def test_files_come_with_the_new_disk_within_their_quota(self, cloud, server):
        file = {"path": "/etc/new", "contents": "eA=="}
        with pytest.raises(QuotaExceeded, match="Personality file limit"):
            self.rebuild(cloud, server, changes={"injected_files": [file] * 6})
        self.rebuild(cloud, server, changes={"injected_files": [file]})

        guest = cloud.box.commands[-1].guest
        assert guest.meta_data["files"] == [{"path": "/etc/new", "content_path": "/content/0000"}]
        assert guest.files == {"0000": "eA=="}

    def test_what_is_not_named_stays(self, cloud, server):
        self.rebuild(cloud, server)

        fresh = cloud.fresh(server)
        assert (fresh.name, fresh.metadata, fresh.hostname) == (server.name, server.metadata, server.hostname)

    @pytest.mark.parametrize(
        ("state", "start", "power", "end"),
        [
            (VmState.ACTIVE, True, PowerState.RUNNING, VmState.ACTIVE),
            (VmState.STOPPED, False, PowerState.SHUTDOWN, VmState.STOPPED),
            (VmState.ERROR, True, PowerState.RUNNING, VmState.ACTIVE),
        ],
    )
    def test_it_ends_on_or_off_as_it_was(self, cloud, server, state, start, power, end):
        Server.objects.filter(pk=server.pk).update(vm_state=state)
        self.rebuild(cloud, server)
        assert cloud.box.commands[-1].start is start

        done = did(cloud, server, Action.REBUILD, power_state=power, definition="<domain/>")

        assert (done.vm_state, done.task_state) == (end, None)

    @pytest.mark.parametrize("how", ["told", "silent"])
    def test_one_that_fails_ends_in_error_with_a_sentence_and_another_works(self, cloud, server, how):
        self.rebuild(cloud, server)
        if how == "told":
            did(cloud, server, Action.REBUILD, fault="The image could not be fetched.")
        else:
            sweeps.expire(cloud.fresh(server), Action.REBUILD, 1800)

        assert cloud.fresh(server).vm_state == VmState.ERROR
        assert ServerFault.objects.get(server=server).message
        self.rebuild(cloud, server)
        assert did(cloud, server, Action.REBUILD).vm_state == VmState.ACTIVE

    def cut_off(self, cloud, server, settings):
        """A rebuild that a deletion cuts off which can be taken back; return the rebuild as its host knows it, and what the row said before."""
        settings.RECLAIM_INSTANCE_INTERVAL_S = 600
        before = {name: getattr(cloud.fresh(server), name) for name in rebuilt.OF_THE_DISK}
        file = {"path": "/etc/new", "contents": "eA=="}
        more = {"metadata": {"a": "b"}, "key_name": None, "user_data": "YQ==", "injected_files": [file]}
        self.rebuild(cloud, server, changes=more)
        cut = cloud.fresh(server)
        with cloud.commits():
            lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(server))
        assert cloud.fresh(server).image_id == cut.image_id != before["image_id"]
        return cut, before

    def restored(self, cloud, server):
        did(cloud, server, Action.SOFT_DELETE, power_state=PowerState.SHUTDOWN)
        with cloud.commits():
            deferred.restore(ctx=cloud.again(), server=cloud.fresh(server))
        return did(cloud, server, Action.RESTORE)

    @pytest.mark.parametrize("late", [False, True])
    def test_one_that_was_dropped_before_it_began_leaves_the_row_as_it_was(self, cloud, server, settings, late):
        Server.objects.filter(pk=server.pk).update(key_name="k", public_key="ssh-ed25519 k", metadata={"was": "here"})
        cut, before = self.cut_off(cloud, server, settings)
        dropped = cloud.box.finished(cut, Action.REBUILD, fault="This was given up.", facts={UNTOUCHED: True})
        if not late:
            cloud.tell(dropped)
        fresh = self.restored(cloud, server)
        if late:
            cloud.tell(dropped)
            fresh = cloud.fresh(server)

        assert {name: getattr(fresh, name) for name in before} == before
        assert (fresh.vm_state, fresh.rebuild) == (VmState.ACTIVE, {})

    def test_one_that_was_carried_out_all_the_same_is_what_the_row_says(self, cloud, server, settings):
        cut, _before = self.cut_off(cloud, server, settings)
        cloud.tell(cloud.box.finished(cut, Action.REBUILD))
        cloud.tell(cloud.box.finished(cut, Action.REBUILD, fault="This was given up.", facts={UNTOUCHED: True}))

        fresh = self.restored(cloud, server)

        assert (fresh.image_id, fresh.vm_state, fresh.rebuild) == (cut.image_id, VmState.ACTIVE, {})

    @pytest.mark.parametrize("late", [False, True])
    def test_one_that_was_cut_off_and_failed_is_seen_once_the_server_is_back(self, cloud, server, settings, late):
        cut, _before = self.cut_off(cloud, server, settings)
        failed = cloud.box.finished(cut, Action.REBUILD, fault="The disk of this host is full.")
        if not late:
            cloud.tell(failed)
        fresh = self.restored(cloud, server)
        if late:
            cloud.tell(failed)
            fresh = cloud.fresh(server)

        assert (fresh.vm_state, fresh.rebuild) == (VmState.ERROR, {})
        assert "rebuild" in ServerFault.objects.get(server=server).message
        self.rebuild(cloud, server)
        assert did(cloud, server, Action.REBUILD).vm_state == VmState.ACTIVE

    def test_an_image_that_does_not_fit_changes_nothing(self, cloud, server):
        with pytest.raises(BadRequest, match="Flavor's disk is too small"):
            self.rebuild(cloud, server, make_image(virtual_size=2 << 30))
        with pytest.raises(BadRequest, match="is not active"):
            self.rebuild(cloud, server, make_image(status="queued"))

        fresh = cloud.fresh(server)
        assert (fresh.task_state, fresh.image_id) == (None, server.image_id)
