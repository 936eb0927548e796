"""Leave out hosts that are silent or that an operator switched off."""

from compute.scheduler.core import HostState, RequestSpec


class ComputeFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        if not host.enabled:
            return f"disabled by an operator: {host.disabled_reason}" if host.disabled_reason else "disabled by an operator"
        return None if host.up else "the host is silent"
