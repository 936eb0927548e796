"""The command that builds a guest: everything its host needs, config drive included."""

import base64
import secrets
from ipaddress import ip_address, ip_network
from typing import Any

from compute.messages import Spawn
from compute.models import Server
from compute.network.selectors import interface_specs
from compute.virt.driver import GuestSpec, ImageRef, InterfaceSpec
from images.models import Image
from images.selectors import get_image
from images.services import transfer
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import NotFound

SEED_BYTES = 512


def spawn_command(server: Server, image: Image) -> Spawn:
    """Return the command for a server's host; raises NotFound when a part of the image is gone."""
    interfaces = interface_specs(server.pk)
    properties = image.custom
    guest = GuestSpec(
        server_id=server.pk,
        domain_name=server.domain_name,
        name=server.name,
        created_at=server.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        vcpus=server.vcpus,
        memory_mb=server.ram_mb,
        root_gb=server.root_gb,
        ephemeral_gb=server.ephemeral_gb,
        swap_mb=server.swap_mb,
        flavor_name=server.flavor_name,
        user_id=server.user_id,
        user_name=server.user_name,
        project_id=server.project_id,
        project_name=server.project_name,
        image=reference(image),
        kernel=part(server, properties, "kernel_id"),
        ramdisk=part(server, properties, "ramdisk_id"),
        kernel_args=properties.get("os_command_line", ""),
        interfaces=interfaces,
        config_drive=server.config_drive,
        meta_data=meta_data(server) if server.config_drive else {},
        network_data=network_data(interfaces) if server.config_drive else {},
        user_data=server.user_data,
        files={_file_name(at): file["contents"] for at, file in enumerate(server.injected_files)},
        image_properties=properties,
        extra_specs=server.extra_specs,
    )
    return Spawn(server.pk, server.request_id, guest)


def _file_name(at: int) -> str:
    return f"{at:04d}"


def part(server: Server, properties: dict[str, str], name: str) -> ImageRef | None:
    """Return the kernel or ramdisk that the image names now.

    The name may have changed since the launch was accepted, so it is asked again whether the server's project may read it.
    """
    image_id = properties.get(name)
    if not image_id:
        return None
    project = RequestContext(
        request_id=server.request_id,
        user_id=server.user_id,
        project_id=server.project_id,
        roles=frozenset({"member", "reader"}),
    )
    return reference(get_image(project, image_id))


def reference(image: Image) -> ImageRef:
    """Return what a host needs to fetch an image and to check it; raises NotFound unless it is active."""
    if image.status != ImageStatus.ACTIVE:
        raise NotFound("Image", image.pk, f"Image {image.pk} is not active any more.")
    return ImageRef(
        id=image.pk,
        url=transfer.source_url(image),
        size=image.size or 0,
        hash_algo=image.os_hash_algo or "md5",
        hash_value=image.os_hash_value or image.checksum or "",
        disk_format=image.disk_format or "raw",
        container_format=image.container_format or "bare",
    )


def meta_data(server: Server) -> dict[str, object]:
    """Return the document ``openstack/latest/meta_data.json`` of the config drive."""
    found: dict[str, object] = {
        "uuid": server.pk,
        "name": server.name,
        "hostname": server.hostname,
        "availability_zone": server.availability_zone,
        "launch_index": server.launch_index,
        "project_id": server.project_id,
        "devices": [],
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
        found["public_keys"] = {server.key_name: server.public_key}
        found["keys"] = [{"name": server.key_name, "type": "ssh", "data": server.public_key}]
    return found


def network_data(interfaces: list[InterfaceSpec]) -> dict[str, object]:
    """Return the document ``openstack/latest/network_data.json`` of the config drive."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    resolvers: list[str] = []
    for card in interfaces:
        link = f"tap{card.port_id[:11]}"
        links.append(
            {
                "id": link,
                "vif_id": card.port_id,
                "type": "bridge",
                "mtu": card.network.mtu,
                "ethernet_mac_address": card.mac,
            }
        )
        for address in card.addresses:
            networks.append(_network(f"network{len(networks)}", link, card, address, first=not networks))
        if card.network.gateway_ip not in resolvers:
            resolvers.append(card.network.gateway_ip)
    return {
        "links": links,
        "networks": networks,
        "services": [{"type": "dns", "address": resolver} for resolver in resolvers],
    }


def _network(name: str, link: str, card: InterfaceSpec, address: str, first: bool) -> dict[str, Any]:
    span = ip_network(card.network.cidr)
    version = ip_address(address).version
    anywhere = "0.0.0.0" if version == 4 else "::"
    routes = [{"network": anywhere, "netmask": anywhere, "gateway": card.network.gateway_ip}] if first else []
    return {
        "id": name,
        "type": f"ipv{version}",
        "link": link,
        "network_id": card.network.id,
        "ip_address": address,
        "netmask": str(span.netmask),
        "routes": routes,
        "services": [{"type": "dns", "address": card.network.gateway_ip}],
    }
