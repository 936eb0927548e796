"""Many real guests on one machine: how long until all run and show a login prompt, until all are gone, and what each costs us in memory.

    sudo .venv/bin/python benchmarks/real_guests.py --number 50

Needs a cloud that is up on libvirt, and its administrator's project to itself. The memory is that of our processes, PSS; QEMU's is not ours.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from footprint import processes, pss_mib
from running import RunningCloud

PROMPT = "login:"


class Guests:
    """As many servers of the smallest flavor that boots the tiny image."""

    def __init__(self, cloud: RunningCloud, number: int) -> None:
        self._cloud, self._http = cloud, cloud.http
        self._number = number
        self._image = next(
            image["id"] for image in self._http.get("/image/v2/images").json()["images"] if image["name"] == "tiny"
        )
        self.ids: list[str] = []

    def allow(self) -> None:
        """Give the project room for all of them."""
        project = self._http.get("/identity/v3/auth/projects").json()["projects"][0]["id"]
        body = {"quota_set": {"instances": -1, "cores": -1, "ram": -1}}
        self._http.put(f"/compute/v2.1/os-quota-sets/{project}", json=body).raise_for_status()

    def create(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            self.ids = list(pool.map(lambda number: self._cloud.create(f"guest-{number}", self._image), range(self._number)))

    def running(self) -> bool:
        """Whether all are ACTIVE; ends the benchmark when one is in ERROR."""
        states = [server["status"] for server in self._shown()]
        if "ERROR" in states:
            raise SystemExit(f"not all can run here: {states}")
        return states.count("ACTIVE") == self._number

    def booted(self) -> bool:
        """Whether each shows its login prompt."""
        return all(PROMPT in self._log(server_id) for server_id in self.ids)

    def _log(self, server_id: str) -> str:
        body = {"os-getConsoleOutput": {"length": 30}}
        return str(self._http.post(f"/compute/v2.1/servers/{server_id}/action", json=body).json().get("output", ""))

    def delete(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda server_id: self._http.delete(f"/compute/v2.1/servers/{server_id}"), self.ids))

    def gone(self) -> bool:
        return not self._shown()

    def _shown(self) -> list[dict[str, str]]:
        servers = self._http.get("/compute/v2.1/servers/detail", params={"limit": 1000}).json()["servers"]
        return [server for server in servers if server["id"] in set(self.ids)]


def until(done: Callable[[], bool], seconds: float = 900) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"{done.__name__}: not within {seconds:.0f} s")
        time.sleep(0.2)


def our_memory_mib() -> float:
    return sum(pss_mib(pid) for pid in processes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=50)
    number = parser.parse_args().number
    guests = Guests(RunningCloud(Path(os.environ.get("NEBULET_STATE_DIR", "/var/lib/nebulet")), "admin"), number)
    guests.allow()
    before = our_memory_mib()
    began = time.perf_counter()
    try:
        guests.create()
        print(f"{number} guests: all accepted after {time.perf_counter() - began:6.1f} s")
        until(guests.running)
        print(f"{'':10} all ACTIVE after   {time.perf_counter() - began:6.1f} s")
        until(guests.booted)
        print(f"{'':10} all booted after   {time.perf_counter() - began:6.1f} s")
        during = our_memory_mib()
        print(f"our memory {before:.0f} MiB before, {during:.0f} MiB with them: {(during - before) / number:.2f} MiB for each")
    finally:
        began = time.perf_counter()
        guests.delete()
        until(guests.gone)
    print(f"all gone {time.perf_counter() - began:.1f} s after their deletion was asked for")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
