"""People and a small cloud for the tests of the compute API."""

from typing import Any

import pytest

from portal.core import bus
from tests.compute.api.world import furnish
from tests.kit.identity import personas  # noqa: F401


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.compute.api.urls"


@pytest.fixture
def cloud(personas: Any) -> Any:  # noqa: F811
    """Return a host, a flavor, an image, the member's server and a stranger's."""
    return furnish(personas)


@pytest.fixture
def sent() -> Any:
    """Return a function that tells which actors have messages in the outbox: nothing commits here, so nothing leaves."""
    return lambda: list(bus.OutboxMessage.objects.order_by("pk").values_list("actor", flat=True))
