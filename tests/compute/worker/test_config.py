"""What the worker takes from its environment."""

import pytest

from compute.worker.config import Config
from compute.worker.host import make_driver
from deploy.launcher import hypervisor, moved


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "queue-key").write_text("secret\n")
    return {"NEBULET_STATE_DIR": str(tmp_path)}


def test_defaults_are_those_of_the_architecture(environ, tmp_path):
    config = Config.read(environ)

    assert config.driver == "libvirt"
    assert config.libvirt_uri == "qemu:///system"
    assert config.broker_url == f"unix://{tmp_path}/run/queue.sock?db=0"
    assert config.redis_url == f"unix://{tmp_path}/run/queue.sock?db=1"
    assert config.relay == f"unix:{tmp_path}/run/relay.sock"
    assert config.queue_key == b"secret"
    assert "secret" not in repr(config).replace(str(tmp_path), "")


def test_pretended_hosts_of_one_folder_have_relays_of_their_own(environ):
    relays = {Config.read({**environ, "NEBULET_DRIVER": "fake", "NEBULET_HOST": host}).relay for host in ("a", "b/../c")}

    assert len(relays) == 2
    assert not any("/.." in relay for relay in relays)


def test_a_pretended_host_is_described_by_the_environment(environ):
    config = Config.read({**environ, "NEBULET_FAKE_VCPUS": "64", "NEBULET_FAKE_STEP_S": "0.5"})

    assert (config.pretence.vcpus, config.pretence.step_s) == (64, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"NEBULET_DRIVER": "xen"},
        {"NEBULET_VIRT_TYPE": "lxc"},
        {"NEBULET_CPU": "<model>"},
        {"NEBULET_METADATA_PORT": "70000"},
        {"NEBULET_RESUME_GUESTS": "maybe"},
        {"NEBULET_FAKE_VCPUS": "many"},
        {"NEBULET_STATE_DIR": "/nowhere"},
    ],
)
def test_what_cannot_be_is_a_sentence(environ, wrong):
    with pytest.raises(SystemExit, match=r"\w+ .*(is|cannot)"):
        Config.read({**environ, **wrong})


def test_how_long_unused_images_stay_is_a_whole_number_of_days(environ):
    assert Config.read(environ).image_cache_days == 14
    assert Config.read({**environ, "NEBULET_IMAGE_CACHE_DAYS": "0"}).image_cache_days == 0
    for wrong in ("-1", "1.5", "", "a week"):
        with pytest.raises(SystemExit, match=r"NEBULET_IMAGE_CACHE_DAYS is .*, which is no whole number"):
            Config.read({**environ, "NEBULET_IMAGE_CACHE_DAYS": wrong})


def test_what_guests_may_reach_is_a_list_of_services(environ):
    assert Config.read(environ).guests_may_reach == ()
    assert Config.read({**environ, "NEBULET_GUESTS_MAY_REACH": "tcp/3142, udp/0123"}).guests_may_reach == (
        "tcp/3142",
        "udp/123",
    )
    for wrong in ("3142", "tcp/0", "tcp/65536", "tcp/22;accept", "icmp/8", "tcp/apt", "TCP/22"):
        with pytest.raises(SystemExit, match=r"NEBULET_GUESTS_MAY_REACH names .*, which is no service; .* tcp/3142,udp/123"):
            Config.read({**environ, "NEBULET_GUESTS_MAY_REACH": wrong})


def test_a_worker_does_not_start_where_guests_could_fill_the_disk_by_their_consoles(environ, monkeypatch):
    monkeypatch.setattr(hypervisor, "unbounded_logs", lambda: "qemu.conf says so.")

    with pytest.raises(SystemExit, match=r"qemu.conf says so"):
        make_driver(Config.read({**environ, "NEBULET_LIBVIRT_URI": "test:///default"}))


def test_a_worker_does_not_start_where_its_guests_would_not(environ, monkeypatch):
    monkeypatch.setattr(moved, "moved_guests", lambda instances: f"{instances} was moved.")

    with pytest.raises(SystemExit, match=r"instances was moved"):
        make_driver(Config.read({**environ, "NEBULET_LIBVIRT_URI": "test:///default"}))


def test_guests_that_ran_before_a_restart_stay_off_unless_somebody_asks(environ):
    assert [Config.read({**environ, **more}).resume_guests for more in ({}, {"NEBULET_RESUME_GUESTS": "1"})] == [False, True]
