"""What is done to the staged bytes of an image before they enter a store.

Each step gets the image and the file. It may look, and raise a CloudError to refuse; or change the file in place and the image's row.
"""

from collections.abc import Callable
from pathlib import Path

from images.models import Image

STEPS: list[Callable[[Image, Path], None]] = []


def run(image: Image, staged: Path) -> None:
    """Do all steps in their order."""
    for step in STEPS:
        step(image, staged)
