"""What a guest may learn of itself, as files: on its config drive, and from the metadata service.

Three families of names for the same facts: OpenStack's, EC2's, and those of cloud-init's NoCloud.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from compute.virt.driver import GuestSpec
from compute.virt.errors import DriverError

Documents = dict[str, bytes]

# How a host proves to the control plane for which guest it asks.
TICKET_PURPOSE = "instance-data"
TICKET_HEADER = "X-Nebulet-Ticket"
READ, LEAVE_PASSWORD = "read", "password"
LONGEST_PASSWORD = 4_080


@dataclass(frozen=True)
class InstanceData:
    """The facts. ``user_data`` and ``files`` are base64; ``password`` is what the guest sealed for its owner."""

    meta_data: dict[str, Any] = field(default_factory=dict)
    network_data: dict[str, Any] = field(default_factory=dict)
    vendor_data: dict[str, Any] = field(default_factory=dict)
    ec2_data: dict[str, Any] = field(default_factory=dict)
    user_data: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    password: str = ""


def of(spec: GuestSpec) -> InstanceData:
    """Return what the guest is built with, the password of its administrator among it: of that nothing but its drive speaks."""
    return InstanceData(
        meta_data=with_password(spec.meta_data, spec.admin_pass),
        network_data=spec.network_data,
        vendor_data=spec.vendor_data,
        ec2_data=spec.ec2_data,
        user_data=spec.user_data,
        files=spec.files,
    )


def with_password(meta_data: dict[str, Any], admin_pass: str) -> dict[str, Any]:
    """Return the document with the password of the guest's administrator, if one was chosen."""
    return {**meta_data, "admin_pass": admin_pass} if admin_pass else meta_data


def openstack(data: InstanceData) -> Documents:
    """Return the files of ``openstack/latest``; user data only if there is any."""
    found = {
        "meta_data.json": _json(data.meta_data),
        "network_data.json": _json(data.network_data),
        "vendor_data.json": _json(data.vendor_data),
        "vendor_data2.json": _json({"static": data.vendor_data}),
    }
    return {**found, **_user_data(data, "user_data")}


def ec2(data: InstanceData) -> Documents:
    """Return the files of ``ec2/latest``."""
    return {"meta-data.json": _json(data.ec2_data), **_user_data(data, "user-data")}


def nocloud(data: InstanceData) -> Documents:
    """Return the files that cloud-init's NoCloud wants at the root; it does without none of the first two. JSON is YAML too."""
    meta_data = {
        "instance-id": data.meta_data.get("uuid", ""),
        "local-hostname": data.meta_data.get("hostname", ""),
        "availability-zone": data.meta_data.get("availability_zone"),
        "public-keys": data.meta_data.get("public_keys", {}),
    }
    found = {"user-data": b"", "meta-data": _json(meta_data), "network-config": _json(_netplan(data.network_data))}
    vendor = data.vendor_data.get("cloud-init")
    if isinstance(vendor, str):
        found["vendor-data"] = vendor.encode()
    return {**found, **_user_data(data, "user-data")}


def contents(data: InstanceData) -> Documents:
    """Return the files of ``openstack/content``: what the server was told to be born with."""
    return {name: decoded(text, "A file that was given to the server is") for name, text in data.files.items()}


def decoded(text: str, what: str) -> bytes:
    """Return the bytes of base64 text; raises DriverError, whose sentence begins with ``what``."""
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error as error:
        raise DriverError(f"{what} not base64.") from error


def _user_data(data: InstanceData, name: str) -> Documents:
    return {} if data.user_data is None else {name: decoded(data.user_data, "The user data is")}


def _netplan(network_data: dict[str, Any]) -> dict[str, Any]:
    """Return the network as cloud-init's second version of network configuration has it; cards are known by their address."""
    cards: dict[str, dict[str, Any]] = {}
    for link in network_data.get("links", []):
        cards[link["id"]] = {"match": {"macaddress": link["ethernet_mac_address"]}, "mtu": link["mtu"]}
    for network in network_data.get("networks", []):
        _configure(cards[network["link"]], network)
    return {"version": 2, "ethernets": cards}


def _configure(card: dict[str, Any], network: dict[str, Any]) -> None:
    if network["type"].endswith("_dhcp"):
        card[f"dhcp{network['type'][3]}"] = True
        return
    card.setdefault("addresses", []).append(f"{network['ip_address']}/{_bits(network['netmask'])}")
    for route in network.get("routes", []):
        to = f"{route['network']}/{_bits(route['netmask'])}"
        card.setdefault("routes", []).append({"to": to, "via": route["gateway"]})
    resolvers = [service["address"] for service in network.get("services", []) if service["type"] == "dns"]
    if resolvers:
        known = card.setdefault("nameservers", {"addresses": []})["addresses"]
        known.extend(one for one in resolvers if one not in known)


def _bits(netmask: str) -> int:
    """Return how many bits a netmask has, of either version."""
    return int(ip_address(netmask)).bit_count()


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
