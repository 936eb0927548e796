"""Network cards of a running server: asked for, plugged by the host, taken out, given up when nobody answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compute.models import Server, ServerAction
from compute.network.models import Port, SecurityGroup
from compute.network.selectors import interface_specs
from compute.network.services import declared_ports, networks, security_groups, subnets
from compute.port_messages import AttachInterface, DetachInterface, FiltersWanted, InterfaceChanged, SetFilters
from compute.services import interfaces, shelving, sweeps
from compute.states import Action, PowerState, TaskState, VmState
from compute.virt.driver import Wishes
from portal.core.errors import BadRequest, Conflict, Forbidden, NotFound
from tests.kit.compute import member


@pytest.fixture
def lab(ctx, cloud):
    """A second network, of the project's own."""
    network = networks.create(ctx=ctx, values={"name": "lab"})
    subnets.create(ctx=ctx, network=network, values={"cidr": "10.9.0.0/24"})
    return network


@pytest.fixture
def attach(cloud, server):
    def attach(**item):
        with cloud.commits():
            return interfaces.attach(ctx=cloud.again(), server=server, item=item)

    return attach


@pytest.fixture
def detach(cloud, server):
    def detach(port):
        with cloud.commits():
            interfaces.detach(ctx=cloud.again(), server=server, port_id=port.pk)
        return Port.objects.get(pk=port.pk)

    return detach


def told(cloud, kind):
    return [command for command in cloud.box.commands if isinstance(command, kind)]


def answer(cloud, port, *, attached, fault=None, request_id=None):
    report = InterfaceChanged("host-1", port.device_id, request_id or port.request_id, port.pk, attached, fault)
    cloud.tell(report)


def offloaded(cloud, server):
    """Take the server from its host, as one that was shelved."""
    Server.objects.filter(pk=server.pk).update(vm_state=VmState.SHELVED, task_state=None, shelved_image_id=cloud.image.pk)
    with cloud.commits():
        shelving.offload(ctx=member(roles=frozenset({"admin", "member", "reader"})), server=cloud.fresh(server))
    cloud.tell(cloud.box.finished(cloud.fresh(server), Action.SHELVE_OFFLOAD, power_state=PowerState.NOSTATE))
    assert cloud.fresh(server).vm_state == VmState.SHELVED_OFFLOADED


def log_of(server):
    return [(row.action, row.message, row.finished_at is not None) for row in ServerAction.objects.filter(server=server)]


class TestAttach:
    def test_a_card_on_a_network_is_plugged_by_the_host_and_then_carries_traffic(self, cloud, server, lab, attach):
        port = attach(uuid=lab.pk, tag="back")

        (command,) = told(cloud, AttachInterface)
        assert (command.server_id, command.interface.port_id, command.interface.tag) == (server.pk, port.pk, "back")
        assert (command.interface.network.nat, command.interface.network.cidr) == (False, "10.9.0.0/24")
        assert [group.id for group in command.groups] == command.interface.filter.groups
        assert port.status == "DOWN"
        answer(cloud, port, attached=True)

        port.refresh_from_db()
        assert (port.status, port.plug, port.position) == ("ACTIVE", "", 1)
        assert log_of(server)[0] == ("attach_interface", None, True)

    def test_the_host_is_told_each_time_of_what_kind_the_card_is(self, cloud, server, lab, attach):
        Server.objects.update(extra_specs={"hw:vif_multiqueue_enabled": "true"}, image_properties={"hw_vif_model": "e1000"})
        server.refresh_from_db()
        attach(uuid=lab.pk)
        Port.objects.exclude(plug="").update(plug_at=timezone.now() - timedelta(seconds=25))
        with cloud.commits():
            sweeps.sweep()

        first, again = told(cloud, AttachInterface)
        wishes = Wishes(1, {"hw:vif_multiqueue_enabled": "true"}, {"hw_vif_model": "e1000"})
        assert first.wishes == again.wishes == wishes

    def test_ones_own_port_is_taken_and_comes_back_free(self, cloud, server, lab, attach, detach):
        own = declared_ports.create(ctx=cloud.again(), network=lab, values={"name": "mine"})
        answer(cloud, attach(port=own.pk), attached=True)

        answer(cloud, detach(own), attached=False)

        own.refresh_from_db()
        assert (own.device_id, own.host, own.status, own.plug) == ("", "", "DOWN", "")
        assert own.fixed_addresses.exists()

    def test_a_fault_of_the_host_gives_the_address_back_and_is_told(self, cloud, server, lab, attach):
        port = attach(uuid=lab.pk)
        answer(cloud, port, attached=True, fault="no slot is free")

        assert not Port.objects.filter(pk=port.pk).exists()
        assert log_of(server)[0] == ("attach_interface", "Error", True)

    def test_what_is_refused(self, cloud, server, lab, attach):
        taken = Port.objects.get(device_id=server.pk)
        foreign = declared_ports.create(ctx=member("f" * 32, "e" * 32), network=taken.network, values={"project_id": "f" * 32})
        held = attach(uuid=lab.pk).fixed_addresses.get().address
        for item, error in (
            ({}, BadRequest),
            ({"uuid": "00000000-0000-4000-8000-000000000000"}, NotFound),
            ({"port": "00000000-0000-4000-8000-000000000000"}, NotFound),
            ({"port": foreign.pk}, NotFound),
            ({"port": taken.pk}, Conflict),
            ({"uuid": lab.pk, "fixed_ip": held}, Conflict),
            ({"uuid": lab.pk, "fixed_ip": "10.10.0.1"}, BadRequest),
        ):
            with pytest.raises(error):
                attach(**item)

    def test_on_a_shared_network_an_address_is_chosen_only_as_the_rule_of_ports_lets(self, cloud, server, attach):
        shared = Port.objects.get(device_id=server.pk).network
        with pytest.raises(Forbidden, match="create_port:fixed_ips:ip_address"):
            attach(uuid=shared.pk, fixed_ip=str(shared.subnets.get().range[77]))

    @pytest.mark.parametrize("states", [{"vm_state": "error"}, {"task_state": "rebooting"}, {"host": None}, {"locked": True}])
    def test_a_server_that_cannot_take_cards_refuses(self, cloud, server, lab, attach, states):
        Server.objects.filter(pk=server.pk).update(**states)
        server.refresh_from_db()
        with pytest.raises(Conflict):
            attach(uuid=lab.pk)


class TestDetach:
    def test_the_card_is_gone_when_the_host_said_so(self, cloud, server, lab, attach, detach):
        port = attach(uuid=lab.pk)
        answer(cloud, port, attached=True)

        port = detach(port)
        detach(port)

        (command,) = told(cloud, DetachInterface)
        assert (command.server_id, command.port_id) == (server.pk, port.pk)
        answer(cloud, port, attached=False)
        assert not Port.objects.filter(pk=port.pk).exists()
        assert log_of(server)[0] == ("detach_interface", None, True)

    def test_a_card_that_does_not_come_out_stays_and_works(self, cloud, server, lab, attach, detach):
        port = attach(uuid=lab.pk)
        answer(cloud, port, attached=True)
        port = detach(port)
        answer(cloud, port, attached=False, fault="the guest did not let go")

        port.refresh_from_db()
        assert (port.plug, port.status, port.device_id) == ("", "ACTIVE", server.pk)
        assert log_of(server)[0] == ("detach_interface", "Error", True)

    def test_a_card_that_is_not_there_yet_and_a_stranger_are_refused(self, cloud, server, lab, attach, detach):
        port = attach(uuid=lab.pk)
        with pytest.raises(Conflict):
            detach(port)
        with pytest.raises(NotFound):
            interfaces.detach(ctx=cloud.again(), server=server, port_id="00000000-0000-4000-8000-000000000000")


class TestDoublesAndSilence:
    def test_reports_that_are_doubled_late_or_of_another_request_change_nothing(self, cloud, server, lab, attach):
        port = attach(uuid=lab.pk)
        answer(cloud, port, attached=True, request_id="req-other")
        answer(cloud, port, attached=False)
        port.refresh_from_db()
        assert port.plug == "attach"

        answer(cloud, port, attached=True)
        answer(cloud, port, attached=True, fault="late news")
        port.refresh_from_db()
        assert (port.plug, port.status) == ("", "ACTIVE")

    def test_a_silent_host_is_asked_again_and_then_given_up(self, cloud, server, lab, attach, settings):
        port = attach(uuid=lab.pk)
        age(port, 30)
        for _ in range(2):
            with cloud.commits():
                sweeps.sweep()
        assert len(told(cloud, AttachInterface)) == 2

        age(port, settings.OPERATION_TIMEOUTS_S["power"] + 1)
        with cloud.commits():
            sweeps.sweep()

        assert not Port.objects.filter(pk=port.pk).exists()
        assert len(told(cloud, DetachInterface)) == 1
        assert log_of(server)[0] == ("attach_interface", "Error", True)

    def test_a_server_that_is_taken_from_its_host_keeps_the_card_that_was_to_come(self, cloud, server, lab, attach, settings):
        port = attach(uuid=lab.pk)
        offloaded(cloud, server)
        port.refresh_from_db()
        assert (port.plug, port.host, port.device_id, port.status) == ("", "", server.pk, "DOWN")
        assert ("attach_interface", None, True) in log_of(server)

        age(port, settings.OPERATION_TIMEOUTS_S["power"] + 1)
        before = len(cloud.hosts.broker.sent)
        with cloud.commits():
            sweeps.sweep()
        answer(cloud, port, attached=True, fault="The guest is gone.")
        assert len(cloud.hosts.broker.sent) == before
        assert Port.objects.filter(pk=port.pk).exists()
        assert port.pk in [card.port_id for card in interface_specs(server.pk)]

    def test_a_server_that_is_taken_from_its_host_loses_the_card_that_was_to_go(self, cloud, server, lab, attach, detach):
        port = attach(uuid=lab.pk)
        answer(cloud, port, attached=True)
        detach(port)
        offloaded(cloud, server)
        assert not Port.objects.filter(pk=port.pk).exists()
        assert log_of(server)[0][2] is True
        assert Port.objects.filter(device_id=server.pk).count() == 1

    def test_a_deleted_server_takes_its_half_plugged_cards_along(self, cloud, server, lab, attach):
        port = attach(uuid=lab.pk)
        from compute.network.services import ports

        ports.release(server.pk)
        answer(cloud, port, attached=True)
        assert not Port.objects.filter(pk=port.pk).exists()


def age(port, seconds):
    Port.objects.filter(pk=port.pk).update(plug_at=timezone.now() - timedelta(seconds=seconds))


class TestAddresses:
    def test_one_more_address_reaches_the_host_and_goes_again(self, cloud, server):
        port = Port.objects.get(device_id=server.pk)
        with cloud.commits():
            interfaces.add_fixed_ip(ctx=cloud.again(), server=server, network_id=port.network_id)
        first, second = (held.address for held in port.fixed_addresses.all())
        assert told(cloud, AttachInterface)[-1].interface.addresses == [first, second]

        with cloud.commits():
            interfaces.remove_fixed_ip(ctx=cloud.again(), server=server, address=second)
        assert told(cloud, AttachInterface)[-1].interface.addresses == [first]
        with pytest.raises(BadRequest):
            interfaces.remove_fixed_ip(ctx=cloud.again(), server=server, address=second)
        with pytest.raises(NotFound):
            interfaces.add_fixed_ip(ctx=cloud.again(), server=server, network_id="elsewhere")


class TestGroups:
    def test_joining_and_leaving_reach_the_host(self, cloud, server):
        group = security_groups.create(ctx=cloud.again(), values={"name": "web"})
        with cloud.commits():
            interfaces.add_security_group(ctx=cloud.again(), server=server, name="web")
            interfaces.add_security_group(ctx=cloud.again(), server=server, name=group.pk)
        assert group.pk in told(cloud, SetFilters)[-1].ports[0].groups

        with cloud.commits():
            interfaces.remove_security_group(ctx=cloud.again(), server=server, name="web")
        assert group.pk not in told(cloud, SetFilters)[-1].ports[0].groups
        for name in ("web", "nobody"):
            with pytest.raises(NotFound):
                interfaces.remove_security_group(ctx=cloud.again(), server=server, name=name)

    def test_a_build_carries_its_groups_and_tells_the_members_elsewhere(self, cloud, server):
        Port.objects.filter(device_id=server.pk).update(host="host-2")
        other = cloud.place(cloud.create())

        address = Port.objects.get(device_id=other.pk).fixed_addresses.get().address
        (group,) = [spec for command in cloud.hosts["host-2"].commands for spec in command.groups]
        assert address in group.members
        spawn = cloud.box.commands[-1]
        assert [spec.revision for spec in spawn.guest.groups] == [SecurityGroup.objects.get().revision]

    def test_a_host_that_came_up_hears_of_all_its_ports(self, cloud, server):
        cloud.tell(FiltersWanted("host-1", 1.0))

        (command,) = told(cloud, SetFilters)
        assert [one.port_id for one in command.ports] == [Port.objects.get(device_id=server.pk).pk]
        assert len(command.groups) == 1

    def test_a_host_that_came_up_hears_nothing_of_a_server_that_it_removes(self, cloud, server):
        Server.objects.filter(pk=server.pk).update(task_state=TaskState.DELETING)

        cloud.tell(FiltersWanted("host-1", 1.0))

        (command,) = told(cloud, SetFilters)
        assert (command.ports, command.groups) == ([], [])
