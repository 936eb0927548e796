"""The small cloud of the kit."""

from tests.kit.compute import *  # noqa: F403
