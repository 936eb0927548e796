"""GET /extensions: the parts of this API under the names they had when they were extensions."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from compute import policies
from compute.api.v2_1.base import ComputeView
from portal.core.errors import NotFound
from portal.core.policy import authorize

_EXTENSIONS = {
    "consoles": "Consoles",
    "extensions": "Extensions",
    "flavors": "Flavors",
    "image-metadata": "ImageMetadata",
    "image-size": "ImageSize",
    "images": "Images",
    "ips": "Ips",
    "limits": "Limits",
    "os-attach-interfaces": "AttachInterfaces",
    "os-availability-zone": "AvailabilityZone",
    "os-config-drive": "ConfigDrive",
    "os-console-output": "ConsoleOutput",
    "os-extended-availability-zone": "ExtendedAvailabilityZone",
    "os-extended-server-attributes": "ExtendedServerAttributes",
    "os-disk-config": "DiskConfig",
    "os-extended-status": "ExtendedStatus",
    "os-flavor-access": "FlavorAccess",
    "os-flavor-extra-specs": "FlavorExtraSpecs",
    "os-flavor-manage": "FlavorManage",
    "os-hypervisors": "Hypervisors",
    "os-instance-actions": "InstanceActions",
    "os-keypairs": "Keypairs",
    "os-multiple-create": "MultipleCreate",
    "os-quota-sets": "Quotas",
    "os-remote-consoles": "Consoles",
    "os-personality": "Personality",
    "os-scheduler-hints": "SchedulerHints",
    "os-security-groups": "SecurityGroups",
    "os-server-usage": "ServerUsage",
    "os-server-diagnostics": "ServerDiagnostics",
    "os-server-groups": "ServerGroups",
    "os-server-password": "ServerPassword",
    "os-services": "Services",
    "os-user-data": "UserData",
    "server-metadata": "Server Metadata",
    "servers": "Servers",
    "versions": "Versions",
}


def _shown(alias: str) -> dict[str, Any]:
    return {
        "alias": alias,
        "name": _EXTENSIONS[alias],
        "description": "",
        "links": [],
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
    }


class ExtensionsView(ComputeView):
    """All of them."""

    def get(self, request: Request) -> Response:
        authorize(self.ctx, policies.EXTENSIONS)
        return Response({"extensions": [_shown(alias) for alias in _EXTENSIONS]})


class ExtensionView(ComputeView):
    """One of them."""

    def get(self, request: Request, alias: str) -> Response:
        authorize(self.ctx, policies.EXTENSIONS)
        if alias not in _EXTENSIONS:
            raise NotFound("Extension", alias, "The resource could not be found.")
        return Response({"extension": _shown(alias)})
