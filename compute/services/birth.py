"""The row of a new server, and what a launch may say beyond image, flavor and networks."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from compute.models import Flavor, Server, ServerNumber, ServerTag
from compute.models.host import new_uuid
from compute.services import launch
from compute.services.destination import Destination
from compute.states import Action, TaskState, VmState
from compute.virt import admin_password
from images.models import Image
from portal.core import bus
from portal.core.context import RequestContext
from portal.core.errors import BadRequest

_PROPERTY_MAX = 255
_DRIVE = "img_config_drive"
_NO = frozenset({"0", "f", "false", "off", "n", "no"})


@dataclass(frozen=True)
class Extras:
    """What few launches say.

    ``files`` are mappings of ``path`` and ``contents`` (base64), written into the guest through its config drive; ``ephemeral_gb`` and
    ``swap_mb`` are the sizes of local disks that were asked for by name, None when the flavor decides. The guests find
    ``admin_pass`` on their config drives.
    """

    tags: Sequence[str] = ()
    hints: Mapping[str, Any] = field(default_factory=dict)
    host: str | None = None
    hypervisor_hostname: str | None = None
    files: Sequence[Mapping[str, str]] = ()
    auto_disk_config: bool = False
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    ephemeral_gb: int | None = None
    swap_mb: int | None = None
    admin_pass: str = field(default="", repr=False)

    def destination(self) -> dict[str, Any]:
        """Return what is said of the place."""
        return {"host": self.host, "hypervisor_hostname": self.hypervisor_hostname, "hints": self.hints}

    def require_fit(self, at_least: int, at_most: int, *, networks: Any, hostname: str | None) -> None:
        """Refuse counts that make no sense, and to give several servers what only one can have."""
        if not 1 <= at_least <= at_most:
            raise BadRequest(_("min_count must be <= max_count"))
        if at_most == 1:
            return
        if hostname:
            raise BadRequest(_("Unable to allocate a single hostname to multiple instances"))
        cards = [] if networks is None or isinstance(networks, str) else networks
        if any(card.get("fixed_ip") for card in cards):
            raise BadRequest(_("Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified."))
        if any(card.get("port") for card in cards):
            raise BadRequest(
                _("Failed to launch instances: Unable to launch multiple instances with a single configured port ID.")
            )

    def require_disks(self, flavor: Flavor, image: Image) -> None:
        """Let local disks be named that the flavor has: they have the flavor's sizes."""
        if self.auto_disk_config and image.custom.get("auto_disk_config", "true").lower() in _NO:
            raise BadRequest(_("Requested image %(id)s has automatic disk resize disabled.") % {"id": image.pk})
        if self.ephemeral_gb is not None and self.ephemeral_gb > flavor.ephemeral_gb:
            raise BadRequest(
                _(
                    "Ephemeral disks requested are larger than the instance type allows. If no size is given in one block "
                    "device mapping, flavor ephemeral size will be used."
                )
            )
        if self.swap_mb is not None and self.swap_mb > flavor.swap_mb:
            raise BadRequest(_("Swap drive requested is larger than instance type allows."))
        smaller = self.ephemeral_gb not in (None, flavor.ephemeral_gb) or self.swap_mb not in (None, flavor.swap_mb)
        if smaller:
            raise BadRequest(_("Block Device Mapping is Invalid: local disks have the sizes of the flavor in this cloud."))


NOTHING_MORE = Extras()


@dataclass(frozen=True)
class Birth:
    """Writes the rows of one launch, whose parts were checked."""

    ctx: RequestContext
    wish: launch.Wish
    place: Destination
    extras: Extras
    columns: Mapping[str, Any]
    reservation: str = field(default_factory=lambda: f"r-{secrets.token_hex(4)}")

    def write(self, name: str, index: int) -> Server:
        """Return the row of one server, in the caller's transaction."""
        server_id = new_uuid()
        server = Server.objects.create(
            id=server_id,
            number=ServerNumber.objects.create(),
            name=name,
            hostname=self.columns.get("hostname") or launch.hostname_of(name, server_id),
            description=self.columns.get("description"),
            config_drive=self.columns.get("config_drive") is not False or self.wish.image.custom.get(_DRIVE) == "mandatory",
            reservation_id=self.reservation,
            launch_index=index,
            requested_zone=self.place.zone,
            requested_host=self.place.host,
            group=self.place.group,
            scheduler_hints=dict(self.place.hints),
            vm_state=VmState.BUILDING,
            task_state=TaskState.SCHEDULING,
            request_id=self.ctx.request_id,
            operation=Action.CREATE,
            operation_details=sealed_password(self.extras.admin_pass),
            **self._owner(),
            **self._parts(),
            **self._figures(),
        )
        ServerTag.objects.bulk_create(ServerTag(server=server, tag=tag) for tag in dict.fromkeys(self.extras.tags))
        return server

    def _owner(self) -> dict[str, Any]:
        return {
            "project_id": self.ctx.project_id or "",
            "project_name": self.ctx.project_name,
            "user_id": self.ctx.user_id or "",
            "user_name": self.ctx.user_name,
        }

    def _parts(self) -> dict[str, Any]:
        keypair = self.wish.keypair
        return {
            "image_id": self.wish.image.pk,
            "image_properties": properties_of(self.wish.image.custom),
            "key_name": keypair.name if keypair else None,
            "public_key": keypair.public_key if keypair else None,
            "user_data": self.wish.user_data,
            "metadata": self.wish.metadata,
            "injected_files": [dict(file) for file in self.extras.files],
            "auto_disk_config": self.extras.auto_disk_config,
            "access_ip_v4": self.extras.access_ip_v4,
            "access_ip_v6": self.extras.access_ip_v6,
        }

    def _figures(self) -> dict[str, Any]:
        flavor = self.wish.flavor
        return {
            "flavor_id": flavor.flavor_id,
            "flavor_name": flavor.name,
            "vcpus": flavor.vcpus,
            "ram_mb": flavor.ram_mb,
            "root_gb": flavor.root_gb,
            "ephemeral_gb": flavor.ephemeral_gb,
            "swap_mb": flavor.swap_mb,
            "extra_specs": flavor.extra_specs,
        }


def sealed_password(password: str) -> dict[str, str]:
    """Return what an operation keeps of the password that its guest is to find, until it ends."""
    return {"admin_pass": admin_password.sealed(bus.queue_key(), password)} if password else {}


def properties_of(custom: Mapping[str, str]) -> dict[str, str]:
    """Return those of an image's properties that say how its servers run."""
    return {
        name: value
        for name, value in custom.items()
        if len(value) <= _PROPERTY_MAX and (name.startswith(("hw_", "img_", "trait:")) or name in _SAYING_HOW)
    }


_SAYING_HOW = frozenset(
    {
        "architecture",
        "hypervisor_type",
        "os_admin_user",
        "os_command_line",
        "os_distro",
        "os_require_quiesce",
        "os_secure_boot",
        "os_type",
        "root_device_name",
        "vm_mode",
    }
)
