"""Servers as the compute API shows them (compute API reference, "Show Server Details").

A list of a thousand must be cheap: what is the same for all is worked out once in ``ServerPresenter``, and a row costs one
dict. Nothing here asks the database.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from compute.api.v2_1 import versions
from compute.api.v2_1.base import ROOT_DEVICE, Addresses
from compute.models import Server, ServerFault
from compute.network.selectors import Address
from compute.states import status
from portal.core.versions import Version

_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
_FAULTY = frozenset({"ERROR", "DELETED"})
_SERVER_ERROR = 500
_UNKNOWN = "UNKNOWN"


def second(value: datetime) -> str:
    """Return a time as most of the API writes it."""
    return f"{value.isoformat()[:19]}Z"


def microsecond(value: datetime | None) -> str | None:
    """Return a time as the older parts of the API write it: no zone, with microseconds."""
    if value is None:
        return None
    return f"{value.isoformat()[:19]}.{value.microsecond:06d}"


@lru_cache(maxsize=4096)
def host_id(project_id: str, host: str | None) -> str:
    """Return a name for the host that tells a project nothing but which of its servers share it."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ""


@dataclass(frozen=True)
class Surroundings:
    """What servers show that is not in their rows, by server id; ``host_statuses`` by host."""

    addresses: Mapping[str, Sequence[Address]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, ServerFault] = field(default_factory=dict)
    host_statuses: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """Which of the attributes that rules guard the caller may see; ``host_unknown``: that a host is silent, and no more of it."""

    extended: bool = False
    host_status: bool = False
    host_unknown: bool = False
    extra_specs: bool = False
    fault_details: bool = False


class ServerPresenter:
    """Makes the documents of one request."""

    def __init__(self, addresses: Addresses, version: Version, sight: Sight, around: Surroundings) -> None:
        self.addresses = addresses
        self.version = version
        self.sight = sight
        self.around = around
        self.has_extended = version >= versions.EXTENDED_ATTRIBUTES and sight.extended
        self.has_hostname = version >= versions.HOSTNAME or self.has_extended
        self.has_locked = version >= versions.LOCKED
        self.has_host_status = version >= versions.HOST_STATUS and (sight.host_status or sight.host_unknown)
        self.has_description = version >= versions.DESCRIPTION
        self.has_pinned_zone = version >= versions.PINNED_ZONE
        self.embeds_flavor = version >= versions.EMBEDDED_FLAVOR
        self.has_tags = version >= versions.TAGS
        self.has_image_properties = version >= versions.IMAGE_PROPERTIES
        self.has_hints = version >= versions.SCHEDULER_HINTS
        self.fixed_detail: dict[str, Any] = {"os-extended-volumes:volumes_attached": []}
        if version >= versions.TRUSTED_CERTIFICATES:
            self.fixed_detail["trusted_image_certificates"] = None
        self.has_locked_reason = version >= versions.LOCKED_REASON

    def brief(self, server: Server) -> dict[str, Any]:
        """Return the server as the short list shows it."""
        return {"id": server.id, "name": server.name, "links": self.addresses.links(f"servers/{server.id}")}

    def one(self, server: Server) -> dict[str, Any]:
        """Return the server as it is shown alone: from 2.71 with its group."""
        body = self.detail(server)
        if self.version >= versions.SERVER_GROUPS:
            body["server_groups"] = _groups(server)
        return body

    def updated(self, server: Server) -> dict[str, Any]:
        """Return the server as PUT answers: the core of the document before 2.75, all of it from then on."""
        if self.version >= versions.STRICT:
            return self.one(server)
        body = self._core(server, status(server.vm_state, server.task_state))
        body["addresses"] = addresses(self.around.addresses.get(server.id, ()))
        if self.has_locked:
            body["locked"] = server.locked
        if self.has_description:
            body["description"] = server.description
        if self.has_tags:
            body["tags"] = self._tags(server)
        if self.version >= versions.TRUSTED_CERTIFICATES:
            body["trusted_image_certificates"] = None
        if self.version >= versions.SERVER_GROUPS:
            body["server_groups"] = _groups(server)
        if self.has_locked_reason:
            body["locked_reason"] = server.locked_reason
        return body

    def detail(self, server: Server) -> dict[str, Any]:
        """Return the whole document."""
        body = self._core(server, status(server.vm_state, server.task_state))
        body.update(self.fixed_detail)
        body["OS-EXT-AZ:availability_zone"] = server.availability_zone or ""
        body["config_drive"] = "True" if server.config_drive else ""
        body["key_name"] = server.key_name
        body["OS-SRV-USG:launched_at"] = microsecond(server.launched_at)
        body["OS-SRV-USG:terminated_at"] = microsecond(server.deleted_at)
        body["OS-EXT-STS:task_state"] = server.task_state
        body["OS-EXT-STS:vm_state"] = server.vm_state
        body["OS-EXT-STS:power_state"] = server.power_state
        groups = self.around.groups.get(server.id)
        if groups:
            body["security_groups"] = [{"name": name} for name in groups]
        if self.sight.extended:
            body["OS-EXT-SRV-ATTR:host"] = server.host
            body["OS-EXT-SRV-ATTR:hypervisor_hostname"] = server.host
            body["OS-EXT-SRV-ATTR:instance_name"] = server.domain_name
        self._newer(body, server)
        return body

    def _core(self, server: Server, word: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": server.id,
            "name": server.name,
            "status": word,
            "tenant_id": server.project_id,
            "user_id": server.user_id,
            "metadata": server.metadata,
            "hostId": host_id(server.project_id, server.host),
            "image": self._image(server),
            "flavor": self._flavor(server),
            "created": second(server.created_at),
            "updated": second(server.updated_at),
            "addresses": self._addresses(server.id),
            "links": self.addresses.links(f"servers/{server.id}"),
            "accessIPv4": server.access_ip_v4,
            "accessIPv6": server.access_ip_v6,
            "OS-DCF:diskConfig": disk_config(server),
        }
        if word in _PROGRESS:
            body["progress"] = 100 if word == "ACTIVE" else 0
        elif word in _FAULTY and server.id in self.around.faults:
            body["fault"] = self._fault(self.around.faults[server.id])
        return body

    def _newer(self, body: dict[str, Any], server: Server) -> None:
        if self.has_hostname:
            body["OS-EXT-SRV-ATTR:hostname"] = server.hostname
        if self.has_extended:
            body["OS-EXT-SRV-ATTR:reservation_id"] = server.reservation_id
            body["OS-EXT-SRV-ATTR:launch_index"] = server.launch_index
            body["OS-EXT-SRV-ATTR:kernel_id"] = ""
            body["OS-EXT-SRV-ATTR:ramdisk_id"] = ""
            body["OS-EXT-SRV-ATTR:root_device_name"] = ROOT_DEVICE
            body["OS-EXT-SRV-ATTR:user_data"] = server.user_data
        if self.has_locked:
            body["locked"] = server.locked
        if self.has_locked_reason:
            body["locked_reason"] = server.locked_reason
        if self.has_host_status:
            body |= self._host_status(server)
        if self.has_description:
            body["description"] = server.description
        if self.has_tags:
            body["tags"] = self._tags(server)
        if self.has_pinned_zone:
            body["pinned_availability_zone"] = server.requested_zone
        if self.has_hints:
            body["scheduler_hints"] = server.scheduler_hints

    def _host_status(self, server: Server) -> dict[str, str]:
        word = self.around.host_statuses.get(server.host, _UNKNOWN) if server.host else ""
        return {"host_status": word} if self.sight.host_status or word == _UNKNOWN else {}

    def _image(self, server: Server) -> dict[str, Any] | str:
        if server.image_id is None:
            return ""
        body: dict[str, Any] = {"id": server.image_id, "links": self.addresses.bookmark(f"images/{server.image_id}")}
        if self.has_image_properties:
            body["properties"] = {
                name: value for name, value in server.image_properties.items() if not name.startswith("trait:")
            }
        return body

    def _tags(self, server: Server) -> list[str]:
        return list(self.around.tags.get(server.id, ()))

    def _flavor(self, server: Server) -> dict[str, Any]:
        if not self.embeds_flavor:
            return {"id": server.flavor_id, "links": self.addresses.bookmark(f"flavors/{server.flavor_id}")}
        body = {
            "vcpus": server.vcpus,
            "ram": server.ram_mb,
            "disk": server.root_gb,
            "ephemeral": server.ephemeral_gb,
            "swap": server.swap_mb,
            "original_name": server.flavor_name,
        }
        if self.sight.extra_specs:
            body["extra_specs"] = server.extra_specs
        return body

    def _addresses(self, server_id: str) -> dict[str, list[dict[str, Any]]]:
        shown: dict[str, list[dict[str, Any]]] = {}
        for item in self.around.addresses.get(server_id, ()):
            shown.setdefault(item.network_label, []).append(
                {
                    "addr": item.address,
                    "version": item.version,
                    "OS-EXT-IPS:type": item.type,
                    "OS-EXT-IPS-MAC:mac_addr": item.mac,
                }
            )
        return shown

    def _fault(self, fault: ServerFault) -> dict[str, Any]:
        body = {"code": fault.code, "created": second(fault.created_at), "message": fault.message}
        if fault.details and (self.sight.fault_details or fault.code != _SERVER_ERROR):
            body["details"] = fault.details
        return body


def disk_config(server: Server) -> str:
    """Return the word for how the guest's disk layout follows the flavor."""
    return "AUTO" if server.auto_disk_config else "MANUAL"


def _groups(server: Server) -> list[str]:
    return [server.group_id] if server.group_id else []


def addresses(found: Sequence[Address]) -> dict[str, list[dict[str, Any]]]:
    """Return a server's addresses by network, as "List Ips" shows them."""
    shown: dict[str, list[dict[str, Any]]] = {}
    for item in found:
        shown.setdefault(item.network_label, []).append({"addr": item.address, "version": item.version})
    return shown
