"""What the launcher makes of its environment."""

import re
from pathlib import Path

import pytest

from deploy.launcher import packages
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError


def test_nothing_set_gives_the_documented_defaults():
    config = Config.read({})

    assert config.state_dir == Path("/var/lib/nebulet")
    assert (config.bind, config.port, config.public_url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert (config.name, config.driver) == ("nebulet", "libvirt")
    assert config.needs_queue


def test_the_public_address_follows_the_port():
    assert Config.read({"NEBULET_PORT": "8123"}).public_url == "http://127.0.0.1:8123"
    assert Config.read({"NEBULET_PUBLIC_URL": "https://cloud.example/"}).public_url == "https://cloud.example"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NEBULET_PORT", "0"),
        ("NEBULET_PORT", "70000"),
        ("NEBULET_PORT", "eighty"),
        ("NEBULET_NAME", "My Cloud"),
        ("NEBULET_NAME", "a" * 16),
        ("NEBULET_DRIVER", "xen"),
        ("NEBULET_STATE_DIR", "/" + "long/" * 30),
    ],
)
def test_a_value_that_cannot_be_is_named_with_a_command(variable, value):
    with pytest.raises(LauncherError) as caught:
        Config.read({variable: value})

    assert caught.value.command.endswith("./nebulet up")


def test_children_learn_settings_but_no_password_and_nothing_else(environ):
    environ |= {"NEBULET_ADMIN_PASSWORD": "secret", "HTTP_PROXY": "x", "PYTHONPATH": "/evil", "DATABASE_URL": "sqlite://"}

    child = Config.read(environ).child_environment(home=Path("/home"), host="host-2")

    assert child["NEBULET_HOST"] == "host-2"
    assert child["DATABASE_URL"] == "sqlite://"
    assert child["DJANGO_SETTINGS_MODULE"] == "portal.settings.prod"
    assert child.keys().isdisjoint({"NEBULET_ADMIN_PASSWORD", "HTTP_PROXY", "PYTHONPATH"})


def test_no_private_queue_when_both_its_uses_are_elsewhere():
    assert Config.read({"BROKER_URL": "amqp://b"}).needs_queue
    assert not Config.read({"BROKER_URL": "amqp://b", "REDIS_URL": "redis://r"}).needs_queue


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL", "REDIS_URL"])
@pytest.mark.parametrize("text", ["amqp://nebulet:se/cret@queue", "redis://:se#cret@h:x", "nebulet:secret@queue", ""])
def test_an_address_that_cannot_be_read_is_not_shown(name, text):
    with pytest.raises(LauncherError, match=name) as caught:
        Config.read({name: text})

    assert not {"se", "secret", "cret"} & set(re.split(r"\W+", f"{caught.value} {caught.value.command}"))


@pytest.mark.parametrize(
    "text", ["postgres://u:p%2Fw@h:5432/db", "sqlite:////tmp/x", "unix:///run/r.sock?db=1", "amqps://a:1/;amqps://b:2/"]
)
def test_addresses_of_every_kind_are_taken(text):
    assert Config.read({"DATABASE_URL": text}).environ["DATABASE_URL"] == text


@pytest.mark.parametrize(
    ("url", "needed"),
    [(None, False), ("sqlite:///x", False), ("postgres://h/mysql", False), ("mysql://u:p%2F@h:3306/n", True)],
)
def test_only_mariadb_needs_its_driver(url, needed):
    config = Config.read({"DATABASE_URL": url} if url else {})

    assert config.on_mariadb is needed
    assert ("libmariadb-dev" in packages.for_running("fake", on_mariadb=config.on_mariadb)) is needed


def test_a_demonstration_has_everything_of_its_own():
    demo = Config.read({}).for_demo()

    assert (demo.state_dir, demo.port, demo.name, demo.driver) == (Path("/tmp/nebulet-demo"), 8001, "demo", "fake")
    assert demo.public_url == "http://127.0.0.1:8001"


def test_a_demonstration_goes_where_it_is_told(environ):
    demo = Config.read(environ).for_demo()

    assert (str(demo.state_dir), demo.port) == (environ["NEBULET_STATE_DIR"], 18765)


@pytest.mark.parametrize(("bind", "host"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.5", "10.0.0.5")])
def test_readiness_is_asked_where_this_machine_reaches_it(bind, host):
    assert Config.read({"NEBULET_BIND": bind}).local_address == (host, 8000)
