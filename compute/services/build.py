"""The command that builds a guest: everything its host needs, config drive included."""

from django.utils.translation import gettext as _

from compute.messages import Spawn
from compute.models import Server
from compute.network.selectors import group_specs, interface_specs
from compute.services import instance_data
from compute.virt.driver import GuestSpec, ImageRef
from compute.virt.instance_data import InstanceData
from images.models import Image
from images.selectors import get_image
from images.services import transfer
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.errors import NotFound


def spawn_command(server: Server, image: Image) -> Spawn:
    """Return the command for a server's host; raises NotFound when a part of the image is gone."""
    properties, told = image.custom, instance_data.collect(server) if server.config_drive else InstanceData()
    interfaces = interface_specs(server.pk)
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
        groups=group_specs({group for card in interfaces if card.filter for group in card.filter.groups}),
        config_drive=server.config_drive,
        meta_data=told.meta_data,
        network_data=told.network_data,
        vendor_data=told.vendor_data,
        ec2_data=told.ec2_data,
        user_data=told.user_data,
        files=told.files,
        image_properties=properties,
        extra_specs=server.extra_specs,
        admin_pass=server.operation_details.get("admin_pass", ""),
    )
    return Spawn(server.pk, server.request_id, guest)


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
        raise NotFound("Image", image.pk, _("Image %(id)s is not active any more.") % {"id": image.pk})
    return ImageRef(
        id=image.pk,
        url=transfer.source_url(image),
        size=image.size or 0,
        hash_algo=image.os_hash_algo or "md5",
        hash_value=image.os_hash_value or image.checksum or "",
        disk_format=image.disk_format or "raw",
        container_format=image.container_format or "bare",
    )
