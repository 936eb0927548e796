"""A database put back from a backup, on a host that went on meanwhile: nothing that runs is lost, and each difference is told."""

import sqlite3
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from compute.models import Server, ServerFault
from compute.services import lifecycle, power
from compute.services.invariants import domains_and_rows
from compute.states import PowerState, VmState
from tests.compute.conductor.test_end_to_end import Everything

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases bring their own way of copying them"),
]


@pytest.fixture
def everything(cloud, tmp_path):
    return Everything(cloud, tmp_path)


@pytest.fixture
def backup():
    """A place for a copy of the database."""
    with closing(sqlite3.connect(":memory:")) as copy:
        yield copy


def save(backup):
    connection.ensure_connection()
    connection.connection.backup(backup)


def restore(backup):
    backup.backup(connection.connection)


def built(cloud, everything, **wish):
    server = cloud.create(**wish)
    everything.settle()
    return cloud.fresh(server)


def report(cloud, everything, seconds):
    """Have the host tell what it has, as it does every few seconds, and carry out what it is told then."""
    cloud.tell(cloud.box.report(everything.driver.guests(), at=timezone.now().timestamp() + seconds))
    everything.settle()


def test_what_a_host_did_since_the_backup_is_told_and_not_undone(cloud, everything, backup, caplog):
    deleted, started, shelved = [built(cloud, everything) for _ in range(3)]
    with cloud.commits():
        power.stop(ctx=cloud.again(), server=started)
    everything.settle()
    # Its row in the backup says that it is nowhere; it was built here again since.
    Server.objects.filter(pk=shelved.pk).update(vm_state=VmState.SHELVED_OFFLOADED, power_state=PowerState.NOSTATE, host=None)
    save(backup)
    Server.objects.filter(pk=shelved.pk).update(vm_state=VmState.ACTIVE, power_state=PowerState.RUNNING, host="host-1")

    new = built(cloud, everything)
    with cloud.commits():
        lifecycle.delete(ctx=cloud.again(), server=cloud.fresh(deleted))
        power.start(ctx=cloud.again(), server=cloud.fresh(started))
        power.reboot(ctx=cloud.again(), server=cloud.fresh(shelved), hard=True)
    everything.settle()
    running = {new.pk, started.pk, shelved.pk}
    assert {pk for pk, state in everything.driver.guests().items() if state == PowerState.RUNNING} == running
    restore(backup)

    for seconds in (10, 20, 30):
        report(cloud, everything, seconds)

    assert {pk for pk, state in everything.driver.guests().items() if state == PowerState.RUNNING} == running
    assert f"Host host-1 has guest {new.pk}, of which nothing is known here: it is left alone." in caplog.text
    assert f"Host host-1 still has guest {shelved.pk}: it is told to remove it." in caplog.text
    assert "Offload came again or too late; its outcome is told and nothing done" in caplog.text
    assert not Server.objects.filter(pk=new.pk).exists()
    assert cloud.fresh(started).vm_state == VmState.ACTIVE
    assert cloud.fresh(deleted).vm_state == VmState.ERROR
    assert "does not know this instance any more" in ServerFault.objects.get(server=deleted).message
    unowned = {f"guest {guest} on host-1 has no row that says so" for guest in (new.pk, shelved.pk)}
    assert set(domains_and_rows()) == unowned, "what `manage.py invariants` names"


def test_a_server_goes_on_by_what_is_asked_of_it_after_the_backup(cloud, everything, backup):
    server = built(cloud, everything)
    save(backup)
    for verb in (power.stop, power.start, power.stop):
        with cloud.commits():
            verb(ctx=cloud.again(), server=cloud.fresh(server))
        everything.settle()
    restore(backup)

    with cloud.commits():
        power.reboot(ctx=cloud.again(), server=cloud.fresh(server), hard=True)
    everything.settle()

    assert everything.driver.guests() == {server.pk: PowerState.RUNNING}
    assert (cloud.fresh(server).vm_state, cloud.fresh(server).task_state) == (VmState.ACTIVE, None)
