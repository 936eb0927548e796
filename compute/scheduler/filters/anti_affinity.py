"""Keep the servers of an anti-affinity group on different hosts, or so many of them on one as the group's rule says."""

from compute.scheduler.core import HostState, RequestSpec


class ServerGroupAntiAffinityFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.group_policy != "anti-affinity":
            return None
        there = spec.group_hosts.get(host.name, 0)
        if there < spec.group_max_per_host:
            return None
        return f"{there} server(s) of its group run there already"
