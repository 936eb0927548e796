"""Switching one domain on and off."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from compute.states import PowerState
from compute.virt.driver import Cancelled
from compute.virt.libvirt.connection import STATES

LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.2
# A guest that is still booting does not hear the button: it is pressed again.
_PRESS_EVERY_S = 5.0
_NOT_RUNNING = (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_DOMAIN)


def start(domain: libvirt.virDomain) -> None:
    """Start the guest, let a paused one run on, wake one that put itself to sleep; one that runs is a success."""
    if not domain.isActive():
        domain.create()
    elif domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
        domain.resume()
    elif domain.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED:
        domain.pMWakeup()


def state(domain: libvirt.virDomain) -> PowerState:
    """Return the guest's power state; one whose memory lies on disk is suspended."""
    found = STATES.get(domain.state()[0], PowerState.NOSTATE)
    if found == PowerState.SHUTDOWN and domain.hasManagedSaveImage():
        return PowerState.SUSPENDED
    return found


def pause(domain: libvirt.virDomain) -> None:
    """Stop the guest's clock; one that is paused is a success."""
    if domain.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
        domain.suspend()


def suspend(domain: libvirt.virDomain) -> None:
    """Write the guest's memory to disk, where the next start finds it."""
    if not domain.isActive() and domain.hasManagedSaveImage():
        return
    domain.managedSave()


def forget_memory(domain: libvirt.virDomain) -> None:
    """Let the next start be a boot: what was suspended is lost."""
    if domain.hasManagedSaveImage():
        domain.managedSaveRemove()


def stop(domain: libvirt.virDomain, grace_s: float, cancelled: Cancelled) -> None:
    """Press the power button and wait ``grace_s`` seconds at most, then pull the plug; one that is off is a success."""
    if grace_s > 0 and _shut_down(domain, grace_s, cancelled):
        return
    pull_plug(domain)


def pull_plug(domain: libvirt.virDomain) -> None:
    """Stop the guest at once."""
    if not domain.isActive():
        return
    try:
        domain.destroy()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _NOT_RUNNING:
            raise


def undefine(domain: libvirt.virDomain) -> None:
    """Stop the guest at once and have libvirt forget it."""
    pull_plug(domain)
    forget_memory(domain)
    flags = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    try:
        domain.undefineFlags(flags | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_DOMAIN):
            raise
        if error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG:
            domain.undefine()


def _shut_down(domain: libvirt.virDomain, grace_s: float, cancelled: Cancelled) -> bool:
    """Return whether the guest went off by itself in time."""
    end = time.monotonic() + grace_s
    press_at, press = 0.0, _press_button
    while domain.isActive():
        now = time.monotonic()
        if cancelled():
            return False
        if now >= end:
            LOG.info("The guest did not shut down within %d seconds", grace_s)
            return False
        if now >= press_at:
            press_at = now + _PRESS_EVERY_S
            press(domain)
            press = _ask
        time.sleep(_LOOK_EVERY_S)
    return True


def _press_button(domain: libvirt.virDomain) -> None:
    """Press the power button, which takes no time; the guest's agent might, and cannot be called back meanwhile.

    A hypervisor that does not let us choose is asked as it likes.
    """
    with _unheard():
        try:
            domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
                raise
            domain.shutdown()


def _ask(domain: libvirt.virDomain) -> None:
    """Have libvirt ask the guest's agent where there is one, else press the button again."""
    with _unheard():
        domain.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """What it led to is seen by who asks whether the guest runs: it may have died meanwhile, or the connection be lost."""
    try:
        yield
    except libvirt.libvirtError as error:
        LOG.info("The power button was not heard: %s", error)
