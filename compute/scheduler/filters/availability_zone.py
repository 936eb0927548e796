"""Keep to the availability zone, or the very host, that was asked for."""

from compute.scheduler.core import HostState, RequestSpec


class AvailabilityZoneFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.zone is not None and host.zone != spec.zone:
            return f"in zone {host.zone}, asked for zone {spec.zone}"
        if spec.host is not None and host.name != spec.host:
            return "another host was asked for"
        return None
