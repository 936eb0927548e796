"""Leave out hosts without enough vCPUs that are not promised yet."""

from compute.scheduler.core import HostState, RequestSpec


class CoreFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if spec.vcpus > host.vcpus:
            return f"{spec.vcpus} vCPUs asked of a host with {host.vcpus}"
        if spec.vcpus <= host.vcpus_free:
            return None
        return f"{host.vcpus_free:.0f} vCPUs free, {spec.vcpus} asked"
