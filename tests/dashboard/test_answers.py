"""How pages travel: compressed unless they hold a secret; an address for forms says so when it is opened."""

import pytest
from django.urls import reverse

GZIP = {"Accept-Encoding": "gzip"}


def test_a_list_is_compressed(world, browse):
    answer = browse("member", **GZIP).get("/instances/")

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]


@pytest.mark.parametrize(
    ("path", "form"), [("/keys/new/", {"name": "secret"}), ("/instances/{}/console/access/", {})], ids=["key", "console"]
)
def test_a_secret_is_not_compressed(world, browse, path, form):
    where = reverse("console:access", args=[world.server.pk]) if "console" in path else path
    answer = browse("member", **GZIP).post(where, form)

    assert answer.status_code == 200
    assert "Content-Encoding" not in answer


@pytest.mark.parametrize("who", [None, "member"])
@pytest.mark.parametrize("path", ["/account/sign-out/", "/account/language/", "/account/theme/"])
def test_an_address_for_forms_says_so(world, browse, who, path):
    answer = browse(who).get(path)

    assert answer.status_code == 405
    assert "only takes forms" in answer.text


@pytest.mark.parametrize("who", [None, "member"])
@pytest.mark.parametrize("path", ["/nothing/", "/instances/abc/", "/instances/%F0%9F/", "/images/zz/"])
def test_an_unknown_address_has_a_page(world, browse, who, path):
    answer = browse(who).get(path)

    assert answer.status_code == 404
    assert "There is no page at this address." in answer.text


def test_a_disk_of_no_size_is_as_large_as_the_image(world, browse):
    world.flavor.root_gb = 0
    world.flavor.save()
    type(world.server).objects.filter(pk=world.server.pk).update(root_gb=0)
    client = browse("member")

    for path in ("/instances/", "/instances/new/", "/flavors/"):
        page = client.get(path).text
        assert "image&#x27;s size" in page
        assert " 0 B" not in page
    assert "as large as the image" in client.get(reverse("instances:action", args=[world.server.pk, "delete"])).text
