"""The password of a guest's administrator: on its way it is sealed wherever it rests, and when the guest is there it is forgotten."""

import json
from dataclasses import asdict

import pytest

from compute.models import Server
from compute.services import administration, instance_data, rebuilding, rescuing
from compute.services.birth import Extras
from compute.states import Action, VmState
from compute.virt import admin_password
from compute.virt.errors import DriverError
from portal.core import bus
from portal.core.models import OutboxMessage

SECRET = "word-that-nobody-else-may-read"


def opened(sealed):
    return admin_password.opened(bus.queue_key(), sealed)


def everything_kept():
    rows = list(Server.objects.values("operation_details", "metadata", "user_data", "injected_files"))
    return json.dumps([*rows, *OutboxMessage.objects.values("payload")])


@pytest.fixture
def placed(cloud):
    return cloud.place(cloud.create(extras=Extras(admin_pass=SECRET)))


def test_the_host_alone_can_read_the_password_of_a_new_server(cloud, placed):
    command = cloud.box.commands[-1]
    assert opened(command.guest.admin_pass) == SECRET
    assert SECRET not in everything_kept() + json.dumps(asdict(command.guest)) + repr(command)


def test_nothing_of_the_password_is_left_once_the_server_is_built(cloud, placed):
    cloud.tell(cloud.box.finished(placed, Action.CREATE))
    assert cloud.fresh(placed).operation_details == {}


def test_nothing_of_the_password_is_left_when_the_build_failed_or_an_operator_ended_it(cloud, placed, operator):
    other = cloud.place(cloud.create(extras=Extras(admin_pass=SECRET)))
    cloud.tell(cloud.box.finished(placed, Action.CREATE, "No."))
    administration.reset_state(ctx=operator, server=other, vm_state=VmState.ERROR)
    assert [cloud.fresh(one).operation_details for one in (placed, other)] == [{}, {}]


def test_the_metadata_service_does_not_tell_it(cloud, placed):
    assert "admin_pass" not in instance_data.collect(placed).meta_data


def test_a_rebuild_takes_another_password_with_it(cloud):
    server = cloud.build(extras=Extras(admin_pass="the first"))
    with cloud.commits():
        rebuilding.rebuild(ctx=cloud.again(), server=server, image_id=cloud.image.pk, admin_pass=SECRET)
    command = cloud.box.commands[-1]
    assert opened(command.guest.admin_pass) == SECRET
    assert SECRET not in everything_kept() + repr(command)


def test_a_rescue_takes_a_password_with_it(cloud):
    server = cloud.build()
    with cloud.commits():
        rescuing.rescue(ctx=cloud.again(), server=server, admin_pass=SECRET)
    assert opened(cloud.box.commands[-1].rescue.admin_pass) == SECRET
    assert SECRET not in everything_kept()


def test_a_server_without_a_password_has_none(cloud):
    cloud.place(cloud.create())
    assert cloud.box.commands[-1].guest.admin_pass == ""


def test_what_another_key_sealed_is_refused():
    with pytest.raises(DriverError, match="cannot be read"):
        opened(admin_password.sealed(b"k" * 32, SECRET))
