"""Metadata definitions as OpenStack's own test suite sees them."""

import pytest

from accounts.models import Project
from accounts.services import seed
from images.services.metadefs import seeding
from portal.core.context import RequestContext, new_request_id
from tests.conformance import tempest


@pytest.mark.real
@pytest.mark.django_db(transaction=True)
def test_every_test_of_metadata_definitions_passes(tmp_path, live_server, settings):
    settings.PUBLIC_URL, password = live_server.url, "pw-of-the-administrator"
    seed.seed(password, "pw-of-demo")
    ctx, owner = RequestContext.for_conductor(new_request_id()), Project.objects.get(name="admin")
    seeding.seed(ctx=ctx, owner=owner.pk, wanted=seeding.shipped())
    tests = tempest.listed("metadefs")

    outcome = tempest.run(tmp_path, live_server.url, password, tests)

    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output
