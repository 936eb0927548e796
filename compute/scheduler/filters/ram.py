"""Leave out hosts without enough memory that is not promised yet."""

from compute.scheduler.core import HostState, RequestSpec


class RamFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.memory_mb <= host.memory_mb_free:
            return None
        return f"{host.memory_mb_free:.0f} MB of memory free, {spec.memory_mb} MB asked"
