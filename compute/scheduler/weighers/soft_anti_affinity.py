"""Prefer hosts with few servers of a group that shall be apart if possible."""

from compute.scheduler.core import HostState, RequestSpec


class ServerGroupSoftAntiAffinityWeigher:
    def weigh(self, spec: RequestSpec, host: HostState) -> float:
        return -float(spec.group_hosts.get(host.name, 0)) if spec.group_policy == "soft-anti-affinity" else 0.0
