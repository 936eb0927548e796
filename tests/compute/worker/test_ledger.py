"""Notes of how commands ended: what is told of those that are not whole."""

import pytest

from compute.messages import PowerOff
from compute.worker.ledger import Ledger, Outcome

COMMAND = PowerOff("a-server", "req-1", 5, order=7)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


@pytest.mark.parametrize("fault", [None, "It did not go well.", ""])
def test_an_end_is_told_as_it_was_noted(tmp_path, ledger, fault):
    assert ledger.outcome(COMMAND) is None
    ledger.note(COMMAND, fault)

    assert Ledger(tmp_path).outcome(COMMAND) == Outcome(fault or None)


@pytest.mark.parametrize("cut", ["", "we", "\0\0\0\0"])
def test_a_note_that_a_power_cut_left_in_part_counts_as_none(tmp_path, ledger, cut):
    ledger.note(COMMAND, None)
    ledger.arrived(COMMAND)
    for entry in tmp_path.iterdir():
        entry.write_text(cut)

    again = Ledger(tmp_path)

    assert again.outcome(COMMAND) is None
    again.arrived(PowerOff("a-server", "req-0", 5, order=3))
    assert not again.overtaken(PowerOff("a-server", "req-0", 5, order=3))
    assert again.overtaken(PowerOff("a-server", "req-0", 5, order=2))
