"""One real cloud for all end-to-end tests of a run."""

from collections.abc import Iterator

import pytest

from tests.e2e.cloud import Api, Cloud, free_port


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A cloud on real libvirt and QEMU, set up by the script that users run."""
    with Cloud(extra={"NEBULET_VIEWER_PORT": str(free_port())}).running() as cloud:
        yield cloud


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return Api(cloud)
