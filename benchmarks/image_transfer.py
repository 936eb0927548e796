"""How fast image bytes go in and out, and how much memory that takes.

    python benchmarks/image_transfer.py --size-mib 1024 --runs 3

Starts uvicorn with nothing but the image receiver, on a database and a store of its own in a temporary folder; puts a file of random
bytes and fetches it again over loopback; compares with what ``sha256sum`` and ``cp`` of the same file take one after the other.
"""

import argparse
import http.client
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20


def main() -> None:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="image-transfer-", dir=options.folder))
    port = _free_port()
    os.environ["NEBULET_STATE_DIR"] = str(folder / "state")
    os.environ["NEBULET_PORT"] = str(port)
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
    (folder / "state").mkdir()
    sys.path.insert(0, str(ROOT))
    try:
        _measure(options, folder, port)
    finally:
        shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--chunked", action="store_true", help="send without Content-Length")
    parser.add_argument("--pieces", type=int, metavar="MIB", help="send in pieces of so many MiB")
    parser.add_argument(
        "--parallel", type=int, metavar="N", help="send N images at once besides, and tell the rate of all and the memory"
    )
    parser.add_argument("--folder", type=Path, default=None, help="where the temporary folder is made")
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: Path, port: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.services.seed import seed

    call_command("migrate", verbosity=0)
    seed(secrets.token_urlsafe(), secrets.token_urlsafe())
    source = folder / "source"
    _write_source(source, options.size_mib)
    reference = [_reference(source, folder / "copy") for _run in range(options.runs)]
    server = _start(port, folder)
    try:
        idle = _rss(server.pid)
        ups, downs, work = [], [], _cpu_seconds(server.pid)
        for _run in range(options.runs):
            up, down = _round_trip(source, port, options)
            ups.append(up)
            downs.append(down)
        peak = _peak_rss(server.pid)
        work = (_cpu_seconds(server.pid) - work) / options.runs
        together = _side_by_side(source, port, options) if options.parallel else None
        most = _peak_rss(server.pid)
    finally:
        server.terminate()
        server.wait()
    best = statistics.median(reference)
    _tell("sha256sum + cp", reference, options.size_mib, best)
    _tell("upload", ups, options.size_mib, best)
    _tell("download", downs, options.size_mib, best)
    print(f"server's processor time for one upload and one download: {work:.2f} s")
    print(f"server memory: {idle / MIB:.0f} MiB idle, {peak / MIB:.0f} MiB at its peak")
    if together is not None:
        rate = options.parallel * options.size_mib * MIB / 1e6 / together
        print(f"{options.parallel} uploads at once: {rate:.0f} MB/s in all; server memory {most / MIB:.0f} MiB at its peak")


def _tell(what: str, seconds: list[float], size_mib: int, reference: float) -> None:
    speeds = ", ".join(f"{size_mib * MIB / 1e6 / took:.0f}" for took in seconds)
    print(f"{what:<16} {speeds} MB/s; {reference / statistics.median(seconds):.0%} of the reference")


def _write_source(path: Path, size_mib: int) -> None:
    with path.open("wb") as out:
        for _block in range(size_mib):
            out.write(secrets.token_bytes(MIB))
        os.fsync(out.fileno())


def _reference(source: Path, copy: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cp", "--reflink=never", source, copy], check=True)
    took = time.perf_counter() - began
    copy.unlink()
    return took


def _start(port: int, folder: Path) -> "subprocess.Popen[bytes]":
    (folder / "bench_app.py").write_text(
        "import django\n"
        "django.setup()\n"
        "from images.api.v2.receiver import receive\n"
        "async def application(scope, receive_, send):\n"
        "    if scope['type'] == 'http':\n"
        "        await receive(scope, receive_, send)\n"
    )
    command = [sys.executable, "-m", "uvicorn", "bench_app:application", "--port", str(port), "--lifespan", "off"]
    paths = os.pathsep.join([str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen([*command, "--log-level", "warning"], env=os.environ | {"PYTHONPATH": paths}, cwd=folder)
    for _try in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.05)
    raise SystemExit("uvicorn did not start")


def _side_by_side(source: Path, port: int, options: argparse.Namespace) -> float:
    """Return how long it takes to upload the file as many images at once."""
    from images.stores import registry

    images = [_new_image() for _number in range(options.parallel)]
    began = time.perf_counter()
    with ThreadPoolExecutor(options.parallel) as pool:
        for done in [pool.submit(_upload_alone, put, port, source) for _key, put, _get in images]:
            done.result()
    took = time.perf_counter() - began
    for key, _put, _get in images:
        registry.get().delete(key)
    return took


def _upload_alone(address: str, port: int, source: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=MIB)
    _upload(connection, address, source, chunked=False)
    connection.close()


def _new_image() -> tuple[str, str, str]:
    """Return an image's id, where its bytes are put and where they are fetched."""
    from accounts import workplaces
    from accounts.models import User
    from images.models import Image
    from images.services import transfer

    ctx = workplaces.project_contexts(User.objects.get(name="demo"))[0]
    image = Image.objects.create(name="bench", owner=ctx.project_id, disk_format="raw", container_format="bare")
    ways = [urlsplit(way) for way in (transfer.upload_ticket(ctx, image), transfer.source_url(image))]
    put, get = (f"{way.path}?{way.query}" for way in ways)
    return str(image.pk), put, get


def _round_trip(source: Path, port: int, options: argparse.Namespace) -> tuple[float, float]:
    """Return the seconds of one upload and of one download of the same image."""
    from images.stores import registry

    key, address, get = _new_image()
    connection = http.client.HTTPConnection("127.0.0.1", port, blocksize=MIB)
    if options.pieces:
        up = _upload_in_pieces(connection, address, source, options.pieces * MIB)
    else:
        up = _upload(connection, address, source, options.chunked)
    down = _download(connection, get, source.stat().st_size)
    connection.close()
    registry.get().delete(key)
    return up, down


def _upload(connection: http.client.HTTPConnection, address: str, source: Path, chunked: bool) -> float:
    headers = {"Content-Type": "application/octet-stream"}
    began = time.perf_counter()
    with source.open("rb") as body:
        if chunked:
            blocks = iter(lambda: body.read(MIB), b"")
            connection.request("PUT", address, blocks, headers, encode_chunked=True)
        else:
            headers["Content-Length"] = str(source.stat().st_size)
            connection.putrequest("PUT", address)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            connection.sock.sendfile(body)
    answer = connection.getresponse()
    text = answer.read()
    took = time.perf_counter() - began
    assert answer.status == 204, (answer.status, text)
    return took


def _upload_in_pieces(connection: http.client.HTTPConnection, address: str, source: Path, length: int) -> float:
    size = source.stat().st_size
    began = time.perf_counter()
    with source.open("rb") as body:
        for start in range(0, size, length):
            piece = body.read(length)
            last = start + len(piece) - 1
            headers = {"Content-Type": "application/octet-stream", "Content-Range": f"bytes {start}-{last}/{size}"}
            connection.request("PUT", address, piece, headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == (204 if last + 1 == size else 308), (answer.status, text)
    return time.perf_counter() - began


def _download(connection: http.client.HTTPConnection, address: str, size: int) -> float:
    buffer = bytearray(MIB)
    arrived = 0
    began = time.perf_counter()
    connection.request("GET", address)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    while count := answer.readinto(buffer):
        arrived += count
    took = time.perf_counter() - began
    assert arrived == size
    assert answer.headers["Content-MD5"]
    return took


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> int:
    return _status(pid, "VmRSS:")


def _peak_rss(pid: int) -> int:
    return _status(pid, "VmHWM:")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
