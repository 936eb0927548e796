"""Leave out hosts that cannot run the image: another architecture or another kind of hypervisor."""

from compute.scheduler.core import HostState, RequestSpec

_SAME = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_RUNS = {"kvm": {"kvm", "qemu"}, "qemu": {"kvm", "qemu"}}


class ImagePropertiesFilter:
    def refuse(self, spec: RequestSpec, host: HostState) -> str | None:
        wanted = spec.image_properties
        arch = (wanted.get("hw_architecture") or wanted.get("architecture") or "").lower()
        if arch and _SAME.get(arch, arch) != host.cpu_arch.lower():
            return f"the host is {host.cpu_arch}, the image is for {arch}"
        kind = (wanted.get("img_hv_type") or wanted.get("hypervisor_type") or "").lower()
        has = host.hypervisor_type.lower()
        if kind and has not in _RUNS.get(kind, {kind}):
            return f"the host runs {host.hypervisor_type}, the image is for {kind}"
        return None
