"""A host whose power is cut: all its guests are gone, with their network and rules; those that ran run again if that was asked for."""

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cloud import Api, Cloud
from tests.e2e.guest import ssh
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


@pytest.fixture
def key(api: Api, tmp_path):
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    body = {"keypair": {"name": "restarts", "public_key": path.with_suffix(".pub").read_text()}}
    assert api.http.post("/compute/v2.1/os-keypairs", json=body).status_code in (200, 201)
    yield path
    assert api.http.delete("/compute/v2.1/os-keypairs/restarts").status_code in (202, 204)


@pytest.fixture
def servers(api: Api, key):
    """One server that runs and hears of its key from the metadata service, and three that rest: stopped, paused, suspended."""
    group = api.http.post("/network/v2.0/security-groups", json={"security_group": {"name": "open"}}).json()["security_group"]
    api.let_in("open", protocol="tcp", port_range_min=22, port_range_max=22)
    asked = {"key_name": "restarts", "security_groups": [{"name": "open"}]}
    names = ("ran", "stopped", "paused", "suspended")
    ids = {name: api.create(name, config_drive=False, **(asked if name == "ran" else {})) for name in names}
    for server_id in ids.values():
        api.wait(server_id)
    for name, act, status in (
        ("stopped", "os-stop", "SHUTOFF"),
        ("paused", "pause", "PAUSED"),
        ("suspended", "suspend", "SUSPENDED"),
    ):
        assert api.act(ids[name], act).status_code == 202
        api.wait(ids[name], status)
    yield ids
    for server_id in ids.values():
        if api.http.get(f"/compute/v2.1/servers/{server_id}").status_code == 200:
            api.delete(server_id)
    assert api.http.delete(f"/network/v2.0/security-groups/{group['id']}").status_code == 204


def test_after_a_power_cut_guests_run_again_where_that_is_asked_for_and_stay_off_with_a_reason_elsewhere(
    cloud: Cloud, api: Api, servers, key
):
    ran, stopped, paused, suspended = servers.values()
    asked(api, ran, key, "echo outlives everything >proof; sync")

    cut_power(cloud)
    cloud.extra["NEBULET_RESUME_GUESTS"] = "1"
    try:
        cloud.up()
    finally:
        del cloud.extra["NEBULET_RESUME_GUESTS"]

    wait_for("the start", lambda: deeds(api, ran)[:2] == ["start", "host_restart"], 30)
    api.wait(ran)
    assert asked(api, ran, key, "cat proof") == "outlives everything\n"
    assert len(running(cloud)) == 1
    address = api.server(ran)["addresses"]["private"][0]["addr"]
    assert address in rules(cloud), "it is guarded again"
    for server_id, status in ((stopped, "SHUTOFF"), (paused, "SHUTOFF"), (suspended, "SUSPENDED")):
        api.wait(server_id, status, 5)
    assert [deeds(api, server_id)[0] for server_id in (stopped, paused, suspended)] == ["stop", "host_restart", "suspend"]

    cut_power(cloud)
    cloud.up()

    assert api.wait(ran, "SHUTOFF", 30)["OS-EXT-STS:power_state"] == 4
    assert deeds(api, ran)[0] == "host_restart"
    assert running(cloud) == set()
    assert api.act(suspended, "resume").status_code == 202
    api.wait(suspended)
    for server_id in servers.values():
        api.delete(server_id)
    assert cloud.domains() == []
    cloud.nebulet("manage", "invariants")


def cut_power(cloud: Cloud) -> None:
    """Leave of this cloud what a machine has after it came up again: files."""
    report = json.loads(cloud.nebulet("status", "--json").stdout)
    for pid in (report["pid"], *(row["pid"] for row in report["processes"])):
        os.kill(pid, signal.SIGKILL)
    wait_for("the end of all", lambda: not any(Path(f"/proc/{row['pid']}").exists() for row in report["processes"]), 10)
    for domain in running(cloud):
        cloud.virsh("destroy", domain)
    for network in cloud.virsh("net-list", "--name").split():
        if network.startswith(f"{cloud.name}-"):
            cloud.virsh("net-destroy", network)
    for family, name in (("bridge", ""), ("ip", ""), ("ip", "_metadata")):
        subprocess.run(["nft", "delete", "table", family, f"nebulet_{cloud.name}{name}"], check=True)
    with sqlite3.connect(cloud.state / "db" / "nebulet.sqlite3") as database:
        known = database.execute("SELECT boot_id FROM compute_host").fetchall()
        assert known == [(Path("/proc/sys/kernel/random/boot_id").read_text().strip(),)]
        database.execute("UPDATE compute_host SET boot_id = 'the one before'")
    database.close()


def rules(cloud: Cloud) -> str:
    """Return what guards the guests of the cloud."""
    words = ["nft", "list", "table", "bridge", f"nebulet_{cloud.name}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def running(cloud: Cloud) -> set[str]:
    """Return the domains of the cloud that are on, paused ones among them."""
    return {name for name in cloud.virsh("list", "--name").split() if name.startswith(f"{cloud.name}-")}


def deeds(api: Api, server_id: str) -> list[str]:
    """Return the actions log, newest first."""
    rows = api.http.get(f"/compute/v2.1/servers/{server_id}/os-instance-actions").json()["instanceActions"]
    return [row["action"] for row in rows]


def asked(api: Api, server_id: str, key: Path, command: str) -> str:
    """Return what a guest answers on its address."""
    address = api.server(server_id)["addresses"]["private"][0]["addr"]

    def probe() -> tuple[str] | None:
        done = ssh("", key, address, command)
        return None if done.returncode else (done.stdout,)

    return str(wait_for(f"an answer of {address}", probe, 90, every=1)[0])
