"""Give every file of a folder to all that reads images: ``python -m tests.images.traced FOLDER``.

A file is called ``number.disk_format.container_format``. What is printed for each is how often it was refused.
"""

import sys
from pathlib import Path

import django

django.setup()

from compute.virt.driver import ImageRef  # noqa: E402
from compute.virt.errors import ImageUnavailable  # noqa: E402
from compute.worker import images as host  # noqa: E402
from images.models import Image  # noqa: E402
from images.services.inspection import Inspection  # noqa: E402
from images.services.steps import conversion  # noqa: E402
from portal.core.errors import CloudError  # noqa: E402


def inspect(path: Path, image: Image) -> None:
    inspection = Inspection(str(image.disk_format), str(image.container_format))
    inspection.feed(path.read_bytes())
    inspection.conclude(path.stat().st_size)


def convert(path: Path, image: Image) -> None:
    conversion.convert(image=image, staged=path, target=path.with_name(f"{path.name}.new"))


def cache(path: Path, image: Image) -> None:
    host.inspect(ImageRef("x", "", 0, "", "", str(image.disk_format), str(image.container_format)), path)


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).iterdir()):
        _number, disk_format, container_format = path.name.split(".")
        image = Image(disk_format=disk_format, container_format=container_format)
        refusals = 0
        for way in (inspect, convert, cache):
            try:
                way(path, image)
            except (CloudError, ImageUnavailable):
                refusals += 1
        print(path.name, refusals, flush=True)
