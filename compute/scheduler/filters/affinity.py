"""Keep the servers of an affinity group on one host."""

from compute.scheduler.core import HostState, RequestSpec


class ServerGroupAffinityFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.group_policy != "affinity" or not spec.group_hosts or host.name in spec.group_hosts:
            return None
        return "the other servers of its group are on another host"
