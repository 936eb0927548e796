"""Small files that are whole or not there, also when the process is killed or the machine loses its power."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Put the content at ``path``, readable by its owner only, in the place of what is there. What was killed earlier is written over."""
    part = path.with_name(f".{path.name}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
