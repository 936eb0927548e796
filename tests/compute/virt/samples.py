"""Guests, networks and images to test with."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from compute.virt.driver import BuildProgress, GuestSpec, ImageRef, InterfaceSpec, NetworkSpec, Tell

SERVER_ID = "ba28c5ab-5e8c-4b45-8ddf-e8f5a7d5378d"


def image(name: str = "image", **fields: Any) -> ImageRef:
    known = ImageRef(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        url="http://127.0.0.1:1/none",
        size=0,
        hash_algo="sha256",
        hash_value="",
        disk_format="raw",
        container_format="bare",
    )
    return replace(known, **fields)


def network(name: str = "nebulet-net", bridge: str = "nebulet-br", octet: int = 77) -> NetworkSpec:
    return NetworkSpec(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        name=name,
        bridge=bridge,
        cidr=f"10.231.{octet}.0/24",
        gateway_ip=f"10.231.{octet}.1",
        dhcp_start=f"10.231.{octet}.2",
        dhcp_end=f"10.231.{octet}.254",
    )


def interface(number: int = 1, net: NetworkSpec | None = None, port_id: str | None = None) -> InterfaceSpec:
    net = net or network()
    prefix = net.cidr.rsplit(".", 1)[0]
    return InterfaceSpec(port_id or str(uuid.uuid4()), f"fa:16:3e:67:62:{number:02x}", [f"{prefix}.{10 + number}"], net)


def guest(**fields: Any) -> GuestSpec:
    known = GuestSpec(
        server_id=SERVER_ID,
        domain_name="instance-00000003",
        name="1111",
        created_at="2017-04-21T08:23:50Z",
        vcpus=1,
        memory_mb=512,
        root_gb=1,
        ephemeral_gb=0,
        swap_mb=0,
        flavor_name="m1.tiny",
        user_id="2ee93c4ca63c4257b0545230482947ff",
        user_name="admin",
        project_id="33c8ed8898ee44539376b6a6a2d5c361",
        project_name="admin",
        image=image(),
        interfaces=[interface(port_id="fd362a0a-7310-4d6f-8d5f-1f3a6e0a6a11")],
        meta_data={"uuid": SERVER_ID, "name": "1111", "hostname": "1111"},
    )
    return replace(known, **fields)


class OneFile:
    """An image cache that knows one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fetch(self, image: ImageRef, tell: Tell) -> Path:
        return self.path


def ignore(step: BuildProgress) -> None:
    """Nobody listens."""
