"""Nebulet's portal: the kernel at the bottom, the pages at the top."""

VERSION = "0.1.0"
