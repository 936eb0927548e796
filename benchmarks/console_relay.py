"""How fast a console is: megabytes a second from a display to a websocket, and what the way adds to an echo.

The display is a flood and an echo behind the socket of a pretended guest, so web process and worker are the real ones. With
``--websockify /path/to/websockify`` the same display is asked through that program for comparison.

    NEBULET_STATE_DIR=/tmp/bench NEBULET_DRIVER=fake sudo -E ./nebulet up --detach
    NEBULET_STATE_DIR=/tmp/bench sudo -E .venv/bin/python benchmarks/console_relay.py [--megabytes 2000] [--websockify PROGRAM]
"""

import argparse
import base64
import multiprocessing
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from running import RunningCloud, cpu_s

TARGET_MB_S, TARGET_ECHO_MS, TARGET_RATIO = 500, 0.3, 0.9
FLOOD, ECHO = b"F", b"E"
WORD = b"8 bytes!"


def display(path: str, megabytes: int) -> None:
    """Serve callers one after the other: each says first whether it wants a flood or an echo."""
    listener = socket.socket(socket.AF_UNIX)
    Path(path).unlink(missing_ok=True)
    listener.bind(path)
    listener.listen()
    block = os.urandom(1 << 20)
    while True:
        peer, _address = listener.accept()
        with peer:
            try:
                if peer.recv(1) == FLOOD:
                    for _ in range(megabytes):
                        peer.sendall(block)
                else:
                    while word := peer.recv(100):
                        peer.sendall(word)
            except OSError:
                continue


def upgrade(url: str, path: str) -> socket.socket:
    """Return a websocket, opened by hand so that reading it costs next to nothing."""
    place = urlsplit(url)
    caller = socket.create_connection((place.hostname, place.port or 80))
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {place.netloc}", "Upgrade: websocket", "Connection: Upgrade", f"Origin: {url}"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: binary", "", ""]
    caller.sendall("\r\n".join(lines).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += caller.recv(1)
    assert b" 101 " in head, head
    return caller


def frame(data: bytes) -> bytes:
    return struct.pack("!BBI", 0x82, 0x80 | len(data), 0) + data  # masked with nothing


def flood_mb_s(caller: socket.socket, megabytes: int) -> float:
    """Return the rate at which a flood comes."""
    caller.sendall(frame(FLOOD))
    buffer, came, wanted = bytearray(1 << 20), 0, megabytes << 20
    began = time.perf_counter()
    while came < wanted:
        count = caller.recv_into(buffer)
        assert count, "the flood ended early"
        came += count
    return came / (time.perf_counter() - began) / 1e6


def echo_ms(caller: socket.socket, wrap: Callable[[bytes], bytes], head: int, rounds: int = 2000) -> float:
    """Return the median time of an echo."""
    caller.sendall(wrap(ECHO))
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        caller.sendall(wrap(WORD))
        came = 0
        while came < len(WORD) + head:
            came += len(caller.recv(100))
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def ours(cloud: RunningCloud, server_id: str) -> socket.socket:
    return upgrade(cloud.url, f"/ws/vnc/?token={cloud.console(server_id)}")


def spent_by(pids: list[int], act: Callable[[], float]) -> tuple[float, float]:
    """Return what ``act`` returns and the processor time that the processes used meanwhile."""
    before = sum(map(cpu_s, pids))
    result = act()
    return result, sum(map(cpu_s, pids)) - before


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--websockify")
    options = parser.parse_args()
    cloud = RunningCloud(Path(os.environ.get("NEBULET_STATE_DIR", "/var/lib/nebulet")))
    with cloud.server() as server_id:
        path = str(cloud.state / "run" / f"vnc-{server_id[:8]}.sock")
        ours(cloud, server_id).close()  # the pretended display is made when somebody first looks; ours takes its place
        if not os.path.exists(path):
            parser.error("this needs a cloud whose host pretends: NEBULET_DRIVER=fake ./nebulet up --detach")
        server = multiprocessing.Process(target=display, args=(path, options.megabytes), daemon=True)
        server.start()
        time.sleep(1)
        try:
            return report(cloud, server_id, path, options)
        finally:
            server.kill()


def report(cloud: RunningCloud, server_id: str, path: str, options: argparse.Namespace) -> int:
    direct = socket.socket(socket.AF_UNIX)
    direct.connect(path)
    bare = echo_ms(direct, bytes, 0)
    direct.close()
    chain = [pid for name, pid in cloud.pids.items() if name.startswith(("web", "compute"))]
    rates, spent = [], []
    for _ in range(options.rounds):
        caller = ours(cloud, server_id)
        rate, cpu = spent_by(chain, lambda caller=caller: flood_mb_s(caller, options.megabytes))
        rates.append(rate)
        spent.append(cpu / options.megabytes * 1000)
        caller.close()
    rate = statistics.median(rates)
    echo = echo_ms(ours(cloud, server_id), frame, 2) - bare
    print(f"ours:       {rate:6.0f} MB/s, {min(spent):.2f} s of processor for 1,000 MB (best), echo +{echo:.3f} ms")
    fine = rate >= TARGET_MB_S and echo <= TARGET_ECHO_MS
    if options.websockify:
        theirs = websockify(options, path, bare)
        print(f"            {rate / theirs:.2f} of websockify's rate (target {TARGET_RATIO})")
        fine = fine and rate >= TARGET_RATIO * theirs
    return 0 if fine else 1


def websockify(options: argparse.Namespace, path: str, bare: float) -> float:
    """Measure the other program in the same way; return its rate."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = subprocess.Popen([options.websockify, f"127.0.0.1:{port}", f"--unix-target={path}"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(2)
        url = f"http://127.0.0.1:{port}"
        rates, spent = [], []
        for _ in range(options.rounds):
            caller = upgrade(url, "/")
            time.sleep(0.5)
            rate, cpu = spent_by(children(program.pid), lambda caller=caller: flood_mb_s(caller, options.megabytes))
            rates.append(rate)
            spent.append(cpu / options.megabytes * 1000)
            caller.close()
            time.sleep(0.5)
        echo = echo_ms(upgrade(url, "/"), frame, 2) - bare
        rate = statistics.median(rates)
        print(f"websockify: {rate:6.0f} MB/s, {min(spent):.2f} s of processor for 1,000 MB (best), echo +{echo:.3f} ms")
        return statistics.median(rates)
    finally:
        program.kill()


if __name__ == "__main__":
    sys.exit(main())
