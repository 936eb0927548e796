"""Console tokens, and the log put together from its parts."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts import contexts
from accounts.models import ApplicationCredential, Assignment, Role, User
from compute.models import ConsoleToken, Server
from compute.services import consoles, lifecycle
from compute.states import PowerState, VmState
from portal.core import bus, signing
from portal.core.errors import BadRequest, CloudError, Conflict, Forbidden
from tests.kit.compute import ServerFactory, member
from tests.kit.identity import personas  # noqa: F401


def test_an_access_is_good_once_and_only_its_digest_is_kept(cloud):
    server = cloud.build()
    access = consoles.issue(ctx=cloud.ctx, server=server)
    assert parse_qs(urlsplit(access.url).query)["path"] == [f"ws/vnc/?token={access.token}"]
    assert urlsplit(access.url).path == "/console/"
    assert access.websocket_path == f"/ws/vnc/?token={access.token}"
    row = ConsoleToken.objects.get()
    assert access.token not in str(vars(row))

    relay = consoles.redeem(access.token)
    assert relay.address == "unix:/nowhere"
    sealed = signing.unseal(bus.queue_key(), "relay", relay.ticket, 30)
    assert (sealed["server_id"], sealed["kind"]) == (server.pk, "vnc")
    with pytest.raises(Forbidden):
        consoles.redeem(access.token)


def test_no_access_with_a_made_up_old_or_orphaned_token(cloud):
    server = cloud.build()
    for token in ("", "x", "a" * 100_000):
        with pytest.raises(Forbidden):
            consoles.redeem(token)
    access = consoles.issue(ctx=cloud.ctx, server=server)
    ConsoleToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Forbidden):
        consoles.redeem(access.token)
    access = consoles.issue(ctx=cloud.ctx, server=server)
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=server)
    with pytest.raises(CloudError):
        consoles.redeem(access.token)


@pytest.mark.parametrize(
    ("vm_state", "power_state"),
    [
        (VmState.STOPPED, PowerState.SHUTDOWN),
        (VmState.ERROR, PowerState.RUNNING),
        (VmState.BUILDING, PowerState.NOSTATE),
        (VmState.SUSPENDED, PowerState.SHUTDOWN),
        (VmState.RESIZED, PowerState.SHUTDOWN),
    ],
)
def test_only_a_running_server_has_a_console(cloud, vm_state, power_state):
    server = ServerFactory(vm_state=vm_state, power_state=power_state, host=cloud.host.name)
    with pytest.raises(Conflict, match="not ready"):
        consoles.issue(ctx=cloud.ctx, server=server)


@pytest.mark.parametrize(
    ("vm_state", "power_state"),
    [
        (VmState.PAUSED, PowerState.PAUSED),
        (VmState.RESCUED, PowerState.RUNNING),
        (VmState.RESIZED, PowerState.RUNNING),
    ],
)
def test_a_guest_that_is_rescued_paused_or_waits_for_a_yes_can_be_seen(cloud, vm_state, power_state):
    server = cloud.build()
    Server.objects.filter(pk=server.pk).update(vm_state=vm_state, power_state=power_state)
    assert consoles.redeem(consoles.issue(ctx=cloud.ctx, server=Server.objects.get(pk=server.pk)).token).server_id == server.pk
    assert consoles.may_stay_open(server.pk, cloud.ctx)


def test_no_control_of_either_lot_reaches_a_terminal():
    assert consoles.without_control("a\x1b[2Jb\x9b2Jc\x7f\td\u00e9\n") == "a[2Jb2Jc\tdé\n"


def test_other_kinds_and_other_people_are_refused(cloud):
    server = cloud.build()
    with pytest.raises(BadRequest, match="console type"):
        consoles.issue(ctx=cloud.ctx, server=server, kind="rdp")
    for caller in (member("f" * 32), member(roles=frozenset({"reader"}))):
        with pytest.raises(Forbidden):
            consoles.issue(ctx=caller, server=server)


def test_an_open_console_ends_with_the_server_and_with_the_right(cloud):
    server = cloud.build()
    assert consoles.may_stay_open(server.pk, cloud.ctx)
    assert not consoles.may_stay_open(server.pk, member(roles=frozenset({"reader"})))
    assert not consoles.may_stay_open("gone", cloud.ctx)
    Server.objects.filter(pk=server.pk).update(vm_state=VmState.STOPPED)
    assert not consoles.may_stay_open(server.pk, cloud.ctx)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], b""),
        ([(0, b"abc"), (3, b"def")], b"abcdef"),
        ([(0, b"abc"), (0, b"abc"), (3, b"def")], b"abcdef"),
        ([(0, b"abc"), (3, b"def"), (0, b"abcdefg")], b"abcdefg"),
        ([(100, b"abc"), (103, b"d")], b"abcd"),
        ([(100, b"abc"), (0, b"xyz")], b"xyz"),
    ],
)
def test_parts_told_twice_stand_once(entries, text):
    assert consoles.joined([{b"o": str(offset).encode(), b"d": data} for offset, data in entries]) == text


def test_markers_are_no_text():
    assert consoles.joined([{b"o": b"0", b"d": b"a"}, {b"o": b"1", b"e": b"caught-up"}, {b"o": b"1", b"d": b"b"}]) == b"ab"


def test_a_log_that_began_anew_hides_the_old_one():
    restarted = {b"o": b"0", b"e": b"restarted"}
    assert consoles.joined([{b"o": b"50", b"d": b"old"}, restarted, {b"o": b"0", b"d": b"new"}]) == b"new"


def test_a_console_opened_by_its_token_ends_with_the_role_and_with_the_user(cloud, personas):  # noqa: F811
    server = ServerFactory(project_id=personas.lab.pk, host=cloud.host.name)
    relay = consoles.redeem(consoles.issue(ctx=personas.member.ctx, server=server).token)
    assert consoles.holder_may_go_on(relay)
    assignment = Assignment.objects.get(user=personas.member.user)
    assignment.delete()
    assert not consoles.holder_may_go_on(relay)
    assignment.save(force_insert=True)
    assert consoles.holder_may_go_on(relay)
    User.objects.filter(pk=personas.member.user.pk).update(enabled=False)
    assert not consoles.holder_may_go_on(relay)


@pytest.mark.parametrize("where", ["system", "domain"])
def test_a_console_of_somebody_in_no_project_ends_with_his_role_there(cloud, personas, where):  # noqa: F811
    server = ServerFactory(project_id=personas.lab.pk, host=cloud.host.name)
    operator, admin = personas.operator.user, Role.objects.get(name="admin")
    Assignment.objects.filter(user=operator).delete()
    if where == "system":
        assignment = Assignment.objects.create(user=operator, role=admin, system=True)
        ctx = contexts.system_context(operator, [admin])
    else:
        assignment = Assignment.objects.create(user=operator, role=admin, domain=operator.domain)
        ctx = contexts.domain_context(operator, operator.domain, [admin])
    relay = consoles.redeem(consoles.issue(ctx=ctx, server=server).token)
    assert consoles.holder_may_go_on(relay)
    assignment.delete()
    assert not consoles.holder_may_go_on(relay)


def test_a_console_opened_by_an_application_credential_ends_with_it(cloud, personas):  # noqa: F811
    server = ServerFactory(project_id=personas.lab.pk, host=cloud.host.name)
    credential = ApplicationCredential.objects.create(
        user=personas.member.user, project=personas.lab, name="robot", secret_hash="!"
    )
    credential.roles.set(Role.objects.filter(name="member"))
    ctx = replace(personas.member.ctx, application_credential_id=credential.pk)
    relay = consoles.redeem(consoles.issue(ctx=ctx, server=server).token)
    assert consoles.holder_may_go_on(relay)
    credential.delete()
    assert not consoles.holder_may_go_on(relay)
