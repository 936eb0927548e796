"""Leave out hosts on which one of the named servers is."""

from compute.scheduler.core import HostState, RequestSpec


class DifferentHostFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        return "a server that it shall not be with is there" if host.name in spec.different_hosts else None
