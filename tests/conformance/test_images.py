"""Images as OpenStack's own test suite sees them."""

import pytest

from accounts.services import seed
from tests.conformance import tempest
from tests.e2e.cloud import Cloud

FEW = (
    "v2.admin.test_images.BasicOperationsImagesAdminTest.test_update_image_owner_param",
    "v2.test_images_member.ImagesMemberTest",
    "v2.test_images_member_negative",
    "v2.test_images_negative",
    "v2.test_images_tags.",
    "v2.test_versions",
)


@pytest.mark.real
def test_every_test_of_images_passes(tmp_path):
    tests, cloud = tempest.listed("image"), Cloud(driver="fake")
    try:
        cloud.up()
        outcome = tempest.run(tmp_path, cloud.url, cloud.password(), tests)
        assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + cloud.logs()
    finally:
        cloud.down()


@pytest.mark.django_db(transaction=True)
def test_those_that_send_no_bytes_pass_without_an_installation(tmp_path, live_server, settings):
    settings.PUBLIC_URL, password = live_server.url, "pw-of-the-administrator"
    seed.seed(password, "pw-of-demo")
    tests = [name for name in tempest.listed("image") if any(part in name for part in FEW)]

    outcome = tempest.run(tmp_path, live_server.url, password, tests)

    assert len(tests) >= len(FEW)
    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output
