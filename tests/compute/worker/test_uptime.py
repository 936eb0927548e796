"""How long a machine has been up."""

import uuid

from compute.worker import uptime


def test_the_line_is_one_that_clients_can_take_apart():
    line = uptime.words()
    assert " up " in line
    assert "load average: " in line


def test_each_start_of_a_machine_has_a_name():
    assert uuid.UUID(uptime.boot_id())
