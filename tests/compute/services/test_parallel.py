"""Many at once at the edge: what is limited is never exceeded, and nothing leaks."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connection

from accounts.services import quotas
from compute.messages import Spawn
from compute.models import Aggregate, Host, Server, Service
from compute.network.models import FixedAddress, Network
from compute.network.services import networks, subnets
from compute.services import aggregates, claims, invariants, lifecycle, resizing, shelving, usage
from compute.states import Action, VmState
from portal.core.errors import BadRequest, Conflict, QuotaExceeded
from tests.kit.compute import FlavorFactory, HostFactory

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8
MANY_THREADS = 64  # PostgreSQL takes 100 connections by default


def at_once(work, items, threads=THREADS) -> list:
    def one(item):
        try:
            return work(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, items))


def test_a_quota_holds_against_parallel_requests(cloud):
    quotas.set_limits(cloud.ctx.project_id, {"instances": 7})

    def ask(n: int) -> bool:
        try:
            lifecycle.create(
                ctx=cloud.again(), name=f"p{n}", flavor_id=cloud.flavor.flavor_id, image_id=cloud.image.pk, networks="auto"
            )
        except QuotaExceeded:
            return False
        return True

    assert at_once(ask, range(40)).count(True) == 7
    assert Server.objects.count() == 7
    assert FixedAddress.objects.values("address").distinct().count() == 7


def test_a_host_holds_against_parallel_builds(cloud):
    quotas.set_limits(cloud.ctx.project_id, dict.fromkeys(("instances", "cores", "ram"), -1))
    Host.objects.filter(pk=cloud.host.pk).update(disk_gb=9)
    servers = cloud.create_many(min_count=40)
    build = cloud.hosts.broker.get_actor(lifecycle.BUILD).fn
    at_once(lambda server: build(server_id=server.pk, request_id=server.request_id), servers * 2)
    assert Server.objects.filter(host="host-1").count() == 9
    assert Server.objects.filter(vm_state=VmState.ERROR, host=None).count() == 31
    assert cloud.used() == (9, 9 * 512, 9)
    assert sum(isinstance(command, Spawn) for command in cloud.box.commands) == 9


def test_parallel_builds_spread_over_equal_hosts(cloud):
    for name in ("host-2", "host-3"):
        HostFactory(name=name, **{field: getattr(cloud.host, field) for field in ("vcpus", "memory_mb", "disk_gb")})
    servers = cloud.create_many(min_count=9)
    build = cloud.hosts.broker.get_actor(lifecycle.BUILD).fn
    at_once(lambda server: build(server_id=server.pk, request_id=server.request_id), servers)
    assert Counter(Server.objects.values_list("host", flat=True)) == {"host-1": 3, "host-2": 3, "host-3": 3}


def test_a_host_ends_in_one_zone_whoever_asks_at_once(cloud, operator):
    groups = [aggregates.create(ctx=operator, name=f"g{n}", zone=f"zone-{n % 2}") for n in range(8)]

    def ask(aggregate: Aggregate) -> bool:
        try:
            aggregates.add_host(ctx=operator, aggregate=aggregate, host="host-1")
        except Conflict:
            return False
        return True

    assert at_once(ask, groups).count(True) == 4
    zone = Service.objects.get(host="host-1").zone
    assert {aggregate.zone for aggregate in Host.objects.get().aggregates.all()} == {zone}


def test_builds_are_in_the_zone_of_their_host_while_it_changes(cloud, operator):
    aggregate = aggregates.create(ctx=operator, name="rack", zone="west")
    servers = cloud.create_many(min_count=6)
    build = cloud.hosts.broker.get_actor(lifecycle.BUILD).fn

    def act(server: Server | None) -> None:
        if server is not None:
            return build(server_id=server.pk, request_id=server.request_id)
        with suppress(Conflict):  # a server was first
            aggregates.add_host(ctx=operator, aggregate=aggregate, host="host-1")
        return None

    at_once(act, [servers[0], None, *servers[1:]])
    zone = Service.objects.get(host="host-1").zone
    assert set(Server.objects.exclude(host=None).values_list("availability_zone", flat=True)) == {zone}


def test_a_quota_holds_against_parallel_growth_and_births(cloud):
    quotas.set_limits(cloud.ctx.project_id, {"cores": 12, "ram": -1, "instances": -1})
    big = FlavorFactory(flavor_id="big", vcpus=2, ram_mb=512, root_gb=1)
    Host.objects.filter(pk=cloud.host.pk).update(vcpus=100)
    servers = [cloud.build(networks="none") for _ in range(8)]

    def act(item: Server | int) -> bool:
        try:
            if isinstance(item, Server):
                resizing.resize(ctx=cloud.again(), server=item, flavor_id=big.flavor_id)
            else:
                cloud.create(name=f"p{item}", networks="none")
        except QuotaExceeded:
            return False
        return True

    mixed = [one for pair in zip(servers, range(8), strict=True) for one in pair]
    assert at_once(act, mixed).count(True) == 4
    for server in servers:
        if cloud.fresh(server).task_state:
            cloud.tell(cloud.box.finished(cloud.fresh(server), Action.RESIZE))
    assert sum(Server.objects.values_list("vcpus", flat=True)) == 12


def test_a_quota_holds_against_two_hundred_at_once(cloud):
    """Ten servers that may grow and ten that are shelved have half of the quota; creates, resizes and unshelves run for the rest."""
    quotas.set_limits(cloud.ctx.project_id, {"cores": 40, "ram": -1, "instances": -1})
    FlavorFactory(flavor_id="big", vcpus=2, ram_mb=512, root_gb=1)
    Host.objects.filter(pk=cloud.host.pk).update(vcpus=100)
    first, *servers = [cloud.build(networks="none") for _ in range(20)]
    growing, shelved = [first, *servers[:9]], servers[9:]
    for server in shelved:
        claims.give_back(server, server.host)
    Server.objects.filter(pk__in=[one.pk for one in shelved]).update(vm_state=VmState.SHELVED_OFFLOADED, host=None)
    for server in shelved:
        usage.follow(server.pk)
    asked = (
        [("create", n) for n in range(100)]
        + [("grow", one) for one in growing] * 6
        + [("unshelve", one) for one in shelved] * 4
    )
    random.Random(7).shuffle(asked)

    def act(wish: tuple[str, Server | int]) -> str:
        kind, what = wish
        try:
            if kind == "create":
                cloud.create(name=f"p{what}", networks="none")
            elif kind == "grow":
                resizing.resize(ctx=cloud.again(), server=cloud.fresh(what), flavor_id="big")
            else:
                shelving.unshelve(ctx=cloud.again(), server=cloud.fresh(what))
        except (QuotaExceeded, Conflict) as error:
            return type(error).__name__
        return kind

    done = Counter(at_once(act, asked, MANY_THREADS))

    assert len(asked) == 200
    assert done["create"] + done["grow"] == 20
    assert done["unshelve"] == 10
    assert done["QuotaExceeded"] + done["Conflict"] == 170
    for server in growing:
        if cloud.fresh(server).task_state:
            cloud.tell(cloud.box.finished(cloud.fresh(server), Action.RESIZE))
    assert sum(Server.objects.values_list("vcpus", flat=True)) == 40
    assert not list(invariants.claims_equal_servers())


def test_a_quota_holds_against_parallel_reverts_to_a_larger_size(cloud):
    quotas.set_limits(cloud.ctx.project_id, {"cores": 6, "ram": -1, "instances": -1})
    FlavorFactory(flavor_id="big", vcpus=2, ram_mb=1024, root_gb=1)
    servers = [cloud.build(networks="none", flavor_id="big") for _ in range(3)]
    for server in servers:
        with cloud.commits():
            resizing.resize(ctx=cloud.again(), server=server, flavor_id="1")
        cloud.tell(cloud.box.finished(cloud.fresh(server), Action.RESIZE))
    cloud.create_many(min_count=2, networks="none")

    def revert(server: Server) -> bool:
        try:
            resizing.revert(ctx=cloud.again(), server=cloud.fresh(server))
        except QuotaExceeded:
            return False
        return True

    assert at_once(revert, servers).count(True) == 1
    assert Server.objects.filter(vm_state=VmState.RESIZED, task_state=None).count() == 2


def test_what_is_shelved_still_counts_so_that_all_can_come_back_at_once(cloud):
    quotas.set_limits(cloud.ctx.project_id, {"instances": 3})
    servers = [cloud.build(networks="none") for _ in range(3)]
    Server.objects.update(vm_state=VmState.SHELVED_OFFLOADED, host=None)

    def act(item: Server | int) -> bool:
        try:
            if isinstance(item, Server):
                shelving.unshelve(ctx=cloud.again(), server=cloud.fresh(item))
            else:
                cloud.create(name=f"p{item}", networks="none")
        except QuotaExceeded:
            return False
        return True

    assert at_once(act, [*servers, *range(5)]) == [True] * 3 + [False] * 5


def test_of_overlapping_ranges_that_are_made_at_once_one_is(cloud):
    spans = ["10.77.0.0/16", "10.77.4.0/24", "10.77.0.0/20", "10.76.0.0/14"] * 2
    owned = [networks.create(ctx=cloud.ctx, values={"name": f"n{n}"}) for n in range(len(spans))]

    def ask(pair: tuple[Network, str]) -> bool:
        try:
            subnets.create(ctx=cloud.again(), network=pair[0], values={"cidr": pair[1]})
        except BadRequest:
            return False
        return True

    assert at_once(ask, zip(owned, spans, strict=True)).count(True) == 1
