"""A small project with one server, and a browser for each person."""

from types import SimpleNamespace

import pytest
from django.test import Client

from compute.models import Keypair
from tests.dashboard.world import make_server
from tests.kit.compute import FlavorFactory, HostFactory, make_image
from tests.kit.identity import personas  # noqa: F401


@pytest.fixture
def world(personas):  # noqa: F811
    """A host, a flavor, an image, a key and a running server of the project ``lab``."""
    ctx = personas.member.ctx
    HostFactory(name="host1")
    image = make_image(owner=ctx.project_id, name="cirros")
    flavor = FlavorFactory(flavor_id="1", name="m1.tiny")
    Keypair.objects.create(user_id=ctx.user_id, name="laptop", public_key="ssh-ed25519 AAAA", fingerprint="00:11")
    server = make_server(ctx, name="web-01", image_id=image.pk, project_name="lab", user_name="member")
    return SimpleNamespace(image=image, flavor=flavor, server=server, people=personas)


@pytest.fixture
def browse(personas):  # noqa: F811
    """Return somebody's browser by his name in the personas; a stranger to the cloud for None."""

    def browser(name, **headers):
        client = Client(raise_request_exception=True, headers=headers)
        return getattr(personas, name).sign_in(client) if name else client

    return browser
