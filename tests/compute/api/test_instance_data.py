"""The door through which hosts ask what their guests may know."""

import pytest
from django.test import Client

from compute.models import Server
from compute.network.models import Port
from portal.core import bus, signing

ADDRESS = "/compute/instance-data"


@pytest.fixture
def ask(cloud):
    """Ask as the host of the member's server, with some of the ticket's facts changed."""

    def ask(method="get", body=None, purpose="instance-data", **changes):
        port = Port.objects.get(device_id=cloud.server.pk)
        facts = {"host": "host1", "server": cloud.server.pk, "port": port.pk, "deed": "read", "nonce": "1", **changes}
        headers = {"X-Nebulet-Ticket": signing.seal(bus.queue_key(), purpose, facts)}
        return getattr(Client(), method)(ADDRESS, data=body, content_type="text/plain", headers=headers)

    return ask


def test_a_host_learns_what_its_guest_may_know(ask, cloud):
    told = ask().json()

    assert told["meta_data"]["uuid"] == cloud.server.pk
    assert told["meta_data"]["meta"] == {"role": "web"}
    assert told["ec2_data"]["instance-type"] == cloud.server.flavor_name


def test_nothing_is_told_of_another_hosts_guest_or_with_anothers_card(ask, cloud):
    theirs = Port.objects.get(device_id=cloud.foreign.pk)

    assert ask(host="host2").status_code == 404
    assert ask(port=theirs.pk).status_code == 404
    assert ask(server=cloud.foreign.pk).status_code == 404
    assert ask(server=None).status_code == 404


def test_only_the_right_ticket_opens_the_door(ask, cloud):
    assert ask(purpose="relay").status_code == 401
    assert ask(deed="password").status_code == 401
    assert ask("post", "sealed").status_code == 401
    for headers in ({}, {"X-Nebulet-Ticket": "x"}, {"X-Nebulet-Ticket": "é"}, {"X-Instance-ID": cloud.server.pk}):
        assert Client().get(ADDRESS, headers=headers).status_code == 401


def test_the_first_password_of_a_guest_stays_and_is_its_owners_to_read(ask, cloud, personas):
    assert ask("post", "sealed==", deed="password").status_code == 204
    assert ask("post", "other", deed="password").status_code == 409
    assert Server.objects.get(pk=cloud.server.pk).sealed_password == "sealed=="
    assert ask().json()["password"] == "sealed=="
    address = f"/compute/v2.1/servers/{cloud.server.pk}/os-server-password"
    assert personas.member.api.get(address).json() == {"password": "sealed=="}
    assert personas.member.api.delete(address).status_code == 204
    assert ask("post", "another", deed="password").status_code == 204


@pytest.mark.parametrize("body", ["", "x" * 4_081, "two\nlines", b"\xff\x00"])
def test_what_is_no_sealed_password_is_refused(ask, cloud, body):
    assert ask("post", body, deed="password").status_code == 400
