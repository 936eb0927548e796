"""Cards and filters on a host: each command is answered, also the second time, and a guest that is gone has no cards."""

import pytest

from compute.port_messages import AttachInterface, DetachInterface, InterfaceChanged, SetFilters
from compute.virt.driver import never
from compute.virt.errors import DriverError
from compute.virt.fake import FakeDriver
from compute.virt.filtering import GroupSpec
from compute.worker.operations import Operations
from compute.worker.port_commands import PortCommands
from tests.compute.virt import samples


class Told:
    """A reporter that remembers."""

    host = "host-1"

    def __init__(self):
        self.reports = []

    def send(self, report):
        self.reports.append(report)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def driver(tmp_path):
    driver = FakeDriver(tmp_path, faults={"broken": DriverError("No slot is free.")})
    driver.spawn(samples.guest(), samples.OneFile(tmp_path / "base"), samples.ignore, never)
    return driver


@pytest.fixture
def commands(driver, told):
    return PortCommands(driver, told, Operations())


def attach(card, server_id=samples.SERVER_ID):
    return AttachInterface(server_id, "req-1", card, [GroupSpec("g", 1)])


def test_a_card_is_plugged_and_told_each_time(commands, driver, told):
    card = samples.interface(5)
    for _ in range(2):
        commands.attach(attach(card))

    assert card.port_id in driver.cards(samples.SERVER_ID)
    assert told.reports == [InterfaceChanged("host-1", samples.SERVER_ID, "req-1", card.port_id, True)] * 2
    assert "g" in driver.groups


def test_a_fault_is_told_in_a_sentence(commands, driver, told):
    from dataclasses import replace

    card = replace(samples.interface(5), tag="broken")
    commands.attach(attach(card))
    commands.attach(attach(samples.interface(6), "00000000-0000-4000-8000-000000000000"))

    assert [report.fault for report in told.reports] == [
        "No slot is free.",
        "Instance 00000000-0000-4000-8000-000000000000 is not on this host.",
    ]


def test_taking_out_what_is_not_there_is_a_success(commands, told):
    commands.detach(DetachInterface(samples.SERVER_ID, "req-2", "no-such-port"))
    commands.detach(DetachInterface("00000000-0000-4000-8000-000000000000", "req-2", "no-such-guest"))

    assert [(report.attached, report.fault) for report in told.reports] == [(False, None), (False, None)]


def test_filters_are_set_and_nobody_is_told(commands, driver, told):
    commands.set_filters(SetFilters("req-3", [], [GroupSpec("g", 7)]))
    assert driver.groups["g"].revision == 7
    assert told.reports == []


def test_what_was_tried_often_enough_is_told(commands, told):
    commands.give_up(attach(samples.interface(5)))
    commands.give_up(DetachInterface(samples.SERVER_ID, "req-2", "p"))
    commands.give_up(SetFilters("req-3", [], []))
    assert [report.attached for report in told.reports] == [True, False]
    assert all("could not be reached" in report.fault for report in told.reports)
