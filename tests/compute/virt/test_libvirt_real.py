"""Real guests on the real libvirt of this machine; names begin with a random prefix and all is removed afterwards."""

import json
import os
import shutil
import socket
import subprocess
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from compute.states import PowerState
from compute.virt.driver import never
from compute.virt.errors import BuildCancelled, DriverError
from compute.virt.libvirt import facts
from compute.virt.libvirt.driver import LibvirtDriver, Options
from images import builder
from tests.compute.virt import samples
from tests.kit.machine import held, lane
from tests.kit.waiting import wait_for

TINY = Path(os.environ.get("NEBULET_TEST_TINY", "/var/tmp/nebulet-test-tiny"))
BUILDER = Path(builder.__file__).parent
pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


def virsh(*words):
    return subprocess.run(["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tiny():
    """The files of the small guest: NEBULET_TEST_TINY, or built once from what it is built from now."""
    if shutil.which("virsh") is None or virsh("version").returncode != 0:
        pytest.skip("libvirt does not answer")
    with held(TINY.with_suffix(".lock")):
        kernel, sources = (
            TINY / "tiny-kernel",
            (path for path in BUILDER.rglob("*") if path.is_file() and path.suffix != ".pyc"),
        )
        if not kernel.exists() or kernel.stat().st_mtime < max(path.stat().st_mtime for path in sources):
            subprocess.run([shutil.sys.executable, "-m", "images.builder", "--output", str(TINY)], check=True)
    return TINY


@pytest.fixture(scope="module")
def prefix():
    return f"t{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def net(prefix):
    return samples.network(f"{prefix}-net", f"{prefix}br", octet=210 + lane())


@pytest.fixture(scope="module")
def driver(tiny, prefix, net):
    # Not pytest's folder: QEMU's user must be able to walk to the disks.
    folder = Path("/var/tmp") / f"nebulet-{prefix}"
    folder.mkdir(mode=0o755)
    driver = LibvirtDriver(Options("qemu:///system", folder / "instances", prefix, "0.1.0", "qemu", soft_reboot_s=40))
    yield driver
    for server_id in driver.guests():
        driver.destroy(server_id)
    virsh("net-destroy", net.name)
    virsh("net-undefine", net.name)
    if driver._guarded:
        driver._guard.remove()
    shutil.rmtree(folder)


class Images:
    """The tiny images, copied once so that libvirt changes the owner of ours only."""

    def __init__(self, folder):
        self.folder = folder

    def fetch(self, image, tell):
        return self.folder / image.url


@pytest.fixture(scope="module")
def images(driver, tiny, prefix):
    folder = Path("/var/tmp") / f"nebulet-{prefix}" / "tiny"
    folder.mkdir(mode=0o755)
    for name in ("tiny-machine.img", "tiny-kernel", "tiny-ramdisk"):
        shutil.copy(tiny / name, folder / name)
    return Images(folder)


@pytest.fixture
def make(driver, images, prefix, net):
    made = []

    def make(number=1, **fields):
        server_id = str(uuid.uuid4())
        spec = samples.guest(
            server_id=server_id,
            domain_name=f"{prefix}-{server_id[:8]}",
            memory_mb=128,
            image=samples.image(url="tiny-machine.img"),
            kernel=samples.image(url="tiny-kernel"),
            ramdisk=samples.image(url="tiny-ramdisk"),
            kernel_args="console=tty0 console=ttyS0",
            interfaces=[samples.interface(number, net)],
            meta_data={"uuid": server_id, "name": "real", "hostname": "real"},
        )
        made.append(server_id)
        return replace(spec, **fields)

    yield make
    for server_id in made:
        driver.destroy(server_id)


def booted(driver, spec):
    log = driver.console_log(spec.server_id)
    wait_for("the login prompt", lambda: log.exists() and b"login:" in log.read_bytes())
    return log.read_bytes()


def answers(address):
    """Whether the guest at this address says anything, if only that nobody listens on the port."""
    try:
        socket.create_connection((address, 22), timeout=3).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def table(driver):
    words = ["nft", "list", "table", "bridge", driver._guard._name]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def leased(net):
    path = Path(f"/var/lib/libvirt/dnsmasq/{net.bridge}.status")
    return {row["ip-address"] for row in json.loads(path.read_text() or "[]")} if path.exists() else set()


def test_a_guest_lives(driver, images, make, net):
    spec = make()
    built = driver.spawn(spec, images, samples.ignore, never)
    assert built.power_state == PowerState.RUNNING
    log = booted(driver, spec)
    address = spec.interfaces[0].addresses[0]
    assert address.encode() in log
    assert b"config drive" in log
    assert answers(address)
    assert leased(net) == {address}

    with socket.socket(socket.AF_UNIX) as viewer:
        viewer.settimeout(5)
        viewer.connect(driver.display(spec.server_id, "vnc").socket)
        assert viewer.recv(12) == b"RFB 003.008\n"

    counted = driver.diagnostics(spec.server_id)
    assert all(cpu.time_ns > 0 for cpu in counted.cpus)
    assert len(counted.cpus) == spec.vcpus
    assert next(disk for disk in counted.disks if disk.device == "vda").read_bytes > 0
    assert [(nic.mac, nic.tx_packets > 0) for nic in counted.nics] == [(spec.interfaces[0].mac, True)]
    assert counted.memory_kib["rss"] > 0

    driver.power_off(spec.server_id, 40)
    assert driver.guests()[spec.server_id] == PowerState.SHUTDOWN
    driver.power_on(spec.server_id)
    booted(driver, spec)
    driver.reboot(spec.server_id, False)
    booted(driver, spec)
    driver.destroy(spec.server_id)

    assert virsh("domstate", spec.server_id).returncode != 0
    assert not driver.console_log(spec.server_id).parent.exists()
    wait_for("the lease to be given back", lambda: leased(net) == set(), 60)
    if driver._guarded:
        assert spec.interfaces[0].mac not in table(driver)


def test_a_freed_address_goes_to_the_next_guest_at_once(driver, images, make, net):
    first = make(7)
    driver.spawn(first, images, samples.ignore, never)
    booted(driver, first)
    driver.destroy(first.server_id)
    card = replace(samples.interface(8, net), addresses=first.interfaces[0].addresses)
    second = make(interfaces=[card])
    driver.spawn(second, images, samples.ignore, never)

    assert card.addresses[0].encode() in booted(driver, second)


def test_a_guest_cannot_speak_with_another_address(driver, images, make, net):
    spec = make(3)
    driver.spawn(spec, images, samples.ignore, never)
    booted(driver, spec)
    if not driver._guarded:
        pytest.skip("no nftables on this host")
    assert spec.interfaces[0].addresses[0] in table(driver)
    address = spec.interfaces[0].addresses[0]
    # The other way round than an attack, and as telling: were its address not its own, the guest could not answer.
    other = replace(driver_port(spec), addresses=["10.0.0.1"])
    driver._guard.forget([driver_port(spec)])
    driver._guard.allow([other])
    assert not answers(address)
    driver._guard.forget([other])
    driver._guard.allow([driver_port(spec)])
    assert answers(address)


def driver_port(spec):
    from compute.virt.libvirt.metadata import Port

    card = spec.interfaces[0]
    return Port(card.port_id, card.mac, card.addresses, card.network.name, card.network.bridge, card.network.gateway_ip)


def test_a_failed_start_leaves_nothing(driver, images, make, prefix):
    spec = make(4, kernel=samples.image(url="tiny-kernel"), memory_mb=40_000_000)

    with pytest.raises(DriverError):
        driver.spawn(spec, images, samples.ignore, never)

    assert spec.server_id not in driver.guests()
    assert virsh("domstate", spec.server_id).returncode != 0
    assert not driver.console_log(spec.server_id).parent.exists()


def test_a_cancelled_build_leaves_nothing(driver, images, make):
    spec = make(5)

    with pytest.raises(BuildCancelled):
        driver.spawn(spec, images, samples.ignore, lambda: True)

    assert virsh("domstate", spec.server_id).returncode != 0


def test_events_are_told(driver, images, make):
    # A name that would break out of XML, if it could.
    spec, seen = make(6, name="</nova:name>\"'<&>]]>\x00 名前 🚀"), []
    driver.watch(lambda server_id, state: seen.append((server_id, state)))
    driver.spawn(spec, images, samples.ignore, never)
    virsh("destroy", spec.domain_name)

    wait_for("the event", lambda: (spec.server_id, PowerState.SHUTDOWN) in seen, 60)
    assert driver.guests()[spec.server_id] == PowerState.SHUTDOWN


def test_a_full_disk_is_a_sentence_and_leaves_nothing(driver, prefix, tiny):
    folder = Path("/var/tmp") / f"nebulet-{prefix}" / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)], check=True)
    try:
        base = folder.parent / "base"
        base.write_bytes(bytes(4096))
        crowded = LibvirtDriver(Options("test:///default", folder, f"{prefix}-full", "0.1.0"))
        (folder / "ballast").write_bytes(bytes(100_000))
        spec = samples.guest(server_id=str(uuid.uuid4()), domain_name=f"{prefix}-full", interfaces=[])

        with pytest.raises(DriverError, match="disk of this host is full"):
            crowded.spawn(spec, samples.OneFile(base), samples.ignore, never)

        assert {one.name for one in folder.iterdir()} == {"ballast"}
        assert crowded.guests() == {}
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_auto_chooses_what_really_starts_a_guest():
    assert facts.virt_type("auto") in {"kvm", "qemu"}
