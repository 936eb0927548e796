"""Leave out hosts on which this build was tried before."""

from compute.scheduler.core import HostState, RequestSpec


class RetryFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        return "this build was tried there before" if host.name in spec.attempted else None
