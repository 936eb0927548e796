"""What an operator's environment says about how hosts are given out."""

import pytest

from compute.states import VmState
from portal.settings.environment import Environment
from tests.kit.compute import *  # noqa: F403

RATIOS = ("CPU", "RAM", "DISK")


def read():
    env = Environment.read()
    ratios = (env.cpu_allocation_ratio, env.ram_allocation_ratio, env.disk_allocation_ratio)
    return ratios, env.shelved_offload_time_s


def test_hosts_are_given_out_as_the_operator_says(monkeypatch):
    assert read() == ((16.0, 1.5, 1.0), 0)
    for name, ratio in zip(RATIOS, ("4", "0.9", "2.5"), strict=True):
        monkeypatch.setenv(f"NEBULET_{name}_ALLOCATION_RATIO", ratio)
    monkeypatch.setenv("NEBULET_SHELVED_OFFLOAD_TIME_S", "-1")
    assert read() == ((4.0, 0.9, 2.5), -1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((f"{name}_ALLOCATION_RATIO", text) for name in RATIOS for text in ("0", "-1", "nan", "inf", "much")),
        ("SHELVED_OFFLOAD_TIME_S", "-2"),
        ("SHELVED_OFFLOAD_TIME_S", "soon"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(monkeypatch, name, text):
    monkeypatch.setenv(f"NEBULET_{name}", text)
    with pytest.raises(ValueError):
        Environment.read()


@pytest.mark.parametrize(("name", "ratio"), [("CPU", 1 / 8), ("RAM", 512 / 16384), ("DISK", 1 / 200)])
def test_a_host_takes_no_more_than_its_ratio(cloud, settings, name, ratio):
    setattr(settings, f"{name}_ALLOCATION_RATIO", ratio)  # room for one server of the small flavor
    first, second = (cloud.place(cloud.create()) for _ in range(2))
    assert (first.host, second.host, second.vm_state) == ("host-1", None, VmState.ERROR)
