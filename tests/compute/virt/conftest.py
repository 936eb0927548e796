"""A guest on each driver that the contract is checked on."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute.virt.driver import never
from compute.virt.fake import FakeDriver, Pretence
from compute.virt.libvirt.driver import LibvirtDriver, Options
from tests.compute.virt import samples
from tests.compute.virt.bridged import World


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base"
    path.write_bytes(b"disk")
    path.open("r+b").truncate(8 * 1024 * 1024)
    return path


@pytest.fixture(params=["fake", "libvirt"])
def driver(request, tmp_path):
    if request.param == "fake":
        return FakeDriver(tmp_path / "instances", Pretence(fetch_images=True))
    return request.getfixturevalue("libvirt_driver")


@pytest.fixture
def libvirt_driver(tmp_path):
    """libvirt's own pretended hypervisor, and true files."""
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    return LibvirtDriver(Options("test:///default", tmp_path / "instances", tmp_path.name, "0.1.0"))


@pytest.fixture
def spec():
    """A guest of its own each time: the test driver keeps its guests for the whole process."""
    server_id = str(uuid.uuid4())
    return samples.guest(
        server_id=server_id,
        domain_name=f"t-{server_id[:13]}",
        interfaces=[samples.interface(net=samples.network(f"n-{server_id[:8]}", f"br-{server_id[:8]}"))],
    )


@pytest.fixture
def spawned(driver, spec, base):
    driver.spawn(spec, samples.OneFile(base), samples.ignore, never)
    yield spec
    driver.destroy(spec.server_id)


@pytest.fixture
def world() -> Iterator[World]:
    assert Path("/proc/sys/net/bridge").exists(), "this kernel does not track bridged packets"
    world = World(f"n{uuid.uuid4().hex[:6]}")
    try:
        world.build()
        yield world
    finally:
        world.remove()
