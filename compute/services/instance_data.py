"""What a server may learn of itself, gathered from its row, its ports and the operator's vendor data."""

import base64
import secrets
from ipaddress import ip_address, ip_network
from typing import Any

from django.db import transaction

from compute.models import Server
from compute.network.selectors import CardAddress, NetworkCard, cards, group_names, has_card
from compute.services import passwords, vendor_data
from compute.virt.instance_data import InstanceData
from compute.virt.layout import target
from compute.virt.libvirt.metadata import addresses_on_buses
from compute.virt.naming import tap
from images.models import ImageProperty
from portal.core.errors import NotFound

SEED_BYTES = 512
_PARTS = {"kernel_id": ("kernel-id", "aki"), "ramdisk_id": ("ramdisk-id", "ari")}


def of_card(host: str, server_id: str, port_id: str) -> InstanceData:
    """Return what the server behind a network card is told; raises NotFound unless it is on that host with that card."""
    return collect(_behind(host, server_id, port_id))


@transaction.atomic
def keep_password(host: str, server_id: str, port_id: str, sealed: str) -> None:
    """Keep the password that a guest sealed with its owner's key, so that nobody here can read it. The first one stays."""
    passwords.keep(server=_behind(host, server_id, port_id), sealed=sealed)


def _behind(host: str, server_id: str, port_id: str) -> Server:
    server = Server.objects.present().select_related("number").filter(pk=server_id, host=host).first()
    if server is None or not has_card(server_id, port_id):
        raise NotFound("Instance", server_id)
    return server


def collect(server: Server) -> InstanceData:
    """Return all that the server is told, by whatever way."""
    plugged = cards(server.pk)
    return InstanceData(
        meta_data=meta_data(server, plugged),
        network_data=network_data(plugged),
        vendor_data=vendor_data.current(),
        ec2_data=ec2_data(server, plugged),
        user_data=server.user_data,
        files={_file_name(at): file["contents"] for at, file in enumerate(server.injected_files)},
        password=server.sealed_password,
    )


def meta_data(server: Server, plugged: list[NetworkCard]) -> dict[str, Any]:
    """Return the document ``openstack/latest/meta_data.json``."""
    found: dict[str, Any] = {
        "uuid": server.pk,
        "name": server.name,
        "hostname": server.hostname,
        "availability_zone": server.availability_zone,
        "launch_index": server.launch_index,
        "project_id": server.project_id,
        "devices": _devices(server, plugged),
        "dedicated_cpus": [],
        "random_seed": base64.b64encode(secrets.token_bytes(SEED_BYTES)).decode(),
    }
    if server.metadata:
        found["meta"] = server.metadata
    if server.injected_files:
        found["files"] = [
            {"content_path": f"/content/{_file_name(at)}", "path": file["path"]}
            for at, file in enumerate(server.injected_files)
        ]
    if server.key_name and server.public_key:
        kind = "x509" if server.public_key.startswith("-----BEGIN") else "ssh"
        found["public_keys"] = {server.key_name: server.public_key}
        found["keys"] = [{"name": server.key_name, "type": kind, "data": server.public_key}]
    return found


def network_data(plugged: list[NetworkCard]) -> dict[str, Any]:
    """Return the document ``openstack/latest/network_data.json``: where addresses come by DHCP, the guest is told just that."""
    links = [
        {
            "id": tap(card.port_id),
            "vif_id": card.port_id,
            "type": "bridge",
            "mtu": card.mtu,
            "ethernet_mac_address": card.mac,
        }
        for card in plugged
    ]
    pairs = [(card, address) for card in plugged for address in card.addresses]
    networks = [_network(f"network{place}", card, address) for place, (card, address) in enumerate(pairs)]
    resolvers = list(dict.fromkeys(one for _card, address in pairs for one in address.resolvers))
    return {"links": links, "networks": networks, "services": [{"type": "dns", "address": one} for one in resolvers]}


def ec2_data(server: Server, plugged: list[NetworkCard]) -> dict[str, Any]:
    """Return the tree of EC2's ``latest/meta-data``; a key ``_name`` is how a folder is called in the list of its parent."""
    own = next(
        (address.address for card in plugged for address in card.addresses if ip_address(address.address).version == 4), ""
    )
    found: dict[str, Any] = {
        "ami-id": _ec2_id("ami", server.image_id),
        "ami-launch-index": server.launch_index,
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": _disks(server),
        "hostname": server.hostname,
        "instance-action": "none",
        "instance-id": f"i-{server.number_id:08x}",
        "instance-type": server.flavor_name,
        "local-hostname": server.hostname,
        "local-ipv4": own,
        "placement": {"availability-zone": server.availability_zone or ""},
        "public-hostname": server.hostname,
        "public-ipv4": "",
        "reservation-id": server.reservation_id,
        "security-groups": group_names([server.pk]).get(server.pk, []),
    }
    parts = ImageProperty.objects.filter(image_id=server.image_id, name__in=_PARTS).values_list("name", "value")
    found |= {_PARTS[name][0]: _ec2_id(_PARTS[name][1], image_id) for name, image_id in parts}
    if server.key_name and server.public_key:
        found["public-keys"] = {"0": {"_name": f"0={server.key_name}", "openssh-key": server.public_key}}
    return found


def _ec2_id(kind: str, image_id: str | None) -> str:
    return f"{kind}-{(image_id or '')[:8] or '00000000'}"


def _disks(server: Server) -> dict[str, str]:
    bus = server.image_properties.get("hw_disk_bus", "virtio")
    names = ["root", *(["ephemeral0"] if server.ephemeral_gb else []), *(["swap"] if server.swap_mb else [])]
    found = {name: f"/dev/{target(bus, place)}" for place, name in enumerate(names)}
    return {"ami": found["root"].removeprefix("/dev/"), **found}


def _devices(server: Server, plugged: list[NetworkCard]) -> list[dict[str, Any]]:
    """Return the cards that people gave a tag; where on its buses each sits is known once the guest ran."""
    tagged = [card for card in plugged if card.tag]
    last = server.definitions.order_by("-created_at", "-pk").first() if tagged else None
    places = addresses_on_buses(last.xml) if last else {}
    return [
        {
            "type": "nic",
            "mac": card.mac,
            "tags": [card.tag],
            "bus": "pci" if card.mac in places else "none",
            "address": places.get(card.mac, "none"),
            "vf_trusted": False,
        }
        for card in tagged
    ]


def _network(name: str, card: NetworkCard, address: CardAddress) -> dict[str, Any]:
    version, span = ip_address(address.address).version, ip_network(address.cidr)
    found: dict[str, Any] = {
        "id": name,
        "type": f"ipv{version}_dhcp" if address.dhcp else f"ipv{version}",
        "link": tap(card.port_id),
        "network_id": card.network_id,
    }
    if address.dhcp:
        return found
    anywhere = "0.0.0.0" if version == 4 else "::"
    routes = [{"network": anywhere, "netmask": anywhere, "gateway": address.gateway}] if address.gateway else []
    for route in address.routes:
        target = ip_network(route["destination"])
        routes.append({"network": str(target.network_address), "netmask": str(target.netmask), "gateway": route["nexthop"]})
    return {
        **found,
        "ip_address": address.address,
        "netmask": str(span.netmask),
        "routes": routes,
        "services": [{"type": "dns", "address": one} for one in address.resolvers],
    }


def _file_name(at: int) -> str:
    return f"{at:04d}"
