"""Builds the small Linux named `tiny` from the distribution's packages. `build()` is the way in from Python."""

from images.builder.build import build
from images.builder.errors import BuildError
from images.builder.manifest import ImageFile, Manifest

__all__ = ["BuildError", "ImageFile", "Manifest", "build"]
