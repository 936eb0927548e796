"""POST of a server until ACTIVE on the real hypervisor, image cached, against the same guest made by hand.

By hand means ``qemu-img create`` and ``virsh create`` of the same domain definition with another name, address and disk.
Run it as root beside a cloud that is up and quiet:
``sudo .venv/bin/python benchmarks/build_overhead.py [--rounds 11]`` with the NEBULET_* variables of that cloud.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx

STATE = Path(os.environ.get("NEBULET_STATE_DIR", "/var/lib/nebulet"))
URL = f"http://127.0.0.1:{os.environ.get('NEBULET_PORT', '8000')}"
TARGET_MS = 150
VIRSH = ("virsh", "-q", "-c", "qemu:///system")


def client() -> httpx.Client:
    """Return a client with a token of the project demo."""
    user = {"name": "demo", "domain": {"id": "default"}, "password": (STATE / "secrets/demo-password").read_text().strip()}
    scope = {"project": {"name": "demo", "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    answer = httpx.post(f"{URL}/identity/v3/auth/tokens", json=body).raise_for_status()
    return httpx.Client(base_url=URL, headers={"X-Auth-Token": answer.headers["X-Subject-Token"]}, timeout=60)


def build(http: httpx.Client, image: str) -> tuple[str, float]:
    """Return a new server's id and the milliseconds until it was ACTIVE."""
    body = {"server": {"name": "bench", "flavorRef": "84", "imageRef": image}}
    started = time.perf_counter()
    server_id = http.post("/compute/v2.1/servers", json=body).raise_for_status().json()["server"]["id"]
    while True:
        server = http.get(f"/compute/v2.1/servers/{server_id}").json()["server"]
        if server["status"] == "ACTIVE":
            return server_id, (time.perf_counter() - started) * 1000
        assert server["status"] == "BUILD", server
        time.sleep(0.01)


def by_hand(server_id: str) -> float:
    """Return the milliseconds that the same guest takes by hand; nothing of it stays."""
    folder = STATE / "instances" / f"hand-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o711)
    try:
        name = f"hand-{uuid.uuid4().hex[:8]}"
        xml = (STATE / "instances" / server_id / "domain.xml").read_text()
        old = str(STATE / "instances" / server_id)
        shutil.copy(f"{old}/config.iso", folder / "config.iso")
        xml = re.sub(r"<name>[^<]*</name>", f"<name>{name}</name>", xml, count=1).replace(old, str(folder))
        xml = xml.replace(server_id, str(uuid.uuid4())).replace('dev="tap', 'dev="hnd')
        xml = re.sub(r'(<mac address=")[^"]*', r"\g<1>fa:16:3e:fe:fe:fe", xml)
        (folder / "domain.xml").write_text(xml)
        info = subprocess.run(
            ["qemu-img", "info", "-U", "--output=json", f"{old}/disk"], capture_output=True, text=True, check=True
        )
        base = re.search(r'"full-backing-filename": "([^"]*)"', info.stdout)
        assert base is not None
        started = time.perf_counter()
        make = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", base[1], "-F", "raw", folder / "disk"]
        subprocess.run(make, check=True)
        subprocess.run([*VIRSH, "create", folder / "domain.xml"], check=True, capture_output=True)
        return (time.perf_counter() - started) * 1000
    finally:
        subprocess.run([*VIRSH, "destroy", name], check=False, capture_output=True)
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    http = client()
    image = http.get("/image/v2/images", params={"name": "tiny"}).json()["images"][0]["id"]
    ours, hand = [], []
    for number in range(rounds + 1):
        server_id, took = build(http, image)
        manual = by_hand(server_id)
        http.delete(f"/compute/v2.1/servers/{server_id}").raise_for_status()
        while http.get(f"/compute/v2.1/servers/{server_id}").status_code != 404:
            time.sleep(0.05)
        if number:  # the first fetches the image
            ours.append(took)
            hand.append(manual)
    extra = statistics.median(ours) - statistics.median(hand)
    print(f"POST until ACTIVE   median {statistics.median(ours):7.1f} ms  min {min(ours):.1f}  max {max(ours):.1f}")
    print(f"by hand             median {statistics.median(hand):7.1f} ms  min {min(hand):.1f}  max {max(hand):.1f}")
    print(f"difference          {extra:14.1f} ms  ratio to {TARGET_MS} ms: {extra / TARGET_MS:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
