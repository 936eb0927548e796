"""Doors of the image service."""
