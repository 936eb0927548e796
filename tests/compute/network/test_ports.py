"""Ports: allocated with a device, bound, released."""

import uuid
from ipaddress import ip_address

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from compute.network import selectors
from compute.network.models import FixedAddress, Network, Port, SecurityGroup
from compute.network.models.network import bridge_name
from compute.network.services import addressing, declared_ports, ports, security_groups, seed
from portal.core.errors import BadRequest, Conflict


@pytest.fixture
def ctx(personas):
    return personas.member.ctx


@pytest.fixture
def private(db):
    return seed.seed()


def allocate(ctx, device="d1", networks=None, **more):
    return ports.allocate(ctx=ctx, project_id=ctx.project_id, device_id=device, networks=networks, **more)


def second_network(ctx, cidr="10.181.0.0/24"):
    network_id = str(uuid.uuid4())
    network = Network.objects.create(id=network_id, name="own", project_id=ctx.project_id, bridge=bridge_name(network_id))
    seed.make_subnet(network, seed.IPv4Network(cidr))
    return network


def test_a_device_gets_a_port_with_an_address(ctx, private):
    (port,) = allocate(ctx)
    address = ip_address(port.fixed_addresses.get().address)
    span = private.subnets.get().range
    assert address in span
    assert address not in (span.network_address, span.broadcast_address, span[1])
    assert port.mac_address.startswith("fa:16:3e:")
    assert (port.status, port.device_owner) == ("DOWN", "compute:nova")
    assert [group.name for group in port.security_groups.all()] == ["default"]


def test_a_large_range_is_given_out_to_its_last_address(ctx, private):
    network = second_network(ctx, "10.184.0.0/21")
    subnet, left = network.subnets.get(), {f"10.184.{block}.7" for block in range(1, 7)}
    every = [
        str(address) for address in subnet.range if address not in addressing.reserved(subnet) and str(address) not in left
    ]
    made = Port.objects.bulk_create(
        Port(network=network, project_id=ctx.project_id, mac_address=f"fa:16:3f:{at:08x}") for at in range(len(every) + 7)
    )
    FixedAddress.objects.bulk_create(
        FixedAddress(port=port, subnet=subnet, address=at) for port, at in zip(made, every, strict=False)
    )
    *waiting, last = made[len(every) :]
    assert {addressing.assign(port, subnet).address for port in waiting} == left
    with pytest.raises(Conflict, match="No fixed IP addresses available"):
        addressing.assign(last, subnet)


def test_none_means_none(ctx, private):
    assert allocate(ctx, networks="none") == []
    assert Port.objects.count() == 0


def test_without_a_choice_there_must_be_one_network(ctx, private):
    assert len(allocate(ctx, networks="auto")) == 1
    second_network(ctx)
    with pytest.raises(Conflict, match="Multiple possible networks"):
        allocate(ctx, device="d2")


def test_without_any_network(ctx, db):
    assert allocate(ctx) == []
    with pytest.raises(BadRequest, match="Unable to automatically allocate"):
        allocate(ctx, networks="auto")


def test_a_chosen_address(personas, private):
    ctx = personas.admin.ctx
    (port,) = allocate(ctx, networks=[{"uuid": private.pk, "fixed_ip": "10.180.0.77"}])
    assert port.fixed_addresses.get().address == "10.180.0.77"
    for taken_or_wrong in ("10.180.0.77", "10.180.0.0", "10.180.0.1", "10.180.0.255", "10.9.9.9", "x", "10.180.0.999", "::1"):
        with pytest.raises(BadRequest):
            allocate(ctx, device="d2", networks=[{"uuid": private.pk, "fixed_ip": taken_or_wrong}])
    assert Port.objects.filter(device_id="d2").count() == 0


def test_networks_that_are_not_the_callers(ctx, private, personas):
    foreign = second_network(personas.stranger.ctx)
    for wrong in (foreign.pk, str(uuid.uuid4()), "not-a-uuid", None, 7, ""):
        with pytest.raises(BadRequest):
            allocate(ctx, networks=[{"uuid": wrong}])


def test_a_port_that_exists(ctx, private, personas):
    (port,) = allocate(ctx, device="")
    assert [row.pk for row in allocate(ctx, device="d1", networks=[{"port": port.pk}])] == [port.pk]
    with pytest.raises(Conflict, match="still in use"):
        allocate(ctx, device="d2", networks=[{"port": port.pk}])
    with pytest.raises(BadRequest, match="could not be found"):
        allocate(personas.stranger.ctx, device="d3", networks=[{"port": port.pk}])
    assert ports.release("d1") == 1
    port.refresh_from_db()
    assert (port.device_id, port.fixed_addresses.count()) == ("", 1)


def test_release_frees_the_addresses(ctx, private):
    allocate(ctx, networks=[{"uuid": private.pk}, {"uuid": private.pk}])
    assert ports.release("d1") == 2
    assert ports.release("d1") == 0
    assert FixedAddress.objects.count() == 0


def test_an_address_belongs_to_one_port(ctx, private):
    one, other = allocate(ctx, networks=[{"uuid": private.pk}] * 2)
    held = one.fixed_addresses.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        FixedAddress.objects.create(port=other, subnet=held.subnet, address=held.address)


def test_a_full_network_refuses(ctx, db, settings):
    settings.NETWORK_CIDR = "10.180.0.0/29"
    private = seed.seed()
    for number in range(5):
        allocate(ctx, device=f"d{number}")
    held = set(FixedAddress.objects.values_list("address", flat=True))
    assert held == {f"10.180.0.{last}" for last in range(2, 7)}
    with pytest.raises(Conflict, match=f"No fixed IP addresses available for network: {private.pk}"):
        allocate(ctx, device="d9")
    assert not Port.objects.filter(device_id="d9").exists()


def test_a_lost_race_is_tried_again(ctx, private, monkeypatch):
    (first,) = allocate(ctx)
    taken = first.fixed_addresses.get().address
    guesses = iter([taken, taken, "10.180.0.200"])
    monkeypatch.setattr(addressing.random, "choice", lambda window: next(guesses))
    (second,) = allocate(ctx, device="d2")
    assert second.fixed_addresses.get().address == "10.180.0.200"


def test_security_groups_by_name_and_id(ctx, private, personas):
    web = SecurityGroup.objects.create(project_id=ctx.project_id, name="web")
    theirs = SecurityGroup.objects.create(project_id=personas.other.pk, name="theirs")
    (port,) = allocate(ctx, security_groups=["web", web.pk, "default"])
    assert sorted(group.name for group in port.security_groups.all()) == ["default", "web"]
    for wrong in ("no-such", theirs.pk, "theirs"):
        with pytest.raises(BadRequest, match="not found"):
            allocate(ctx, device="d2", security_groups=[wrong])
    SecurityGroup.objects.create(project_id=ctx.project_id, name="web")
    with pytest.raises(Conflict):
        allocate(ctx, device="d2", security_groups=["web"])


def test_the_default_group_is_made_once(ctx, db):
    group = security_groups.ensure_default(ctx.project_id)
    assert security_groups.ensure_default(ctx.project_id) == group
    assert group.rules.count() == 4
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityGroup.objects.create(project_id=ctx.project_id, name="default")


def test_what_a_host_is_told(ctx, private, settings):
    (port,) = allocate(ctx)
    (spec,) = selectors.interface_specs("d1")
    assert (spec.port_id, spec.mac) == (port.pk, port.mac_address)
    assert spec.addresses == [port.fixed_addresses.get().address]
    assert spec.network.name == f"{settings.NAME}-{private.pk[:8]}"
    assert len(spec.network.bridge) <= 15
    assert (spec.network.gateway_ip, spec.network.dhcp_start, spec.network.dhcp_end) == (
        "10.180.0.1",
        "10.180.0.2",
        "10.180.0.254",
    )
    ports.bind("d1", "host1", up=True)
    port.refresh_from_db()
    assert (port.host, port.status) == ("host1", "ACTIVE")


def test_addresses_of_many_devices_take_one_query(ctx, private):
    for number in range(5):
        allocate(ctx, device=f"d{number}")
    with CaptureQueriesContext(connection) as captured:
        found = selectors.addresses([f"d{number}" for number in range(5)] + ["no-such"])
    assert len(captured) == 1
    assert sorted(found) == [f"d{number}" for number in range(5)]
    assert found["d0"][0].network_label == "private"


def test_cards_come_in_the_order_of_the_request_whoever_made_the_ports(personas):
    network = seed.seed()
    ctx = personas.member.ctx
    own = declared_ports.create(ctx=ctx, network=network, values={})
    wanted = [{"uuid": network.pk}, {"port": own.pk}]
    made = ports.allocate(ctx=ctx, project_id=ctx.project_id, device_id="d9", networks=wanted)

    assert [spec.port_id for spec in selectors.interface_specs("d9")] == [port.pk for port in made]
    assert [port.pk for port in selectors.ports_of("d9")] == [port.pk for port in made]
