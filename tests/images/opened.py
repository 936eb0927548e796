"""What a traced program opened and whom it called, from the log of ``strace -f -y``."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

OPTIONS = ["-f", "-qq", "-y", "-s", "4096", "-e", "trace=open,openat,openat2,creat,execve,connect,sendto"]
_OPEN = re.compile(r'(?:open|creat)\("([^"]*)"|(?:openat|openat2)\((?:AT_FDCWD|\d+)(?:<([^>]*)>)?, "([^"]*)"')
_EXEC = re.compile(r'execve\("([^"]*)", \[([^\]]*)\]')
_CALL = re.compile(r"(?:connect|sendto)\(.*sa_family=AF_INET6?.*?inet_addr\(\"([^\"]*)\"\)|inet_pton\(AF_INET6, \"([^\"]*)\"")


def opened(log: Path) -> Iterator[str]:
    """Yield every path that was opened, or tried, in full."""
    for line in log.read_text(errors="replace").splitlines():
        found = _OPEN.search(line)
        if found:
            yield os.path.normpath(found[1] if found[1] is not None else os.path.join(found[2] or "/", found[3]))


def started(log: Path) -> Iterator[list[str]]:
    """Yield the words of every program that was started."""
    for line in log.read_text(errors="replace").splitlines():
        found = _EXEC.search(line)
        if found:
            yield [word.strip('"') for word in found[2].split(", ")]


def called(log: Path) -> set[str]:
    """Return the addresses of networks that were called."""
    return {found[1] or found[2] for line in log.read_text(errors="replace").splitlines() if (found := _CALL.search(line))}
