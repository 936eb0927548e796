"""The password of a guest's administrator on its config drive, from a sealed command to the file, with libvirt's test driver."""

import json
import time
from dataclasses import replace

import pytest

from compute.copy_messages import Rebuild, Rescue
from compute.messages import Spawn
from compute.virt import admin_password
from compute.virt.driver import RescueSpec
from compute.virt.libvirt.markup import read
from compute.worker.build import Builder
from compute.worker.commands import Commands
from compute.worker.copies import CopyCommands
from compute.worker.ledger import Ledger
from compute.worker.operations import Operations
from tests.compute.virt import samples
from tests.compute.virt.test_parts import files

KEY = b"k" * 32
META_DATA = "/openstack/latest/meta_data.json"


class Heard:
    """A reporter that keeps what it is told."""

    host = "host-1"

    def __init__(self):
        self.faults = []

    def send(self, report):
        self.faults.append(report.fault)

    def try_send(self, report):
        return True

    def now(self):
        return time.time()


class Host:
    """The command handlers of one host."""

    def __init__(self, driver, base, instances):
        self.heard, operations, images = Heard(), Operations(), samples.OneFile(base)
        builder = Builder(driver, images, self.heard, operations, key=KEY)
        self.commands = Commands(driver, builder, self.heard, operations, ledger=Ledger(instances / "_ledger"))
        self.copies = CopyCommands(
            driver, self.commands, self.heard, operations, images=images, builder=builder, instances=instances
        )


@pytest.fixture
def driver(libvirt_driver):
    return libvirt_driver


@pytest.fixture
def host(driver, base, tmp_path):
    return Host(driver, base, tmp_path / "instances")


@pytest.fixture
def sealed_spec(driver, spec, host):
    spec = replace(spec, admin_pass=admin_password.sealed(KEY, "first"))
    host.commands.spawn(Spawn(spec.server_id, "req-1", spec))
    yield spec
    driver.destroy(spec.server_id)


def told(driver, spec):
    """Return what the config drive says that the guest has now."""
    sources = [source.get("file") for source in read(driver.definition(spec.server_id)).iterfind(".//disk/source")]
    drive = next(path for path in sources if path.endswith(".iso"))
    return json.loads(files(drive)[1][META_DATA])


def test_a_new_guest_finds_its_password_on_its_drive(driver, host, sealed_spec):
    assert host.heard.faults == [None]
    assert told(driver, sealed_spec) == {**samples.guest().meta_data, "admin_pass": "first"}
    assert "first" not in driver.definition(sealed_spec.server_id)


def test_a_rebuilt_guest_finds_the_new_one(driver, host, sealed_spec):
    guest = replace(sealed_spec, admin_pass=admin_password.sealed(KEY, "second"))
    host.copies.rebuild(Rebuild(guest.server_id, "req-2", guest))
    assert told(driver, guest)["admin_pass"] == "second"


def test_a_guest_finds_another_password_only_while_it_is_rescued(driver, host, sealed_spec):
    before = files(driver.console_log(sealed_spec.server_id).parent / "config.iso")
    rescue = RescueSpec(image=samples.image("rescue"), admin_pass=admin_password.sealed(KEY, "rescue-me"))
    host.copies.rescue(Rescue(sealed_spec.server_id, "req-2", rescue))
    assert host.heard.faults == [None, None]
    drive = driver.console_log(sealed_spec.server_id).parent / "config.rescue.iso"
    label, found = files(drive)
    assert json.loads(found.pop(META_DATA)) == {**json.loads(before[1][META_DATA]), "admin_pass": "rescue-me"}
    assert (label, found) == (before[0], {name: text for name, text in before[1].items() if name != META_DATA})
    assert told(driver, sealed_spec)["admin_pass"] == "rescue-me"
    assert drive.stat().st_mode & 0o777 == 0o600

    driver.unrescue(sealed_spec.server_id)

    assert told(driver, sealed_spec)["admin_pass"] == "first"
    assert not drive.exists()


def test_a_guest_without_a_drive_is_rescued_all_the_same(driver, host, spec):
    spec = replace(spec, config_drive=False)
    host.commands.spawn(Spawn(spec.server_id, "req-1", spec))
    rescue = RescueSpec(image=samples.image("rescue"), admin_pass=admin_password.sealed(KEY, "rescue-me"))
    host.copies.rescue(Rescue(spec.server_id, "req-2", rescue))
    assert host.heard.faults == [None, None]
    driver.destroy(spec.server_id)


def test_a_password_sealed_with_another_key_is_a_fault_and_no_guest(driver, host, spec):
    spec = replace(spec, admin_pass=admin_password.sealed(b"o" * 32, "first"))
    host.commands.spawn(Spawn(spec.server_id, "req-1", spec))
    assert "cannot be read" in host.heard.faults[0]
    assert spec.server_id not in driver.guests()
