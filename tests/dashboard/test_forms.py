"""Forms: what a service refuses stands on the form, and nothing that was typed is lost."""

import base64
import re

import pytest
from django.urls import reverse

from accounts.services import quotas
from compute.models import Keypair, Server
from compute.network.services import seed
from compute.services import snapshots
from images.models import Image
from tests.accounts.factories import ServiceFactory
from tests.kit.compute import make_image

PRIVATE = {"name": "web", "count": "1", "key_name": "", "network": "", "user_data": ""}


def filled(world, **changes):
    return {**PRIVATE, "image": world.image.pk, "flavor": world.flavor.flavor_id, **changes}


def make_active(image_id):
    """Give an image content, as the host does that sends it."""
    content = {name: getattr(make_image(), name) for name in ("size", "checksum", "os_hash_algo", "os_hash_value")}
    Image.objects.filter(pk=image_id).update(status="active", **content)


def test_launching_makes_an_instance_and_leads_to_its_build_view(world, browse):
    answer = browse("member").post(
        "/instances/new/", filled(world, name="db", key_name="laptop", user_data="#!/bin/sh\r\ntrue\r\n")
    )

    made = Server.objects.get(name="db")
    assert answer.url == reverse("instances:detail", args=[made.pk])
    assert base64.b64decode(made.user_data) == b"#!/bin/sh\ntrue\n"
    assert made.key_name == "laptop"


def test_a_quota_that_is_reached_stands_on_the_form(world, browse):
    ServiceFactory(type="compute")
    quotas.set_limits(world.people.lab.pk, {"instances": 1})

    answer = browse("member").post("/instances/new/", filled(world, name="one-too-many", user_data="#!/bin/sh"))

    assert answer.status_code == 400
    assert "Quota exceeded for instances" in answer.text
    assert 'value="one-too-many"' in answer.text
    assert "#!/bin/sh</textarea>" in answer.text


def test_a_field_that_the_form_does_not_have_is_refused(world, browse):
    answer = browse("member").post("/instances/new/", filled(world, nmae="typo"))

    assert answer.status_code == 400
    assert "Unknown field: nmae." in answer.text


def test_a_filled_form_can_be_sent_as_a_link(world, browse):
    page = browse("member").get("/instances/new/", {"name": "class-{n}", "count": "3"}).text

    assert 'value="class-{n}"' in page
    assert "Launch 3 instances" in page


def test_the_summary_follows_the_form(world, browse):
    seed.seed()
    client = browse("member", **{"HX-Request": "true", "HX-Trigger-Name": "image"})
    part = client.post("/instances/new/preview/", filled(world, name="a b", count="2", key_name="laptop")).text

    assert "openstack server create &#x27;a b&#x27;" in part
    assert "--min 2" in part
    assert "3 / 10" in part
    assert 'hx-swap-oob="true"' in part


@pytest.mark.parametrize(
    ("line", "before", "changes", "after"),
    [
        ("script", "none", {"user_data": "#!/bin/sh"}, "given"),
        ("key", "laptop", {"key_name": ""}, "no key"),
        ("network", "", {"security_group": "default"}, "default"),
    ],
)
def test_the_lines_of_what_is_folded_follow_the_form(world, browse, line, before, changes, after):
    seed.seed()
    client = browse("member", **{"HX-Request": "true"})
    page = client.get("/instances/new/").text
    if "security_group" in changes:
        group = re.search(r'name="security_group" value="([^"]+)"', page)
        changes = {"security_group": group[1]}
    part = client.post("/instances/new/preview/", filled(world, **changes)).text

    assert before in re.search(f'<span class="text-secondary" id="chosen-{line}">([^<]*)</span>', page)[1]
    assert f'<span class="text-secondary" id="chosen-{line}" hx-swap-oob="true">{after}</span>' in part


def test_a_reader_sees_the_form_and_why_it_is_grey(world, browse):
    page = browse("reader").get("/instances/new/").text

    assert 'id="launch-button"' not in page
    assert reverse("instances:why-launch") in page
    assert "You are reader in lab." in page


def test_a_private_key_is_shown_once(world, browse):
    client = browse("member")
    made = client.post("/keys/new/", {"name": "fresh"})

    assert "PRIVATE KEY-----" in made.text
    assert "no-store" in made.headers["Cache-Control"]
    assert "PRIVATE KEY" not in client.get("/keys/").text
    assert Keypair.objects.filter(name="fresh").count() == 1


def test_a_taken_key_name_stands_on_the_form(world, browse):
    answer = browse("member").post("/keys/new/", {"name": "laptop"})

    assert answer.status_code == 400
    assert "already exists" in answer.text
    assert 'value="laptop"' in answer.text


def test_a_key_of_somebody_else_is_not_there(world, browse):
    key = Keypair.objects.get(name="laptop")

    assert browse("manager").post(reverse("keys:action", args=[key.pk, "delete"])).status_code == 404
    assert Keypair.objects.filter(pk=key.pk).exists()


def test_making_an_image_tells_the_browser_where_the_bytes_go(world, browse):
    fields = {"name": "new", "disk_format": "qcow2", "visibility": "private", "min_disk": "0", "min_ram": "0"}
    answer = browse("member", Accept="application/json").post("/images/new/", fields)

    image = Image.objects.get(name="new")
    assert answer.json()["upload"].startswith(f"/image/v2/images/{image.pk}/file?ticket=")
    assert answer.json()["detail"] == reverse("images:detail", args=[image.pk])


def test_an_upload_in_pieces_that_waits_for_the_rest_is_offered_to_go_on(world, browse):
    image = make_image(
        owner=world.people.lab.pk, status="saving", size=None, upload_id="u", upload_offset=2 << 20, upload_bytes=9 << 20
    )
    page = browse("member").get(reverse("images:detail", args=[image.pk])).text
    assert "Part of the data is missing" in page
    assert "Throw away" in page

    facts = browse("member", Accept="application/json").post(reverse("images:upload", args=[image.pk])).json()
    assert (facts["pieces"], facts["total"]) == (True, 9 << 20)
    assert facts["again"] == reverse("images:upload", args=[image.pk])


def test_a_refused_image_answers_in_words(world, browse):
    answer = browse("reader", Accept="application/json").post("/images/new/", {"name": "", "disk_format": "qcow2"})

    assert answer.status_code == 400
    assert "Name" in answer.json()["message"]


@pytest.mark.parametrize("who", ["member", "admin"])
def test_only_who_may_publish_is_offered_to(world, browse, who):
    assert ('value="public"' in browse(who).get("/images/new/").text) == (who == "admin")


@pytest.mark.parametrize("kind", ["image", "backup"])
def test_a_copy_of_an_instance_is_offered_but_not_chosen_for_launching(world, browse, kind):
    ctx = world.people.member.ctx
    if kind == "image":
        copy = snapshots.create_image(ctx=ctx, server=world.server, name="a-copy")
    else:
        copy = snapshots.create_backup(ctx=ctx, server=world.server, name="a-copy", backup_type="daily", rotation=1)
    make_active(copy)
    page = browse("member").get("/instances/new/").text

    assert f'<option value="{copy}">a-copy</option>' in page
    assert f'<option value="{world.image.pk}" selected>cirros</option>' in page


def test_a_copy_of_an_instance_is_chosen_where_there_is_no_other_image(world, browse):
    copy = snapshots.create_image(ctx=world.people.member.ctx, server=world.server, name="a-copy")
    make_active(copy)
    Image.objects.exclude(pk=copy).update(status="deactivated")

    assert f'<option value="{copy}" selected>a-copy</option>' in browse("member").get("/instances/new/").text


def test_kernels_and_ramdisks_are_not_offered_for_launching(world, browse):
    for kind in ("aki", "ari"):
        make_image(name=f"only-{kind}", container_format=kind, disk_format=kind)
    make_image(name="whole", container_format="ami", disk_format="ami")
    page = browse("member").get("/instances/new/").text

    assert "whole" in page
    assert "only-" not in page
