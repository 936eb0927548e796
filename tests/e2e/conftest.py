"""The clouds of end-to-end tests: one with guests for all of a run, and for each other module one whose host pretends."""

from collections.abc import Iterator

import pytest

from tests.e2e.cloud import Api, Cloud, free_port


@pytest.fixture(scope="session")
def cloud_with_guests() -> Iterator[Cloud]:
    """A cloud on real libvirt and QEMU, set up by the script that users run."""
    extra = {"NEBULET_VIEWER_PORT": str(free_port()), "NEBULET_GUESTS_MAY_REACH": f"tcp/{free_port()}"}
    with Cloud(extra=extra).running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def pretended_cloud() -> Iterator[Cloud]:
    """A cloud whose host runs nothing, and is the same in all else."""
    with Cloud(driver="fake").running() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """The cloud for a module: with guests only where it is marked as running some."""
    guests = request.node.get_closest_marker("hypervisor")
    return request.getfixturevalue("cloud_with_guests" if guests else "pretended_cloud")


@pytest.fixture
def api(cloud: Cloud) -> Api:
    return Api(cloud)
