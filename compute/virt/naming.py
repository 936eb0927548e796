"""Names on a host that follow from a guest's description alone."""

import hashlib


def tap(port_id: str) -> str:
    """Return the name of a port's network device; Linux takes at most 15 characters."""
    return f"tap{port_id[:11]}"


def cache_name(image_id: str) -> str:
    """Return the name of an image's file in the cache: the SHA-1 of its id."""
    return hashlib.sha1(image_id.encode(), usedforsecurity=False).hexdigest()
