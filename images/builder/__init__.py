"""Builds the small Linux named `tiny` from the distribution's packages. `build()` is the way in from Python."""

from images.builder.errors import BuildError
from images.builder.manifest import ImageFile, Manifest
from images.builder.recipe import build

__all__ = ["BuildError", "ImageFile", "Manifest", "build"]
