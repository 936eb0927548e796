"""The small cloud of the kit."""

import pytest

from tests.kit.compute import *  # noqa: F403


@pytest.fixture
def server(cloud):
    """Return a server that was built."""
    return cloud.build()
