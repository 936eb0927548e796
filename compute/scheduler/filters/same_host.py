"""Keep to a host on which one of the named servers is."""

from compute.scheduler.core import HostState, RequestSpec


class SameHostFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.same_hosts is None or host.name in spec.same_hosts:
            return None
        return "none of the servers that it shall be with is there"
