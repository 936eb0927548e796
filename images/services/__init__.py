"""Every write of the image service."""
