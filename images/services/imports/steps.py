"""What is done to the staged bytes of an image before they enter a store: the signature is verified, then the disk is converted."""

from pathlib import Path
from typing import TYPE_CHECKING

from images.services.steps import conversion, signature
from images.stores import registry as stores
from images.stores.base import part_name

if TYPE_CHECKING:
    from images.services.imports.runs import Run


def prepare(run: "Run") -> tuple[Path, str]:
    """Return the file that is to enter the stores, and its disk format; raises BadRequest for what must not.

    What was staged stays as it is, so the next run begins with it; the converted file bears the run's id and goes with the run.
    """
    image, area = run.image, stores.staging()
    staged = area.path / image.pk
    signature.verify_file(image.custom, staged)
    target = area.path / part_name(image.pk, run.id)
    found = conversion.convert(image=image, staged=staged, target=target, still_wanted=lambda: run.report(0, 1))
    return (staged, str(image.disk_format)) if found is None else (found.path, found.disk_format)
