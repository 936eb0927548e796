"""People and a small cloud for the tests of the compute API."""

from typing import Any

import pytest

from tests.compute.api.world import furnish
from tests.kit.identity import personas  # noqa: F401


@pytest.fixture
def cloud(personas: Any) -> Any:  # noqa: F811
    """Return a host, a flavor, an image, the member's server and a stranger's."""
    return furnish(personas)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages stay in the outbox: there is no queue here."""
    monkeypatch.setattr("portal.core.bus._deliver", lambda row: False)


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.compute.api.urls"
