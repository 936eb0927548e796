"""What every driver does: on the fake, and on libvirt's test driver."""

import shutil
import subprocess
import threading
import time

import pytest

from compute.states import PowerState, TaskState
from compute.virt.driver import Card, never
from compute.virt.errors import BuildCancelled, DriverError, GuestNotFound, GuestNotRunning
from compute.virt.fake import FakeDriver, Pretence
from compute.virt.libvirt.driver import LibvirtDriver, Options
from compute.virt.libvirt.storage import cache_mode
from tests.compute.virt import samples

GIB = 1024**3


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
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    return LibvirtDriver(Options("test:///default", tmp_path / "instances", tmp_path.name, "0.1.0"))


@pytest.fixture
def spec():
    """A guest of its own each time: the test driver keeps its guests for the whole process."""
    import uuid

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


class TestDriver:
    def test_facts_have_amounts(self, driver):
        facts = driver.facts()

        assert facts.vcpus > 0
        assert facts.memory_mb > facts.memory_mb_used > 0
        assert facts.disk_gb >= facts.disk_gb_free >= 0

    def test_a_card_is_known_by_bridge_and_address_while_its_guest_is_there(self, driver, spawned):
        [card] = spawned.interfaces
        bridge, address = card.network.bridge, card.addresses[0]

        for _ in range(2):
            assert driver.card_at(bridge, address) == Card(spawned.server_id, card.port_id)
        assert driver.card_at("another", address) is None
        assert driver.card_at(bridge, "10.231.77.250") is None
        driver.destroy(spawned.server_id)
        assert driver.card_at(bridge, address) is None

    def test_bridges_are_those_of_this_installations_networks(self, driver, spawned):
        assert driver.bridges() <= {spawned.interfaces[0].network.bridge}

    def test_spawn_tells_its_stages_in_order(self, driver, spec, base):
        steps = []

        built = driver.spawn(spec, samples.OneFile(base), steps.append, never)

        assert [step.stage for step in steps] == [TaskState.NETWORKING, TaskState.BLOCK_DEVICE_MAPPING, TaskState.SPAWNING]
        assert built.power_state == PowerState.RUNNING
        assert spec.server_id in built.definition
        assert driver.guests()[spec.server_id] == PowerState.RUNNING
        driver.destroy(spec.server_id)

    def test_spawning_twice_is_a_success(self, driver, spawned, base):
        again = driver.spawn(spawned, samples.OneFile(base), samples.ignore, never)

        assert again.power_state == PowerState.RUNNING

    def test_a_late_spawn_does_not_touch_a_stopped_guest(self, driver, spawned, base):
        log = driver.console_log(spawned.server_id)
        log.write_text("it ran")
        driver.power_off(spawned.server_id, 0)
        keep = log.with_name("disk")
        keep.write_text("precious")

        again = driver.spawn(spawned, samples.OneFile(base), samples.ignore, never)

        assert again.power_state == PowerState.SHUTDOWN
        assert keep.read_text() == "precious"

    def test_a_cancelled_build_leaves_nothing(self, driver, spec, base):
        with pytest.raises(BuildCancelled):
            driver.spawn(spec, samples.OneFile(base), samples.ignore, lambda: True)

        assert spec.server_id not in driver.guests()
        assert not driver.console_log(spec.server_id).parent.exists()

    def test_a_tell_that_raises_ends_the_build(self, driver, spec, base):
        def tell(step):
            if step.stage == TaskState.SPAWNING:
                raise BuildCancelled(spec.server_id)

        with pytest.raises(BuildCancelled):
            driver.spawn(spec, samples.OneFile(base), tell, never)

        assert spec.server_id not in driver.guests()
        assert not driver.console_log(spec.server_id).parent.exists()

    def test_destroy_twice_is_a_success(self, driver, spawned):
        driver.destroy(spawned.server_id)
        driver.destroy(spawned.server_id)

        assert spawned.server_id not in driver.guests()
        assert not driver.console_log(spawned.server_id).parent.exists()

    def test_power_cycle(self, driver, spawned):
        for _ in range(2):
            driver.power_off(spawned.server_id, 0)
            assert driver.guests()[spawned.server_id] == PowerState.SHUTDOWN
        for _ in range(2):
            driver.power_on(spawned.server_id)
            assert driver.guests()[spawned.server_id] == PowerState.RUNNING

    def test_counters_of_a_running_guest(self, driver, spawned):
        found = driver.diagnostics(spawned.server_id)

        assert found.power_state == PowerState.RUNNING
        assert found.memory_max_kib == spawned.memory_mb * 1024
        assert [cpu.number for cpu in found.cpus] == list(range(spawned.vcpus))
        assert [nic.mac for nic in found.nics] in ([], [card.mac for card in spawned.interfaces])

        driver.power_off(spawned.server_id, 0)
        with pytest.raises(GuestNotRunning):
            driver.diagnostics(spawned.server_id)
        with pytest.raises(GuestNotFound):
            driver.diagnostics("00000000-0000-4000-8000-000000000000")

    def test_a_graceful_stop(self, driver, spawned):
        driver.power_off(spawned.server_id, 5)

        assert driver.guests()[spawned.server_id] == PowerState.SHUTDOWN

    @pytest.mark.parametrize("hard", [True, False])
    def test_reboot(self, driver, spawned, hard):
        driver.reboot(spawned.server_id, hard)

        assert driver.guests()[spawned.server_id] == PowerState.RUNNING

    def test_a_stopped_guest_can_be_started_by_a_reboot(self, driver, spawned):
        driver.power_off(spawned.server_id, 0)
        driver.reboot(spawned.server_id, True)

        assert driver.guests()[spawned.server_id] == PowerState.RUNNING

    @pytest.mark.parametrize("act", ["power_on", "definition"])
    def test_an_unknown_guest_is_said_to_be_missing(self, driver, act):
        with pytest.raises(GuestNotFound):
            getattr(driver, act)(samples.SERVER_ID)

    def test_an_unknown_guest_cannot_be_stopped_or_restarted(self, driver):
        with pytest.raises(GuestNotFound):
            driver.power_off(samples.SERVER_ID, 0)
        with pytest.raises(GuestNotFound):
            driver.reboot(samples.SERVER_ID, False)

    def test_a_stopped_guest_has_no_display(self, driver, spawned):
        driver.power_off(spawned.server_id, 0)

        with pytest.raises(GuestNotRunning):
            driver.display(spawned.server_id, "vnc")

    def test_there_is_no_display_of_another_kind(self, driver, spawned):
        with pytest.raises(DriverError):
            driver.display(spawned.server_id, "telepathy")

    def test_changes_are_told(self, driver, spawned):
        seen = []
        driver.watch(lambda server_id, state: seen.append((server_id, state)))

        driver.power_off(spawned.server_id, 0)

        end = time.monotonic() + 5
        while (spawned.server_id, PowerState.SHUTDOWN) not in seen:
            assert time.monotonic() < end, seen
            time.sleep(0.01)


class TestLibvirtStorage:
    """What only a driver with disks does."""

    @pytest.fixture
    def driver(self, tmp_path):
        return LibvirtDriver(Options("test:///default", tmp_path / "instances", tmp_path.name, "0.1.0"))

    def test_the_folder_has_what_the_architecture_says(self, driver, spawned):
        folder = driver.console_log(spawned.server_id).parent

        assert {one.name for one in folder.iterdir()} == {"disk", "disk.info", "config.iso", "domain.xml"}
        assert folder.stat().st_mode & 0o777 == 0o711
        assert (folder / "disk").stat().st_mode & 0o777 == 0o600

    def test_a_disk_has_the_size_of_the_flavor_and_names_its_base_format(self, driver, spawned):
        folder = driver.console_log(spawned.server_id).parent
        said = subprocess.run(["qemu-img", "info", str(folder / "disk")], capture_output=True, text=True, check=True).stdout

        assert "virtual size: 1 GiB" in said
        assert "backing file format: raw" in said

    def test_the_file_under_a_disk_is_known_as_long_as_the_guest_is_there(self, driver, spawned, base):
        assert driver.bases() == [base]

        driver.destroy(spawned.server_id)

        assert driver.bases() == []

    def test_a_flavor_that_is_too_small_is_refused(self, driver, spec, tmp_path):
        big = tmp_path / "big"
        big.touch()
        big.open("r+b").truncate(2 * GIB)

        with pytest.raises(DriverError, match=r"needs a disk of 2 GB; flavor m1\.tiny gives 1 GB"):
            driver.spawn(spec, samples.OneFile(big), samples.ignore, never)

    def test_leftovers_of_a_crash_are_built_anew(self, driver, spec, base):
        folder = driver.console_log(spec.server_id).parent
        folder.mkdir(parents=True)
        (folder / "disk").write_text("half")

        driver.spawn(spec, samples.OneFile(base), samples.ignore, never)

        assert driver.guests()[spec.server_id] == PowerState.RUNNING
        driver.destroy(spec.server_id)

    def test_a_guest_that_was_left_just_before_its_start_is_started(self, driver, spawned, base):
        driver.power_off(spawned.server_id, 0)

        assert driver.spawn(spawned, samples.OneFile(base), samples.ignore, never).power_state == PowerState.RUNNING

    def test_a_lost_connection_is_opened_again(self, driver, spawned):
        class Dead:
            def isAlive(self):
                return False

        seen, came = [], threading.Event()
        driver.watch(lambda server_id, state: (seen.append(state), came.set()))
        driver._connection._connect = Dead()

        driver.power_off(spawned.server_id, 0)

        assert driver.guests()[spawned.server_id] == PowerState.SHUTDOWN
        assert came.wait(5)

    def test_another_installation_is_neither_seen_nor_touched(self, driver, spawned, tmp_path):
        other = LibvirtDriver(Options("test:///default", tmp_path / "other", "somebody-else", "0.1.0"))

        assert spawned.server_id not in other.guests()
        other.destroy(spawned.server_id)
        assert driver.guests()[spawned.server_id] == PowerState.RUNNING
        with pytest.raises(GuestNotFound):
            other.power_off(spawned.server_id, 0)

    def test_many_builds_at_once_share_a_network(self, driver, base):
        net = samples.network("crowd", "br-crowd", 78)
        specs = [
            samples.guest(
                server_id=f"00000000-0000-4000-8000-{n:012d}", domain_name=f"crowd-{n}", interfaces=[samples.interface(n, net)]
            )
            for n in range(1, 6)
        ]
        threads = [
            threading.Thread(target=driver.spawn, args=(one, samples.OneFile(base), samples.ignore, never)) for one in specs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert {one.server_id for one in specs} <= driver.guests().keys()
        for one in specs:
            driver.destroy(one.server_id)

    def test_the_page_cache_is_left_out_where_that_works(self, tmp_path):
        assert cache_mode(tmp_path) in {"none", "writeback"}
        assert list(tmp_path.iterdir()) == []


class TestFake:
    """What only the fake does."""

    def test_guests_outlive_the_process(self, tmp_path, base):
        register = tmp_path / "register.json"
        FakeDriver(tmp_path, register=register).spawn(samples.guest(), samples.OneFile(base), samples.ignore, never)

        later = FakeDriver(tmp_path, register=register)

        assert later.guests() == {samples.SERVER_ID: PowerState.RUNNING}
        later.destroy(samples.SERVER_ID)
        assert FakeDriver(tmp_path, register=register).guests() == {}

    def test_faults_are_injected_by_name(self, tmp_path, base):
        driver = FakeDriver(tmp_path, faults={"fail-spawn": DriverError("No.")})

        with pytest.raises(DriverError, match=r"No\."):
            driver.spawn(samples.guest(name="web fail-spawn 1"), samples.OneFile(base), samples.ignore, never)

        assert driver.guests() == {}

    def test_there_is_a_console_log_and_a_display(self, tmp_path, base):
        import socket

        driver = FakeDriver(tmp_path)
        driver.spawn(samples.guest(), samples.OneFile(base), samples.ignore, never)

        assert "login:" in driver.console_log(samples.SERVER_ID).read_text()
        with socket.socket(socket.AF_UNIX) as viewer:
            viewer.settimeout(5)
            viewer.connect(driver.display(samples.SERVER_ID, "vnc").socket)
            assert viewer.recv(12) == b"RFB 003.008\n"
            viewer.sendall(b"RFB 003.008\n")
            assert viewer.recv(2) == b"\1\1"
            viewer.sendall(b"\1")
            assert viewer.recv(4) == bytes(4)
            viewer.sendall(b"\1")
            assert viewer.recv(4, socket.MSG_WAITALL) == b"\x01\x40\x00\xc8"
            viewer.recv(20 + len("1111"), socket.MSG_WAITALL)
            viewer.sendall(b"\3\0\0\0\0\0\1\x40\0\xc8")
            assert viewer.recv(4, socket.MSG_WAITALL) == b"\0\0\0\1"
        driver.destroy(samples.SERVER_ID)

    def test_a_slow_build_can_be_cancelled(self, tmp_path, base):
        from compute.virt.fake import Pretence

        driver, stop = FakeDriver(tmp_path, Pretence(step_s=30)), threading.Event()
        threading.Timer(0.1, stop.set).start()
        started = time.monotonic()

        with pytest.raises(BuildCancelled):
            driver.spawn(samples.guest(), samples.OneFile(base), samples.ignore, stop.is_set)

        assert time.monotonic() - started < 2
