"""What many who watch one console log cost: processor time of each process while the guest prints a line a second, less that of a cloud at rest.

NEBULET_STATE_DIR=/tmp/bench sudo -E .venv/bin/python benchmarks/console_log.py [--viewers 200] [--sessions 20] [--rate 1]
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import websockets
from running import RunningCloud, cpu_s

TARGET = 0.05
LINE = "[ {:12.6f}] eth0: a line as kernels and services print them, about eighty characters long\r\n"


async def measure(cloud: RunningCloud, server_id: str, options: argparse.Namespace) -> dict[str, float]:
    """Return the share of a core of each process beyond what it takes without viewers; each viewer must get the last line."""
    at_rest = await shares_while(cloud, asyncio.sleep(options.seconds))
    cookies = [cloud.session() for _ in range(options.sessions)]
    address = f"{cloud.url.replace('http', 'ws', 1)}/ws/servers/{server_id}/log/"
    opened = [
        await websockets.connect(
            address, origin=cloud.url, additional_headers={"Cookie": cookies[number % len(cookies)]}, compression=None
        )
        for number in range(options.viewers)
    ]
    ends = [asyncio.create_task(until(viewer, "the end")) for viewer in opened]
    await asyncio.sleep(5)
    log = cloud.state / "instances" / server_id / "console.log"
    watched = await shares_while(cloud, print_lines(log, options))
    print(f"{sum(at_rest.values()):.2%} of a core at rest, {sum(watched.values()):.2%} with {options.viewers} viewers")
    with log.open("a") as file:
        file.write("the end\r\n")
    written = time.monotonic()
    await asyncio.wait_for(asyncio.gather(*ends), 30)
    print(f"the last line was everywhere after {(time.monotonic() - written) * 1000:.0f} ms")
    for viewer in opened:
        await viewer.close()
    return {name: watched[name] - at_rest[name] for name in watched}


async def shares_while(cloud: RunningCloud, work: Coroutine[None, None, None]) -> dict[str, float]:
    """Return the share of a core of each process while something is done."""
    before, began = {name: cpu_s(pid) for name, pid in cloud.pids.items()}, time.monotonic()
    await work
    took = time.monotonic() - began
    return {name: (cpu_s(pid) - before[name]) / took for name, pid in cloud.pids.items()}


async def print_lines(log: Path, options: argparse.Namespace) -> None:
    began = time.monotonic()
    while time.monotonic() - began < options.seconds:
        with log.open("a") as file:
            file.write(LINE.format(time.monotonic()))
        await asyncio.sleep(1 / options.rate)


async def until(viewer: websockets.ClientConnection, word: str) -> None:
    async for text in viewer:
        if word in str(text):
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1, help="lines a second")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    cloud = RunningCloud(Path(os.environ.get("NEBULET_STATE_DIR", "/var/lib/nebulet")))
    with cloud.server() as server_id:
        shares = asyncio.run(measure(cloud, server_id, options))
    for name, share in shares.items():
        print(f"{name:12} {share:7.2%} of a core")
    total = sum(shares.values())
    print(f"{'together':12} {total:7.2%} of a core for {options.viewers} viewers, {total / TARGET:.2f} of the target")
    return 0 if total <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
