"""The memory of a suspended guest, which lies on its host's disk for a while, on real libvirt."""

import subprocess
from pathlib import Path

import pytest

from compute.states import PowerState
from compute.virt.driver import never
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import booted, driver, images, make, net, prefix, tiny  # noqa: F401

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

SAVED = Path("/var/lib/libvirt/qemu/save")
STRANGER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def test_memory_on_disk_is_closed_to_others_and_goes_with_its_guest(driver, images, make):  # noqa: F811
    spec = make(31)
    driver.spawn(spec, images, samples.ignore, never)
    booted(driver, spec)
    memory = SAVED / f"{spec.domain_name}.save"

    driver.suspend(spec.server_id)
    assert driver.guests()[spec.server_id] == PowerState.SUSPENDED
    assert b"Linux version" in memory.read_bytes(), "it is what the guest has in mind"
    assert memory.stat().st_mode & 0o077 == 0
    assert subprocess.run([*STRANGER, "cat", str(memory)], capture_output=True, check=False).returncode != 0
    driver.rebuild(spec, images, samples.ignore, never, start=True, preserve_ephemeral=False)
    assert not memory.exists()
    assert b"Linux version" in booted(driver, spec), "it booted and does not go on where it was"

    driver.suspend(spec.server_id)
    driver.reboot(spec.server_id, True)
    assert not memory.exists()

    driver.suspend(spec.server_id)
    assert memory.exists()
    driver.destroy(spec.server_id)
    assert not memory.exists()
