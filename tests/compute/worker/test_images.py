"""The image cache against a real HTTP server that lies, stumbles and dawdles."""

import hashlib
import http.server
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from compute.virt.errors import BuildCancelled, ImageUnavailable
from compute.virt.naming import cache_name
from compute.worker import download
from compute.worker.images import FileImageCache, record_of
from tests.compute.virt import samples


class Server:
    """Serves ``content``; ``cut`` bytes of it, slowly if wanted, failing the first ``failures`` times."""

    def __init__(self):
        self.content, self.cut, self.requests, self.pause_s, self.status, self.failures = b"", None, 0, 0.0, 200, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests += 1
                if outer.status != 200 or outer.requests <= outer.failures:
                    return self.send_error(outer.status if outer.status != 200 else 503)
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.content)))
                self.end_headers()
                body = outer.content[: outer.cut]
                try:
                    for start in range(0, len(body), 65536):
                        self.wfile.write(body[start : start + 65536])
                        time.sleep(outer.pause_s)
                except OSError:
                    return None

            def log_message(self, *words):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def image(self, content, **fields):
        self.content = content
        known = samples.image(
            url=f"http://127.0.0.1:{self.http.server_port}/x",
            size=len(content),
            hash_value=hashlib.sha256(content).hexdigest(),
        )
        return replace(known, **fields)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "_BETWEEN_TRIES_S", 0.05)
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def cache(tmp_path):
    return FileImageCache(tmp_path / "_base")


def left(tmp_path):
    return sorted(one.name for one in (tmp_path / "_base").iterdir() if not one.name.endswith(".lock"))


def qcow2(tmp_path, *options):
    path = tmp_path / "made.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, str(path), "8M"], check=True)
    return path.read_bytes()


def test_an_image_is_fetched_once_and_named_by_its_ids_hash(server, cache, tmp_path):
    image = server.image(os.urandom(300_000))
    steps = []

    first, second = cache.fetch(image, steps.append), cache.fetch(image, steps.append)

    assert first == second == tmp_path / "_base" / hashlib.sha1(image.id.encode()).hexdigest()
    assert first.read_bytes() == server.content
    assert server.requests == 1
    assert steps[-1].bytes_done == steps[-1].bytes_total == 300_000


def cut(path):
    os.truncate(path, 100_000)


def scribbled(path):
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"not what it was")


def deleted(path):
    path.unlink()


@pytest.mark.parametrize("harm", [cut, scribbled, deleted])
def test_a_cached_file_that_was_changed_or_deleted_is_fetched_again_for_guests_on_it_too(server, cache, tmp_path, harm):
    image = server.image(os.urandom(300_032))
    path = cache.fetch(image, samples.ignore)
    disk = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(path), "-F", "raw", str(disk)], check=True)
    harm(path)

    assert cache.fetch(image, samples.ignore).read_bytes() == server.content
    assert cache.fetch(image, samples.ignore) == path
    assert server.requests == 2
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(disk), str(tmp_path / "read")], check=True)
    assert (tmp_path / "read").read_bytes() == server.content
    assert left(tmp_path) == [cache_name(image.id)]


def test_a_cached_file_that_was_changed_is_not_used_when_its_image_cannot_be_fetched(server, cache):
    image = server.image(os.urandom(300_000))
    cut(cache.fetch(image, samples.ignore))
    server.status = 404

    with pytest.raises(ImageUnavailable, match="answered 404"):
        cache.fetch(image, samples.ignore)


def test_a_cached_file_from_before_its_size_was_noted_is_used(server, cache):
    image = server.image(os.urandom(300_000))
    path = cache.fetch(image, samples.ignore)
    record_of(path).write_text(image.id)

    assert cache.fetch(image, samples.ignore) == path
    assert server.requests == 1


def test_zeros_take_no_room(server, cache):
    image = server.image(b"x" * 65536 + bytes(64 * 1024 * 1024))

    path = cache.fetch(image, samples.ignore)

    assert path.stat().st_size == image.size
    assert path.stat().st_blocks * 512 < 1024 * 1024


def test_a_qcow2_becomes_raw(server, cache, tmp_path):
    image = server.image(qcow2(tmp_path), disk_format="qcow2")

    path = cache.fetch(image, samples.ignore)

    assert path.stat().st_size == 8 * 1024 * 1024
    assert left(tmp_path) == [cache_name(image.id)]


@pytest.mark.parametrize("kind", ["aki", "ari"])
def test_a_kernel_is_taken_as_it_is(server, cache, kind):
    image = server.image(b"QFI\xfb pretends to be a disk", disk_format=kind, container_format=kind)

    assert cache.fetch(image, samples.ignore).read_bytes() == server.content


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"hash_value": "0" * 64}, "does not match its checksum"),
        ({"hash_value": ""}, "no checksum"),
        ({"hash_algo": "crc32"}, "no checksum"),
        ({"size": 10}, "larger than"),
        ({"size": 10_000_000}, "of 10000000 bytes came"),
        ({"disk_format": "qcow2"}, "declared qcow2, found raw"),
        ({"disk_format": "ploop"}, "cannot use"),
        ({"container_format": "ova"}, "cannot use"),
        ({"url": "file:///etc/passwd"}, "could not be fetched"),
        ({"url": "http://127.0.0.1:1/x"}, "Connection refused"),
    ],
)
def test_what_is_not_right_is_refused_and_leaves_nothing(server, cache, tmp_path, change, why):
    image = replace(server.image(b"raw" * 1000), **change)

    with pytest.raises(ImageUnavailable, match=why):
        cache.fetch(image, samples.ignore)

    assert left(tmp_path) == []


def test_a_download_that_breaks_off_is_tried_again_and_never_used(server, cache, tmp_path):
    image = server.image(os.urandom(200_000))
    server.cut = 100_000

    with pytest.raises(ImageUnavailable):
        cache.fetch(image, samples.ignore)

    assert server.requests == 3
    assert left(tmp_path) == []


def test_a_service_that_is_away_for_a_moment_does_no_harm(server, cache):
    image = server.image(b"data" * 100)
    server.failures = 2

    assert cache.fetch(image, samples.ignore).read_bytes() == server.content


def test_a_refusal_is_final(server, cache):
    image = server.image(b"data")
    server.status = 403

    with pytest.raises(ImageUnavailable, match="answered 403"):
        cache.fetch(image, samples.ignore)

    assert server.requests == 1


def test_a_backing_file_is_refused(server, cache, tmp_path):
    (tmp_path / "secret").write_bytes(b"host secret" * 100_000)
    content = qcow2(tmp_path, "-b", str(tmp_path / "secret"), "-F", "raw")
    image = server.image(content, disk_format="qcow2")

    with pytest.raises(ImageUnavailable, match="refused"):
        cache.fetch(image, samples.ignore)

    assert left(tmp_path) == []


def test_a_data_file_is_refused(server, cache, tmp_path):
    content = bytearray(qcow2(tmp_path))
    (features,) = struct.unpack_from(">Q", content, 72)
    struct.pack_into(">Q", content, 72, features | 4)
    image = server.image(bytes(content), disk_format="qcow2")

    with pytest.raises(ImageUnavailable, match="refused"):
        cache.fetch(image, samples.ignore)


def test_a_qcow2_that_calls_itself_raw_is_refused(server, cache, tmp_path):
    with pytest.raises(ImageUnavailable, match="declared raw, found qcow2"):
        cache.fetch(server.image(qcow2(tmp_path)), samples.ignore)


def test_a_flipped_byte_on_the_way_is_noticed(server, cache, tmp_path):
    image = server.image(os.urandom(300_000))
    server.content = server.content[:150_000] + bytes([server.content[150_000] ^ 1]) + server.content[150_001:]

    with pytest.raises(ImageUnavailable, match="does not match its checksum"):
        cache.fetch(image, samples.ignore)

    assert left(tmp_path) == []


def test_a_link_planted_in_the_cache_is_not_followed(server, cache, tmp_path):
    image = server.image(b"the image" * 100)
    (tmp_path / "secret").write_bytes(b"host secret")
    (tmp_path / "_base" / cache_name(image.id)).symlink_to(tmp_path / "secret")

    assert cache.fetch(image, samples.ignore).read_bytes() == server.content

    assert (tmp_path / "secret").read_bytes() == b"host secret"


def test_a_disk_larger_than_any_host_holds_is_refused_before_it_is_converted(server, cache, tmp_path):
    content = bytearray(qcow2(tmp_path))
    struct.pack_into(">Q", content, 24, 1 << 62)
    struct.pack_into(">I", content, 36, 1 << 22)

    with pytest.raises(ImageUnavailable, match="refused"):
        cache.fetch(server.image(bytes(content), disk_format="qcow2"), samples.ignore)

    assert left(tmp_path) == []


def test_many_builds_at_once_fetch_once(server, cache):
    image = server.image(os.urandom(1_000_000))
    server.pause_s = 0.02
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(cache.fetch(image, samples.ignore))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(paths)) == 1
    assert len(paths) == 8
    assert server.requests == 1


def test_a_listener_that_raises_ends_the_fetch_at_once(server, cache, tmp_path):
    image = server.image(os.urandom(5_000_000))
    server.pause_s = 0.1

    def tell(step):
        if step.bytes_done and step.bytes_done > 100_000:
            raise BuildCancelled("x")

    with pytest.raises(BuildCancelled):
        cache.fetch(image, tell)

    assert left(tmp_path) == []


def test_a_kill_in_the_middle_leaves_a_part_that_is_never_used(server, cache, tmp_path):
    image = server.image(os.urandom(3_000_000))
    server.pause_s = 0.05
    program = (
        "import sys\nfrom pathlib import Path\nfrom compute.worker.images import FileImageCache\nfrom tests.compute.virt import samples\n"
        f"image = samples.image(url={image.url!r}, size={image.size}, hash_value={image.hash_value!r})\n"
        f"FileImageCache(Path({str(tmp_path / '_base')!r})).fetch(image, lambda step: print(step.bytes_done, flush=True))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    for _ in range(5):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert left(tmp_path) == [f"{cache_name(image.id)}.part"]
    server.pause_s = 0

    assert cache.fetch(image, samples.ignore).read_bytes() == server.content
    assert left(tmp_path) == [cache_name(image.id)]
