"""Log files on a full disk: whoever logs goes on, and what is logged when there is room again is whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")

LOGGER = """
import logging, pathlib, sys
from portal.core import log
log.configure(files=pathlib.Path(sys.argv[1]), form="json", service="compute")
for line in sys.stdin:
    for number in range(int(line)):
        logging.getLogger("compute.services.claims").warning("line %d of %s", number, line.strip())
        log.answered(log.Call("GET", "/compute/v2.1/servers", "192.0.2.7"), 200)
    print("went on", flush=True)
"""


class Process:
    """A process that logs, its output and its services' files on the same small disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (folder / "process.log").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-c", LOGGER, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def logs(self, lines: int) -> None:
        """Have so many lines logged; AssertionError when it does not go on after that."""
        self._child.stdin.write(f"{lines}\n")
        self._child.stdin.flush()
        assert self._child.stdout.readline() == "went on\n"

    def end(self) -> None:
        self._child.communicate()

    def said(self, name: str) -> list[str]:
        return (self.folder / name).read_text().splitlines()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "log"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], check=True)
    process = Process(folder)
    yield process
    process.end()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_whoever_logs_goes_on_and_later_lines_are_whole(process):
    process.logs(3)
    ballast = process.folder / "ballast"
    ballast.write_bytes(bytes(200 * 1024))
    process.logs(1000)
    assert len(process.said("compute.log")) < 500, "the disk was full"
    ballast.unlink()

    process.logs(2)

    for name in ("compute.log", "compute_access.log"):
        lines = process.said(name)
        assert [json.loads(line) for line in lines[-2:]]
        broken = [line for line in lines if not line.endswith("}") or line.count('"time"') > 1]
        assert len(broken) <= 1, "one line may be cut, and none is joined to another"
    assert json.loads(process.said("compute.log")[-1])["message"] == "line 1 of 2"
    assert json.loads(process.said("process.log")[-1])["message"] == "line 1 of 2"
