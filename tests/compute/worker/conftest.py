from tests.compute.worker.world import world  # noqa: F401
from tests.kit.queue import private_redis  # noqa: F401
