"""Identity as OpenStack's own test suite sees it."""

import pytest

from accounts.services import seed
from tests.conformance import tempest
from tests.e2e.cloud import Cloud

FEW = (
    "v3.test_tokens.TokensV3Test.test_create_token",
    "v3.test_api_discovery",
    "v3.test_catalog",
    "admin.v3.test_roles.RolesV3TestJSON.test_role_create_update_show_list",
    "admin.v3.test_projects.ProjectsTestJSON.test_project_create_with_parent",
)


@pytest.mark.real
def test_every_test_of_identity_passes(tmp_path):
    tests, cloud = tempest.listed("identity"), Cloud(driver="fake")
    try:
        cloud.up()
        outcome = tempest.run(tmp_path, cloud.url, cloud.password(), tests)
        assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output + cloud.logs()
    finally:
        cloud.down()


@pytest.mark.django_db(transaction=True)
def test_some_of_them_pass_without_an_installation(tmp_path, live_server, settings):
    settings.PUBLIC_URL, password = live_server.url, "pw-of-the-administrator"
    seed.seed(password, "pw-of-demo")
    tests = [name for name in tempest.listed("identity") if any(part in name for part in FEW)]

    outcome = tempest.run(tmp_path, live_server.url, password, tests)

    assert len(tests) >= len(FEW)
    assert (outcome.passed, outcome.skipped, outcome.failed) == (len(tests), 0, 0), outcome.output
