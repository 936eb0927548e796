"""Leave out hosts without enough disk that is not promised yet."""

from compute.scheduler.core import HostState, RequestSpec


class DiskFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.disk_gb <= host.disk_gb_free:
            return None
        return f"{host.disk_gb_free:.0f} GB of disk free, {spec.disk_gb} GB asked"
