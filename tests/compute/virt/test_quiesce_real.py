"""A live copy for which the guest's agent holds the file system, on real QEMU: the guest's agent really freezes.

An ext4 file system says in its first block whether its journal has to be played back. While it is mounted it does, except while it is
frozen: so the copy itself tells at which moment it was taken.
"""

import base64
import subprocess
import time

import pytest

from compute.virt.driver import Quiesce, never
from compute.virt.errors import DriverError
from compute.virt.libvirt.markup import read
from tests.compute.virt import samples
from tests.compute.virt.test_libvirt_real import driver, images, make, net, prefix, tiny  # noqa: F401
from tests.kit.waiting import wait_for

pytestmark = [pytest.mark.real, pytest.mark.hypervisor]

SILENCE = """#!/bin/sh
until killall agent; do sleep 0.1; done
"""
# The port may still be the first agent's for a moment: the other one begins again until it is its own.
LIAR = r"""#!/bin/sh
until killall agent; do sleep 0.1; done
sed -e "s/^answer()/say 'the liar listens'\\n&/" -e "s/if hold; then answer 1;/if hold; then refuse GenericError 'said no and did it';/" /etc/init.d/agent >/run/liar
chmod +x /run/liar
setsid sh -c "while :; do /run/liar; sleep 0.1; done" </dev/null >/dev/null 2>&1 &
"""


@pytest.fixture
def booted(driver, images, make):  # noqa: F811
    """Return a function that boots a guest with its agent, or with what such a script makes of it."""

    def booted(script=None):
        data = base64.b64encode(script.encode()).decode() if script else None
        spec = make(40, user_data=data, image_properties={"hw_qemu_guest_agent": "yes"})
        driver.spawn(spec, images, samples.ignore, never)
        log = driver.console_log(spec.server_id)
        wait_for("the login prompt", lambda: "login:" in log.read_text(errors="replace"), 90)
        wait_for("the script", lambda: not script or "user data ended with code 0" in log.read_text(errors="replace"), 90)
        if script == LIAR:
            wait_for("the liar", lambda: "the liar listens" in log.read_text(errors="replace"), 90)
            time.sleep(1)  # libvirt has heard of both ends
        wait_for("the agent", lambda: connected(driver, spec) == (script != SILENCE), 90)
        return spec

    return booted


def connected(driver, spec):  # noqa: F811
    channel = read(driver.definition(spec.server_id)).find("devices/channel/target[@name='org.qemu.guest_agent.0']")
    return channel.get("state") == "connected"


def copied(driver, spec, quiesce):  # noqa: F811
    """Return whether the copy's file system has its journal to play back."""
    folder = driver.console_log(spec.server_id).parent / "copies"
    folder.mkdir(mode=0o711, exist_ok=True)
    target, raw = folder / quiesce, folder / "raw"
    driver.copy_disk(spec.server_id, target, quiesce, samples.ignore, never)
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(target), str(raw)], check=True)
    said = subprocess.run(["dumpe2fs", "-h", str(raw)], check=True, capture_output=True, text=True).stdout
    return "needs_recovery" in said


def said(driver, spec, words):  # noqa: F811
    return driver.console_log(spec.server_id).read_text(errors="replace").count(words)


def test_the_agent_holds_the_file_system_at_the_moment_of_the_copy_and_not_longer(driver, booted):  # noqa: F811
    spec = booted()
    assert copied(driver, spec, Quiesce.NO)
    assert not said(driver, spec, "agent holds")
    for number, quiesce in enumerate((Quiesce.REQUIRED, Quiesce.IF_POSSIBLE), start=1):
        assert not copied(driver, spec, quiesce)
        wait_for(
            "the file system is let go",
            lambda number=number: said(driver, spec, "agent lets the file system go") == number,
            60,
        )
    assert copied(driver, spec, Quiesce.NO)


def test_an_agent_that_failed_is_told_to_let_go_all_the_same(driver, booted):  # noqa: F811
    spec = booted(LIAR)
    with pytest.raises(DriverError, match="could not be held"):
        copied(driver, spec, Quiesce.REQUIRED)
    wait_for("the file system is let go", lambda: said(driver, spec, "agent lets the file system go") == 1, 60)


def test_without_an_agent_a_copy_is_refused_where_it_must_be_quiet_and_made_where_it_need_not(driver, booted):  # noqa: F811
    spec = booted(SILENCE)
    with pytest.raises(DriverError, match="could not be held"):
        copied(driver, spec, Quiesce.REQUIRED)
    assert copied(driver, spec, Quiesce.IF_POSSIBLE)
