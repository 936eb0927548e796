"""A state folder that was moved: what is refused, and that what the sentence says mends it, on real libvirt."""

import shutil
import subprocess
from pathlib import Path

import pytest

from compute.states import PowerState
from compute.virt.driver import never
from compute.virt.errors import DriverError
from compute.virt.libvirt.driver import LibvirtDriver, Options
from deploy.launcher import moved
from deploy.launcher.errors import LauncherError
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import make, net, prefix, tiny, virsh  # noqa: F401
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]


class Places:
    """A state folder that lies at one place, and then at another."""

    def __init__(self, prefix: str, tiny: Path) -> None:  # noqa: F811
        self.folder, self.prefix = Path("/var/tmp") / f"nebulet-{prefix}", prefix
        self.first, self.second = self.folder / "first", self.folder / "second"
        base = self.first / "instances" / "_base"
        base.mkdir(mode=0o755, parents=True)
        for name in ("tiny-machine.img", "tiny-kernel", "tiny-ramdisk"):
            shutil.copy(tiny / name, base / name)

    def driver(self, place: Path) -> LibvirtDriver:
        return LibvirtDriver(Options("qemu:///system", place / "instances", self.prefix, "0.1.0", "qemu"))

    def fetch(self, image, tell) -> Path:
        """Be the image cache, wherever that is now."""
        return (self.first if self.first.exists() else self.second) / "instances" / "_base" / image.url


@pytest.fixture(scope="module")
def places(prefix, tiny):  # noqa: F811
    places = Places(prefix, tiny)
    yield places
    shutil.rmtree(places.folder)


@pytest.fixture(scope="module")
def driver(places, net):  # noqa: F811
    """The host before the move."""
    driver = places.driver(places.first)
    yield driver
    virsh("net-destroy", net.name)
    virsh("net-undefine", net.name)
    if driver._guarded:
        driver._guard.remove()


@pytest.fixture(scope="module")
def images(places):
    return places


def test_without_guests_it_works_where_it_is_and_with_guests_a_link_is_asked_for(driver, images, places, make, net):  # noqa: F811
    spec, other = make(51), make(52)
    driver.spawn(spec, images, samples.ignore, never)
    driver.destroy(spec.server_id)
    places.first.rename(places.second)
    moved.check_place(places.second)

    after = places.driver(places.second)
    after.spawn(other, images, samples.ignore, never)
    assert after.guests()[other.server_id] == PowerState.RUNNING
    assert str(places.second) in virsh("net-dumpxml", net.name).stdout, "leases are given out of the folder that is there"

    after.power_off(other.server_id, 0)
    places.second.rename(places.first)
    with pytest.raises(DriverError):
        places.driver(places.first).power_on(other.server_id)
    with pytest.raises(LauncherError, match="state folder was moved") as caught:
        moved.check_place(places.first)
    subprocess.run(caught.value.command, shell=True, check=True)

    moved.check_place(places.first)
    again = places.driver(places.first)
    again.power_on(other.server_id)
    wait_for("the guest", lambda: again.guests()[other.server_id] == PowerState.RUNNING)
    again.destroy(other.server_id)
    assert not (places.first / "instances" / other.server_id).exists()
