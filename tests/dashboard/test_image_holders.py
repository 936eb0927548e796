"""On which hosts an image lies, on its page: for operators alone."""

import pytest
from django.utils import timezone

from compute.models import Host, HostImage
from tests.kit.compute import HostFactory

pytestmark = pytest.mark.django_db

TITLE = "In the caches of hosts"


@pytest.fixture
def page(world):
    return f"/images/{world.image.pk}/"


def test_an_operator_sees_where_it_lies_and_what_went_wrong(browse, world, page):
    there, wanting = Host.objects.get(name="host1"), HostFactory(name="host2")
    fields = {"image_id": world.image.pk, "used_at": timezone.now()}
    HostImage.objects.create(host=there, state="cached", disks=2, size_bytes=5_000_000, **fields)
    HostImage.objects.create(host=wanting, state="failed", fault="It is <b>damaged</b>.", **fields)
    HostImage.objects.create(host=wanting, state="cached", image_id="another", disks=77)

    text = browse("admin").get(page).text

    for part in (TITLE, "host1", "2 disks", "host2", "Not fetched", "It is &lt;b&gt;damaged"):
        assert part in text, part
    assert "77 disks" not in text


def test_an_operator_sees_that_no_host_has_it(browse, page):
    assert "No host has it." in browse("admin").get(page).text


def test_others_are_not_told_of_hosts(browse, world, page):
    HostImage.objects.create(host=Host.objects.get(name="host1"), image_id=world.image.pk, state="cached")
    text = browse("member").get(page).text
    assert TITLE not in text
    assert "host1" not in text
