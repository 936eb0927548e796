"""How long a machine has been up."""

from compute.worker import uptime


def test_the_line_is_one_that_clients_can_take_apart():
    line = uptime.words()
    assert " up " in line
    assert "load average: " in line
