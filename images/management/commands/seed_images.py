"""`manage.py seed_images`: builds the small Linux named tiny and offers it to everybody."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Project
from images.builder import BuildError, ImageFile, Manifest, build, manifest
from images.services import seeding
from images.services.seeding import SeedImage
from portal.core.context import RequestContext, new_request_id

HOW_TO_ADD = "openstack image create --disk-format qcow2 --container-format bare --public --file FILE NAME"
KERNEL, RAMDISK, MACHINE, DISK = "tiny-kernel", "tiny-ramdisk", "tiny-machine", "tiny"


class Command(BaseCommand):
    help = "Build the small Linux named tiny from the distribution's packages and register it as public images."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, default=Path(settings.STATE_DIR) / "cache" / "images-build")
        parser.add_argument("--rebuild", action="store_true", help="build even when an earlier build lies there")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["output"]
        try:
            made = self._made(folder, rebuild=options["rebuild"])
        except (BuildError, OSError) as error:
            self.stdout.write(f"No image was made. {error} Add one with: {HOW_TO_ADD}")
            return
        owner = Project.objects.filter(name="admin").values_list("pk", flat=True).first()
        if owner is None:
            raise CommandError("There is no project admin yet: seed the identity service first.")
        ctx = RequestContext.for_conductor(new_request_id())
        new = seeding.seed(ctx=ctx, owner=owner, wanted=wanted(made, folder))
        for image in new:
            self.stdout.write(f"Registered {image.name} ({image.pk}), {image.size} bytes.")
        if not new:
            self.stdout.write("All images are registered already.")

    def _made(self, folder: Path, *, rebuild: bool) -> Manifest:
        if not rebuild and (folder / manifest.FILE_NAME).is_file():
            return manifest.read(folder)
        return build(folder, folder / "packages", work=folder / "work")


def wanted(made: Manifest, folder: Path) -> list[SeedImage]:
    """Return the four images of a build: kernel, ramdisk and the machine that names both, and a disk that boots by itself."""
    common = {
        "os_distro": "debian",
        "architecture": made.architecture,
        "os_admin_user": made.login_user,
        "hw_qemu_guest_agent": "yes",
    }
    needed = {"kernel_id": "tiny-uec-kernel", "ramdisk_id": "tiny-uec-ramdisk"}
    return [
        _seed(made.image(KERNEL), folder, "tiny-uec-kernel"),
        _seed(made.image(RAMDISK), folder, "tiny-uec-ramdisk"),
        _seed(made.image(MACHINE), folder, "tiny-uec", {**common, "os_command_line": made.cmdline}, needed),
        _seed(made.image(DISK), folder, "tiny", common),
    ]


def _seed(
    built: ImageFile,
    folder: Path,
    registered_as: str,
    properties: dict[str, str] | None = None,
    links: dict[str, str] | None = None,
) -> SeedImage:
    return SeedImage(
        name=registered_as,
        file=folder / built.file,
        disk_format=built.disk_format,
        container_format=built.container_format,
        min_ram=built.min_ram_mb,
        properties=properties or {},
        links=links or {},
    )
