"""What hosts tell: doubled, out of order, late, or a lie."""

import random
from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from django.utils import timezone

from compute.messages import Destroy, GuestChanged
from compute.models import Server, ServerFault, Service
from compute.network.models import Port
from compute.selectors import is_up
from compute.services import power, snapshots
from compute.states import BUILD_STAGES, Action, PowerState, TaskState, VmState
from tests.kit.compute import HostFactory, ServerFactory

MEANT = ("vm_state", "task_state", "power_state", "host", "request_id", "operation", "availability_zone")


def row(server: Server) -> tuple:
    return Server.objects.filter(pk=server.pk).values_list(*MEANT).get()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fault", [None, "No space left on the host."])
def test_reports_doubled_and_shuffled_leave_the_same_row(cloud, seed, fault):
    server = cloud.place(cloud.create())
    box = cloud.box
    messages = [box.phase(server, stage, at=1e9 + n) for n, stage in enumerate(BUILD_STAGES[1:])]
    messages.append(box.finished(server, Action.CREATE, fault))
    messages *= 2
    random.Random(seed).shuffle(messages)
    for message in messages:
        cloud.tell(message)
    after = cloud.fresh(server)
    assert after.vm_state == (VmState.ERROR if fault else VmState.ACTIVE)
    assert after.task_state is None
    assert cloud.used() == ((0, 0, 0) if fault else (1, 512, 1))
    assert (after.host is None) == bool(fault)
    assert after.actions.count() == 1
    assert not after.actions.get().events.filter(finished_at=None).exists()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_stages_never_run_backwards_and_their_times_do_not_depend_on_the_order(cloud, order):
    server = cloud.place(cloud.create())
    reports = [cloud.box.phase(server, stage, at=2e9 + n) for n, stage in enumerate(BUILD_STAGES[1:])]
    seen = []
    for index in order:
        cloud.tell(reports[index])
        seen.append(BUILD_STAGES.index(cloud.fresh(server).task_state))
    assert seen == sorted(seen)
    assert cloud.fresh(server).task_state == TaskState.SPAWNING
    events = {event.name: event for event in server.actions.get().events.all()}
    names = [f"compute_{stage}" for stage in BUILD_STAGES]
    for before, after in pairwise(names):
        assert events[before].finished_at == events[after].started_at


def test_bytes_of_an_image_only_grow(cloud):
    server = cloud.place(cloud.create())
    stage = TaskState.BLOCK_DEVICE_MAPPING
    for done in (10, 50, 20):
        cloud.tell(cloud.box.phase(server, stage, bytes_done=done, bytes_total=100))
    event = server.actions.get().events.get(name="compute_block_device_mapping")
    assert (event.bytes_done, event.bytes_total) == (50, 100)


def test_a_failed_build_leaves_a_sentence_and_nothing_else(cloud):
    server = cloud.place(cloud.create())
    cloud.tell(cloud.box.finished(server, Action.CREATE, "The image is damaged."))
    server = cloud.fresh(server)
    assert (server.status, server.host) == ("ERROR", None)
    assert ServerFault.objects.get(server=server).message == "The image is damaged."
    assert cloud.used() == (0, 0, 0)
    assert not Port.objects.exists()
    assert server.actions.get().message == "Error"


def test_a_lying_host_changes_nothing(cloud):
    server = cloud.place(cloud.create())
    liar = cloud.hosts["liar"]
    before = row(server)
    with cloud.commits():
        for lie in (
            liar.phase(server, TaskState.SPAWNING),
            liar.finished(server, Action.CREATE),
            liar.finished(server, Action.CREATE, "no"),
            liar.finished(server, Action.DELETE),
            GuestChanged("liar", server.pk, PowerState.SHUTDOWN, 1.0),
            cloud.box.finished(server, Action.DELETE),
            cloud.box.finished(server, Action.STOP),
            liar.report({server.pk: PowerState.SHUTDOWN}),
        ):
            liar.tell(lie)
    assert row(server) == before
    assert not [command for command in liar.commands if isinstance(command, Destroy)]


def test_nonsense_is_dropped(cloud, caplog):
    receive = cloud.hosts.broker.get_actor("conductor.operation_finished").fn
    receive(host="host-1")
    receive(host=1, server_id=None, request_id=[], action="explode", fault=None, power_state=99)
    assert caplog.text.count("makes no sense") == 2


def test_a_guest_that_shuts_itself_down_is_stopped(cloud):
    server = cloud.build()
    now = timezone.now().timestamp()
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, now + 1))
    assert cloud.fresh(server).vm_state == VmState.STOPPED
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.RUNNING, now + 3))
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, now + 2))
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, now + 2))
    server = cloud.fresh(server)
    assert (server.vm_state, server.power_state) == (VmState.ACTIVE, PowerState.RUNNING)
    assert [action.user_id for action in server.actions.exclude(action=Action.CREATE)] == [None, None]


def test_news_from_before_an_operation_ended_changes_nothing(cloud):
    server = cloud.build()
    cloud.tell(GuestChanged("host-1", server.pk, PowerState.SHUTDOWN, timezone.now().timestamp() - 60))
    assert cloud.fresh(server).vm_state == VmState.ACTIVE


def test_the_first_report_makes_a_host_known(cloud):
    box = cloud.hosts["new"]
    box.tell(box.report(at=1e9))
    service = Service.objects.get(host="new")
    assert is_up(service)
    assert service.compute_host.memory_mb == 16384
    Service.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    for stale in (1e9, 1e9 - 10):
        box.tell(box.report(at=stale, memory_mb=1))
    service = Service.objects.get(host="new")
    assert not is_up(service)
    assert service.compute_host.memory_mb == 16384
    box.tell(box.report(at=1e9 - 3600))  # the host's clock was set back
    assert is_up(Service.objects.get(host="new"))


def test_power_states_follow_the_hosts_report(cloud):
    server = cloud.build()
    at = timezone.now().timestamp()
    cloud.tell(cloud.box.report({server.pk: PowerState.SHUTDOWN}, at=at + 5))
    assert cloud.fresh(server).vm_state == VmState.STOPPED


def test_a_missing_guest_is_an_error_only_at_the_second_report_and_mended_when_it_is_back(cloud):
    server = cloud.build()
    at = timezone.now().timestamp()
    cloud.tell(cloud.box.report({}, at=at + 5))
    assert cloud.fresh(server).vm_state == VmState.ACTIVE
    cloud.tell(cloud.box.report({}, at=at + 10))
    server = cloud.fresh(server)
    assert (server.vm_state, server.power_state, server.host) == (VmState.ERROR, PowerState.NOSTATE, "host-1")
    assert ServerFault.objects.get(server=server).code == 410
    cloud.tell(cloud.box.report({server.pk: PowerState.RUNNING}, at=at + 15))
    assert cloud.fresh(server).vm_state == VmState.ACTIVE


def test_strays_go_and_strangers_stay(cloud):
    HostFactory(name="host-2")
    gone = ServerFactory(vm_state=VmState.DELETED, deleted_at=timezone.now())
    elsewhere = ServerFactory(host="host-2")
    cloud.tell(cloud.box.report(dict.fromkeys([gone.pk, elsewhere.pk, "unknown"], PowerState.RUNNING)))
    [command] = cloud.box.commands
    assert (type(command), command.server_id) == (Destroy, gone.pk)
    assert command.request_id != gone.request_id, "a host may have carried out that one before"


def test_a_guest_of_which_nothing_is_known_is_named_once_until_it_was_gone(cloud, caplog):
    at = timezone.now().timestamp()
    for seconds, guests in enumerate([{"nobody": PowerState.RUNNING}] * 3 + [{}, {"nobody": PowerState.SHUTDOWN}]):
        cloud.tell(cloud.box.report(guests, at=at + seconds))
    assert caplog.text.count("Host host-1 has guest nobody, of which nothing is known here") == 2


def test_domains_of_somebody_else_are_counted_on_their_host(cloud):
    cloud.tell(cloud.box.report(foreign_guests=3))
    cloud.host.refresh_from_db()
    assert cloud.host.foreign_guests == 3


def test_a_server_whose_guest_went_off_while_it_was_copied_is_stopped(cloud):
    server = cloud.build()
    with cloud.commits():
        snapshots.create_image(ctx=cloud.again(), server=server, name="copy")
    server = cloud.fresh(server)
    cloud.tell(cloud.box.finished(server, Action.CREATE_IMAGE, power_state=PowerState.SHUTDOWN))
    cloud.tell(cloud.box.report({server.pk: PowerState.SHUTDOWN}, at=timezone.now().timestamp() + 5))
    assert cloud.fresh(server).vm_state == VmState.STOPPED


def test_the_log_shows_the_resources(cloud, caplog):
    with caplog.at_level("INFO"):
        cloud.tell(cloud.hosts["box-9"].report())
        cloud.tell(cloud.hosts["box-9"].report(at=timezone.now().timestamp() + 9))
    assert caplog.text.count("Final resource view: name=box-9 phys_ram=16384MB used_ram=0MB phys_disk=200GB") == 1


def test_a_start_that_changed_the_definition_is_kept_beside_the_one_before(cloud):
    server = cloud.build()
    texts = [f'<domain id="{start}"><vcpu>{vcpus}</vcpu></domain>' for start, vcpus in ((1, 1), (2, 1), (3, 2))]
    for text in texts:
        with cloud.commits():
            power.reboot(ctx=cloud.again(), server=cloud.fresh(server), hard=True)
        cloud.tell(cloud.box.finished(cloud.fresh(server), Action.REBOOT_HARD, definition=text))

    kept = list(cloud.fresh(server).definitions.exclude(xml="<domain/>").values_list("xml", flat=True))
    assert kept == [texts[0], texts[2]]
