"""The NUMA topology of a server as the compute API shows it (compute API reference, "Servers topology")."""

from typing import Any

from compute.models import Server
from compute.virt import hardware

_NODES = (("hw:numa_nodes", "extra_specs"), ("hw_numa_nodes", "image_properties"))
_SMALL_KB = 4  # the pages of an x86 processor


def topology(server: Server, *, with_host: bool) -> dict[str, Any]:
    """Return one node for a server whose flavor or image asks for nodes or for a size of memory pages, and none for others.

    Guests are bound to no node and to no processor of their host. How large the pages of ``large`` are, is their host's choice.
    """
    pages = _pages(server)
    if pages is None and not any(name in getattr(server, column) for name, column in _NODES):
        return {"nodes": [], "pagesize_kb": None}
    node: dict[str, Any] = {"memory_mb": server.ram_mb, "siblings": [], "vcpu_set": list(range(server.vcpus))}
    if with_host:
        node["cpu_pinning"] = {}
    return {"nodes": [node], "pagesize_kb": _size_kb(pages)}


def _pages(server: Server) -> str | None:
    """Return the size that was asked for, the image's before the flavor's."""
    asked = server.image_properties.get("hw_mem_page_size") or server.extra_specs.get("hw:mem_page_size")
    return str(hardware.check_spec("hw:mem_page_size", asked)) if asked else None


def _size_kb(pages: str | None) -> int | None:
    if pages in ("small", "any"):
        return _SMALL_KB
    return int(pages) if pages and pages.isdigit() else None
