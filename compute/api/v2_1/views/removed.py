"""What was at these addresses once: upstream answers 410 to whoever still asks, and so do we (compute API reference, "Obsolete APIs")."""

from typing import Any

from rest_framework.request import Request

from compute import policies
from compute.api.v2_1 import versions
from compute.api.v2_1.base import ComputeView
from portal.core.errors import BadRequest, Gone, NotFound, NotOffered
from portal.core.policy import Rule, authorize

NAMES = ("os-agents", "os-cells", "os-certificates", "os-cloudpipe")


class RemovedView(ComputeView):
    """410 for whatever is asked."""

    def get(self, request: Request, **_names: Any) -> Any:
        raise Gone("This API was removed.")

    post = put = delete = get


class BareMetalView(ComputeView):
    """/os-baremetal-nodes and what is below it, up to 2.35 read from a service that is not there."""

    rule: Rule = policies.BARE_METAL_LIST

    def get(self, request: Request, **_names: Any) -> Any:
        authorize(self.ctx, self.rule)
        if self.version > versions.LAST_NETWORK_PROXY:
            raise NotFound("Resource", "", "The resource could not be found.")
        raise NotOffered("This cloud has no service for bare metal machines.")

    def post(self, request: Request, **_names: Any) -> Any:
        raise BadRequest("Bare metal machines cannot be changed through the compute API.")

    delete = post
