"""Which domains of a host are guests of this installation."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import libvirt

from compute.virt.driver import Card
from compute.virt.errors import GuestNotFound, GuestNotRunning
from compute.virt.libvirt import metadata
from compute.virt.libvirt.connection import Connection, translated

LOG = logging.getLogger(__name__)


class Guests:
    """The domains whose metadata name this installation; all others are named in the log once, and then are not there."""

    def __init__(self, connection: Connection, installation: str) -> None:
        self._connection = connection
        self._installation = installation
        self._ours: dict[str, bool] = {}
        self._had: dict[tuple[str, str], str] = {}

    def all(self, connect: libvirt.virConnect | None = None) -> list[libvirt.virDomain]:
        """Return every guest; over a connection that is just being opened if it is given."""
        found = (connect or self._connection.get()).listAllDomains()
        known = {domain.UUIDString() for domain in found}
        for gone in self._ours.keys() - known:
            self._ours.pop(gone, None)
        return [domain for domain in found if self._is_ours(domain)]

    def foreign(self) -> int:
        """Return how many domains somebody else had here when all were asked for last."""
        return list(self._ours.values()).count(False)

    def ask(self, question: Callable[[libvirt.virDomain], Any]) -> dict[str, Any]:
        """Return the answer of each guest; one that goes away in between is left out."""
        answers = {}
        for domain in self.all():
            try:
                answers[domain.UUIDString()] = question(domain)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                    raise
        return answers

    def find(self, server_id: str) -> libvirt.virDomain | None:
        """Return a guest, or None."""
        try:
            domain = self._connection.get().lookupByUUIDString(server_id)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise
        return domain if self._is_ours(domain) else None

    def get(self, server_id: str) -> libvirt.virDomain:
        """Return a guest; raises GuestNotFound."""
        domain = self.find(server_id)
        if domain is None:
            raise GuestNotFound(server_id)
        return domain

    @contextmanager
    def running(self, server_id: str) -> Iterator[libvirt.virDomain]:
        """Give a guest that is on, with libvirt's errors translated; raises GuestNotFound or GuestNotRunning."""
        with translated(server_id):
            domain = self.get(server_id)
            if not domain.isActive():
                raise GuestNotRunning(server_id)
            yield domain

    def forget(self, server_id: str) -> None:
        """Forget a guest that was removed."""
        self._ours.pop(server_id, None)

    def card_at(self, bridge: str, address: str) -> Card | None:
        """Return whose card has an address on a bridge.

        Every question is asked of libvirt anew: an address that was a guest's a moment ago may be another's now. Who had it last is
        looked at first, so that hundreds of guests cost no more than one.
        """
        known = self.find(self._had[bridge, address]) if (bridge, address) in self._had else None
        first = [] if known is None else [known]
        running = (domain for domain in self.all() if domain.isActive())
        definitions = ((one.UUIDString(), inactive(one)) for one in chain(first, running))
        card = metadata.card_at(definitions, bridge, address)
        if card is None:
            self._had.pop((bridge, address), None)
        else:
            self._had[bridge, address] = card.server_id
        return card

    def _is_ours(self, domain: libvirt.virDomain) -> bool:
        """Whether our metadata names this installation; asked once per guest, since it never changes."""
        uuid = domain.UUIDString()
        if uuid not in self._ours:
            try:
                found = metadata.installation(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    return False
                raise
            self._ours[uuid] = found == self._installation
            if not self._ours[uuid]:
                LOG.warning("Domain %s (%s) is not of this installation: it is left alone", domain.name(), uuid)
        return self._ours[uuid]


def inactive(domain: libvirt.virDomain) -> str:
    """Return the definition as it was given; a guest that is just going away has none that matters."""
    try:
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return "<domain/>"
        raise
