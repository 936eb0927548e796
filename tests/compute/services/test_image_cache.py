"""Which images lie on which hosts: what hosts tell, doubled, late and out of order; fetches ahead, removals; the command."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compute.messages import EvictImage, FetchImage, HeldImage, ImageNotFetched
from compute.models import Host, HostImage, Service
from compute.services import healing, image_cache
from compute.services import hosts as host_service
from compute.states import CacheState
from portal.core.errors import BadRequest, Conflict, Forbidden, NotFound
from tests.kit.compute import HostFactory, make_image

NOW = 1_800_000_000.0


def held(image_id, *, disks=0, bytes=1000, at=NOW - 100):
    return HeldImage(image_id, bytes, disks, at, at)


def tell(cloud, *images, at=NOW, host="host-1"):
    with cloud.commits():
        cloud.hosts[host].tell(replace(cloud.hosts[host].report(at=at), images=list(images)))


def rows(**which):
    return {(row.host.name, row.image_id): row.state for row in HostImage.objects.filter(**which).select_related("host")}


def warm(cloud, operator, **more):
    with cloud.commits():
        return image_cache.warm(ctx=operator, image=cloud.image, **more)


def test_the_rows_follow_the_reports(cloud):
    tell(cloud, held("red", disks=2), held("blue"))
    tell(cloud, held("blue", bytes=5), held("green"), at=NOW + 10)

    assert rows() == {("host-1", "blue"): "cached", ("host-1", "green"): "cached"}
    blue = HostImage.objects.get(image_id="blue")
    assert (blue.size_bytes, blue.disks, blue.used_at.timestamp()) == (5, 0, NOW - 100)


@pytest.mark.parametrize("seed", range(4))
def test_reports_doubled_and_shuffled_leave_what_the_last_one_says(cloud, seed):
    reports = [(NOW + n, [held(f"image-{n}"), held("always", disks=n)]) for n in range(5)] * 2
    random.Random(seed).shuffle(reports)

    for at, images in reports:
        tell(cloud, *images, at=at)

    assert rows() == {("host-1", "always"): "cached", ("host-1", "image-4"): "cached"}
    assert HostImage.objects.get(image_id="always").disks == 4


def test_a_report_that_says_nothing_of_images_changes_nothing(cloud):
    tell(cloud, held("red"))

    with cloud.commits():
        cloud.tell(cloud.box.report(at=NOW + 10))

    assert rows() == {("host-1", "red"): "cached"}


def test_a_report_like_the_last_one_costs_one_query_however_many_images(cloud):
    images = [held(f"image-{n}") for n in range(30)]
    host = Host.objects.get(name="host-1")
    image_cache.take_over(host, images, timezone.now())

    with CaptureQueriesContext(
        connection,
    ) as queries:
        image_cache.take_over(host, images, timezone.now())

    assert len(queries) == 1


def test_what_lay_on_a_host_that_is_gone_is_forgotten(cloud, operator):
    HostFactory(name="host-2")
    tell(cloud, held("red"))
    tell(cloud, held("red"), host="host-2")

    host_service.delete(ctx=operator, service=Service.objects.get(host="host-2"))

    assert rows() == {("host-1", "red"): "cached"}


def test_every_host_in_use_is_asked_for_an_image_once_and_what_a_build_checks_goes_along(cloud, operator):
    having = HostFactory(name="host-2")
    HostFactory(name="silent", service__seen_at=timezone.now() - timedelta(hours=1))
    HostFactory(name="closed", service__disabled=True)
    HostImage.objects.create(host=having, image_id=cloud.image.pk, state=CacheState.CACHED)

    assert warm(cloud, operator) == ["host-1"]

    (command,) = cloud.box.commands
    assert isinstance(command, FetchImage)
    assert (command.image.id, command.image.hash_value) == (cloud.image.pk, cloud.image.os_hash_value)
    assert "ticket=" in command.image.url
    assert not any(cloud.hosts[name].commands for name in ("host-2", "silent", "closed"))
    assert rows(state="queued") == {("host-1", cloud.image.pk): "queued"}


def test_a_wish_lasts_until_the_host_has_the_image(cloud, operator):
    warm(cloud, operator)
    tell(cloud, held("red"))
    assert rows(image_id=cloud.image.pk) == {("host-1", cloud.image.pk): "queued"}

    tell(cloud, held("red"), held(cloud.image.pk), at=NOW + 10)

    assert rows(image_id=cloud.image.pk) == {("host-1", cloud.image.pk): "cached"}


def test_why_an_image_was_not_fetched_is_kept_and_an_older_answer_is_not(cloud, operator):
    warm(cloud, operator)
    told = ImageNotFetched("host-1", cloud.image.pk, operator.request_id, "It does not match its checksum.")
    cloud.tell(replace(told, request_id="req-older"))
    assert HostImage.objects.get().state == "queued"

    cloud.tell(told)
    cloud.tell(told)

    row = HostImage.objects.get()
    assert (row.state, row.fault) == ("failed", told.fault)

    warm(cloud, operator)
    assert (HostImage.objects.get().state, HostImage.objects.get().fault) == ("queued", "")


def test_a_wish_whose_address_has_ended_has_failed(cloud, operator):
    warm(cloud, operator)
    healing.keep_house()
    assert HostImage.objects.get().state == "queued"

    HostImage.objects.update(asked_at=timezone.now() - timedelta(hours=7))
    healing.keep_house()

    assert HostImage.objects.get().state == "failed"
    assert "6 hours" in HostImage.objects.get().fault


def test_only_an_active_image_is_fetched_and_only_by_a_host_that_is_there(cloud, operator):
    queued = make_image(status="queued", size=None, checksum=None)
    with pytest.raises(BadRequest, match="is queued"):
        image_cache.warm(ctx=operator, image=queued)
    with pytest.raises(NotFound, match="no-such"):
        warm(cloud, operator, host="no-such")
    Service.objects.update(disabled=True)
    with pytest.raises(Conflict, match="No compute host"):
        warm(cloud, operator)
    assert warm(cloud, operator, host="host-1") == ["host-1"]


def test_members_neither_fetch_nor_evict(cloud, ctx):
    with pytest.raises(Forbidden):
        image_cache.warm(ctx=ctx, image=cloud.image)
    with pytest.raises(Forbidden):
        image_cache.evict(ctx=ctx, image_id=cloud.image.pk)
    with pytest.raises(Forbidden):
        image_cache.clear(ctx=ctx)


def test_an_image_is_evicted_where_no_disk_uses_it(cloud, operator):
    HostFactory(name="host-2")
    tell(cloud, held("red"), held("blue", disks=1))
    tell(cloud, held("red", disks=1), host="host-2")

    with cloud.commits():
        assert image_cache.evict(ctx=operator, image_id="red") == ["host-1"]

    assert cloud.box.commands == [EvictImage("red", operator.request_id)]
    assert cloud.hosts["host-2"].commands == []
    assert rows(image_id="red") == {("host-1", "red"): "leaving", ("host-2", "red"): "cached"}
    with pytest.raises(Conflict, match="used by servers on host-1"):
        image_cache.evict(ctx=operator, image_id="blue")


def test_an_image_told_to_go_is_there_again_when_its_host_says_so_later(cloud, operator):
    at = timezone.now().timestamp()
    tell(cloud, held("red"), at=at - 10)
    with cloud.commits():
        image_cache.evict(ctx=operator, image_id="red")

    tell(cloud, held("red"), at=at - 1)  # sent before the command
    assert rows() == {("host-1", "red"): "leaving"}
    tell(cloud, held("red", disks=1), at=at + 10)
    assert rows() == {("host-1", "red"): "cached"}


def test_evicting_what_is_only_asked_for_ends_the_fetch(cloud, operator):
    warm(cloud, operator)

    with cloud.commits():
        image_cache.evict(ctx=operator, image_id=cloud.image.pk)

    assert cloud.box.commands[-1] == EvictImage(cloud.image.pk, operator.request_id, cancels=operator.request_id)
    assert rows() == {}


@pytest.mark.parametrize(("target", "evicted"), [("", {"red", "wish"}), ("cache", {"red"}), ("queue", {"wish"})])
def test_clearing_leaves_what_disks_use(cloud, operator, target, evicted):
    tell(cloud, held("red"), held("used", disks=1))
    host = Host.objects.get(name="host-1")
    HostImage.objects.create(host=host, image_id="wish", state="queued", request_id="req-1", asked_at=timezone.now())

    with cloud.commits():
        image_cache.clear(ctx=operator, target=image_cache.Target(target))

    assert {command.image_id for command in cloud.box.commands} == evicted
    assert ("host-1", "wish") in rows() or "wish" in evicted


def run(cloud, *words):
    out = StringIO()
    with cloud.commits():
        call_command("image_cache", *words, stdout=out)
    return out.getvalue().strip()


def test_the_command_lists_fetches_and_evicts(cloud):
    assert run(cloud, "warm", "tiny") == "Asked to fetch it: host-1."
    assert "queued" in run(cloud, "list", "tiny")
    tell(cloud, held(cloud.image.pk))
    assert run(cloud, "warm", cloud.image.pk, "--host", "host-1") == "Every host has it already."

    (entry,) = json.loads(run(cloud, "list", "--json"))
    assert (entry["host"], entry["image_id"], entry["state"]) == ("host-1", cloud.image.pk, "cached")
    assert run(cloud, "evict", "tiny", "--host", "host-1") == "Asked to remove it: host-1."
    assert "leaving" in run(cloud, "list")
    tell(cloud, at=NOW + 10)
    assert run(cloud, "evict", "tiny") == "No host has it."


def test_the_command_says_what_is_wrong(cloud):
    with pytest.raises(CommandError, match="no image attic"):
        run(cloud, "warm", "attic")
    make_image(name="tiny")
    with pytest.raises(CommandError, match="Several images"):
        run(cloud, "evict", "tiny")
    tell(cloud, held("gone", disks=1))
    with pytest.raises(CommandError, match="used by servers"):
        run(cloud, "evict", "gone")
    with pytest.raises(CommandError, match="no-such"):
        run(cloud, "warm", cloud.image.pk, "--host", "no-such")
