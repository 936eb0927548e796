"""What an operator's environment says about images that come in."""

import pytest

from portal.settings.environment import ImageRules


def test_nothing_is_converted_or_injected_unless_it_is_wanted(monkeypatch):
    assert ImageRules.read() == ImageRules(1 << 44, "", {}, ["admin"])
    monkeypatch.setenv("NEBULET_IMAGE_MAX_VIRTUAL_GIB", "10")
    monkeypatch.setenv("NEBULET_IMAGE_CONVERSION", "raw")
    monkeypatch.setenv("NEBULET_IMAGE_INJECT", "origin=import, hw_disk_bus=virtio")
    monkeypatch.setenv("NEBULET_IMAGE_INJECT_IGNORED_ROLES", "admin,manager")
    assert ImageRules.read() == ImageRules(
        10 << 30, "raw", {"origin": "import", "hw_disk_bus": "virtio"}, ["admin", "manager"]
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("MAX_VIRTUAL_GIB", "0"), ("CONVERSION", "vmdk"), ("INJECT", "origin"), ("INJECT", "=x"), ("MAX_VIRTUAL_GIB", "many")],
)
def test_what_cannot_be_meant_stops_the_start(monkeypatch, name, text):
    monkeypatch.setenv(f"NEBULET_IMAGE_{name}", text)
    with pytest.raises(ValueError):
        ImageRules.read()
