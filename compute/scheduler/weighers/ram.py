"""The host with most free memory first."""

from compute.scheduler.core import HostState, RequestSpec


class RamWeigher:
    def weigh(self, spec: RequestSpec, host: HostState) -> float:
        return host.memory_mb_free
