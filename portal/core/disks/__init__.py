"""Disk images as files: what they really are, and ``qemu-img`` in a child that can do little harm. No Django."""
