"""What was at these addresses once: upstream answers 410 to whoever still asks, and so do we (compute API reference, "Obsolete APIs")."""

from typing import Any

from rest_framework.request import Request

from compute.api.v2_1.base import ComputeView
from portal.core.errors import Gone

ITEMS = (
    "os-agents",
    "os-cells",
    "os-certificates",
    "os-cloudpipe",
    "os-fixed-ips",
    "os-floating-ip-dns",
    "os-floating-ips-bulk",
    "os-fping",
    "os-security-group-default-rules",
)
LISTS = tuple(name for name in ITEMS if name != "os-fixed-ips")


class RemovedView(ComputeView):
    """410 for whatever is asked."""

    def get(self, request: Request, **_names: Any) -> Any:
        raise Gone("This API was removed.")

    post = put = delete = get
