"""Network cards plugged into a guest that is there, and taken out again.

Each step looks first at what is there, so that a command that comes twice, or after a crash in the middle, ends the same.
libvirt: html/libvirt-libvirt-domain.html#virDomainAttachDeviceFlags, #virDomainDetachDeviceFlags
"""

import logging
import time

import libvirt

from compute.virt.driver import InterfaceSpec
from compute.virt.errors import DriverError
from compute.virt.hardware import Hardware
from compute.virt.libvirt import domain_xml, metadata
from compute.virt.libvirt.guard import Guard
from compute.virt.libvirt.markup import Element, read, render
from compute.virt.libvirt.metadata import Port
from compute.virt.libvirt.network import Networks

LOG = logging.getLogger(__name__)

UNPLUG_S = 60.0
_PLAIN = Hardware()
_ASK_EVERY_S = 8.0
_LOOK_EVERY_S = 0.2
_CONFIG, _LIVE = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE
# A request that is under way already, and a device that is gone meanwhile.
_PASSING = (libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_ERR_DEVICE_MISSING, libvirt.VIR_ERR_INTERNAL_ERROR)


class Cards:
    """The cards of one guest. ``guard`` is None where libvirt filters by itself."""

    def __init__(
        self, domain: libvirt.virDomain, networks: Networks, guard: Guard | None, machine: domain_xml.Machine
    ) -> None:
        self._domain = domain
        self._networks = networks
        self._guard = guard
        self._machine = machine

    def attach(self, interface: InterfaceSpec, wished: Hardware = _PLAIN) -> None:
        """Plug a card in, or bring one that is there up to date; of a new one that does not fit nothing is left."""
        self._networks.ensure(interface.network)
        port = metadata.port(domain_xml.port_attributes(interface))
        before = [one for one in self._ports() if one.id == port.id]
        try:
            self._plug(port, before, render(domain_xml.interface(interface, self._machine, wished)))
        except BaseException:
            if not before:
                self._clean_up(port)
            raise

    def _plug(self, port: Port, before: list[Port], card: str) -> None:
        """Note what the card holds, open the network to it, and plug it in where it is not yet."""
        self._note([*(one for one in self._ports() if one.id != port.id), port])
        self._give_back(port, before)
        if self._guard is not None:
            self._guard.allow([port])
        self._networks.reserve(port)
        for flag in self._flags():
            if self._card(port.mac, flag) is None:
                self._domain.attachDeviceFlags(card, flag)
                LOG.info("Card %s of port %s was plugged in", port.mac, port.id)

    def _clean_up(self, port: Port) -> None:
        try:
            self.detach(port.id)
        except (libvirt.libvirtError, DriverError) as error:
            LOG.warning("The remains of card %s could not be removed: %s", port.mac, error)

    def detach(self, port_id: str) -> None:
        """Take a card out, waiting for a running guest to let go of it, and give back what it held."""
        known = self._ports()
        mine = [one for one in known if one.id == port_id]
        if self._guard is not None:
            self._guard.forget(mine)  # first: also a card that the guest keeps says nothing with this address any more
        for port in mine:
            if self._domain.isActive():
                self._unplug(port.mac)
            card = self._card(port.mac, _CONFIG)
            if card is not None:
                self._domain.detachDeviceFlags(render(card), _CONFIG)
            LOG.info("Card %s of port %s was taken out", port.mac, port.id)
        for port in mine:
            self._networks.release(port)
        self._note([one for one in known if one.id != port_id])

    def _unplug(self, mac: str) -> None:
        """Ask a running guest for the card until it is out; a guest that is still booting does not hear it at first."""
        end, ask_at = time.monotonic() + UNPLUG_S, 0.0
        while (card := self._card(mac, _LIVE)) is not None:
            now = time.monotonic()
            if now >= end:
                raise DriverError(f"The guest did not let go of the network card {mac} within {UNPLUG_S:.0f} seconds.")
            if now >= ask_at:
                ask_at = now + _ASK_EVERY_S
                self._ask_for(card)
            time.sleep(_LOOK_EVERY_S)

    def _ask_for(self, card: Element) -> None:
        try:
            self._domain.detachDeviceFlags(render(card), _LIVE)
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _PASSING:
                raise
            LOG.debug("The guest still has the card: %s", error)

    def _flags(self) -> tuple[int, ...]:
        return (_CONFIG, _LIVE) if self._domain.isActive() else (_CONFIG,)

    def _card(self, mac: str, flag: int) -> Element | None:
        found = read(self._domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE if flag == _CONFIG else 0))
        return next((one for one in found.iterfind("./devices/interface") if _mac(one) == mac), None)

    def _ports(self) -> list[Port]:
        return metadata.ports(self._domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def _note(self, ports: list[Port]) -> None:
        """Write into the definition which cards there are, in its running and its lasting part."""
        noted = metadata.guest(self._machine.installation, ports)
        for flag in self._flags():
            self._domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, noted, domain_xml.OUR_PREFIX, domain_xml.OURS, flag)

    def _give_back(self, now: Port, before: list[Port]) -> None:
        """Give back the addresses that a card had and has no more."""
        for port in before:
            gone = [address for address in port.addresses if address not in now.addresses]
            if gone:
                self._networks.release(Port(port.id, port.mac, gone, port.network, port.bridge, port.gateway))


def _mac(card: Element) -> str | None:
    found = card.find("./mac")
    return None if found is None else found.get("address")
