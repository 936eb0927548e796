"""Prefer hosts with many servers of a group that shall be together if possible."""

from compute.scheduler.core import HostState, RequestSpec


class ServerGroupSoftAffinityWeigher:
    def weigh(self, spec: RequestSpec, host: HostState) -> float:
        return float(spec.group_hosts.get(host.name, 0)) if spec.group_policy == "soft-affinity" else 0.0
