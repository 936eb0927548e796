"""What a build made, as `manifest.json` says it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "manifest.json"


@dataclass(frozen=True)
class ImageFile:
    """One image as it is to be registered: `disk_format` and `container_format` are the image service's words."""

    name: str
    file: str
    disk_format: str
    container_format: str
    size: int
    sha256: str
    virtual_size: int
    min_ram_mb: int


@dataclass(frozen=True)
class SourcePackage:
    """A package of the distribution that went into the images."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The images of one build. `cmdline` is the kernel's when kernel and ramdisk are started directly."""

    name: str
    architecture: str
    kernel_version: str
    cmdline: str
    login_user: str
    images: tuple[ImageFile, ...]
    packages: tuple[SourcePackage, ...]

    def image(self, name: str) -> ImageFile:
        """The image of that name; KeyError if there is none."""
        return {image.name: image for image in self.images}[name]

    def write(self, folder: Path) -> None:
        """Writes `manifest.json`, whole or not at all."""
        text = json.dumps(dataclasses.asdict(self), indent=2) + "\n"
        partial = folder / f".{FILE_NAME}"
        partial.write_text(text)
        partial.replace(folder / FILE_NAME)


def read(folder: Path) -> Manifest:
    """The manifest of an earlier build in that folder."""
    data = json.loads((folder / FILE_NAME).read_text())
    images = tuple(ImageFile(**image) for image in data.pop("images"))
    packages = tuple(SourcePackage(**package) for package in data.pop("packages"))
    return Manifest(images=images, packages=packages, **data)
