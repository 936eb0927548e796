"""Plugging a card step by step, on a guest that only remembers: what is done twice, and what is left when a step fails."""

from dataclasses import replace

import libvirt
import pytest
from lxml import etree

from compute.virt import hardware
from compute.virt.driver import InterfaceSpec
from compute.virt.errors import DriverError
from compute.virt.layout import plan
from compute.virt.libvirt import cards, domain_xml, metadata
from tests.compute.virt import samples

CONFIG, LIVE = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE
MACHINE = domain_xml.Machine("here", "0", "qemu", "none")


class Guest:
    """A domain whose definitions change as libvirt changes them. ``deaf`` guests never let go of a card."""

    def __init__(self, definition: str, active: bool = True) -> None:
        self.definitions = {CONFIG: etree.fromstring(definition), LIVE: etree.fromstring(definition)}
        self.active, self.deaf, self.fault = active, False, None
        self.calls: list[tuple[str, int]] = []

    def isActive(self) -> bool:
        return self.active

    def XMLDesc(self, flags: int = 0) -> str:
        return etree.tostring(self.definitions[CONFIG if flags else LIVE], encoding="unicode")

    def setMetadata(self, _kind: int, text: str, prefix: str, uri: str, flag: int) -> None:
        place = self.definitions[flag].find("./metadata")
        for old in place.findall(f"{{{uri}}}guest"):
            place.remove(old)
        place.append(etree.fromstring(text.replace("<guest>", f'<guest xmlns="{uri}">', 1)))

    def attachDeviceFlags(self, text: str, flag: int) -> None:
        self.calls.append(("attach", flag))
        if self.fault is not None and flag == LIVE:
            raise self.fault
        self.definitions[flag].find("./devices").append(etree.fromstring(text))

    def detachDeviceFlags(self, text: str, flag: int) -> None:
        self.calls.append(("detach", flag))
        mac = etree.fromstring(text).find("./mac").get("address")
        devices = self.definitions[flag].find("./devices")
        if not (self.deaf and flag == LIVE):
            for card in devices.findall("./interface"):
                if card.find("./mac").get("address") == mac:
                    devices.remove(card)


class Networks:
    """Remembers which addresses are reserved."""

    def __init__(self) -> None:
        self.reserved: set[str] = set()

    def ensure(self, spec) -> None:
        pass

    def reserve(self, port) -> None:
        self.reserved |= set(port.addresses)

    def release(self, port) -> None:
        self.reserved -= set(port.addresses)


class Guard:
    def __init__(self) -> None:
        self.guarded: dict[str, list[str]] = {}

    def allow(self, ports) -> None:
        self.guarded |= {port.id: port.addresses for port in ports}

    def forget(self, ports) -> None:
        for port in ports:
            self.guarded.pop(port.id, None)


@pytest.fixture
def guest(tmp_path):
    spec = samples.guest()
    return Guest(domain_xml.build(spec, plan(tmp_path, spec), MACHINE))


@pytest.fixture
def networks():
    return Networks()


@pytest.fixture
def guard():
    return Guard()


@pytest.fixture
def plugged(guest, networks, guard):
    return cards.Cards(guest, networks, guard, MACHINE)


@pytest.fixture
def card() -> InterfaceSpec:
    return samples.interface(5, samples.network("other", "other-br", 78), port_id="0a0a0a0a-0000-4000-8000-000000000005")


def macs(guest, flags=0):
    return [one.get("address") for one in etree.fromstring(guest.XMLDesc(flags)).iterfind("./devices/interface/mac")]


def test_a_card_is_plugged_once_into_what_runs_and_what_lasts(guest, networks, guard, plugged, card):
    for _ in range(2):
        plugged.attach(card)

    assert guest.calls == [("attach", CONFIG), ("attach", LIVE)]
    assert macs(guest).count(card.mac) == macs(guest, 1).count(card.mac) == 1
    assert networks.reserved == set(card.addresses)
    assert guard.guarded[card.port_id] == card.addresses
    noted = {port.id: port for port in metadata.ports(guest.XMLDesc(1))}
    assert len(noted) == 2
    assert noted[card.port_id].addresses == card.addresses
    assert metadata.installation(guest.XMLDesc()) == "here"


def test_a_card_is_of_the_kind_that_the_guest_was_built_with(guest, plugged, card):
    wished = hardware.resolve(
        2, {"hw:vif_multiqueue_enabled": "true", "hw:virtio_packed_ring": "true", "quota:vif_inbound_average": "900"}, {}
    )
    plugged.attach(card, wished)
    for flag in (0, 1):
        made = etree.fromstring(guest.XMLDesc(flag)).findall("./devices/interface")[-1]
        assert dict(made.find("driver").attrib) == {"name": "vhost", "queues": "2", "packed": "on"}
        assert made.find("bandwidth/inbound").get("average") == "900"
        assert made.find("model").get("type") == "virtio"


def test_a_guest_that_is_off_has_it_at_the_next_start(guest, plugged, card):
    guest.active = False
    plugged.attach(card)
    assert guest.calls == [("attach", CONFIG)]


def test_after_a_crash_in_the_middle_only_the_rest_is_done(guest, plugged, card):
    plugged.attach(card)
    guest.detachDeviceFlags(domain_xml.render(domain_xml.interface(card, MACHINE)), LIVE)
    guest.calls.clear()

    plugged.attach(card)

    assert guest.calls == [("attach", LIVE)]


def test_a_new_address_replaces_the_old_one(guest, networks, guard, plugged, card):
    plugged.attach(card)
    plugged.attach(replace(card, addresses=["10.231.78.99"]))

    assert networks.reserved == {"10.231.78.99"}
    assert guard.guarded[card.port_id] == ["10.231.78.99"]
    assert len(guest.calls) == 2


def test_of_a_card_that_does_not_fit_nothing_is_left(guest, networks, guard, plugged, card):
    guest.fault = DriverError("No more slots.")
    with pytest.raises(DriverError, match="slots"):
        plugged.attach(card)

    assert card.mac not in macs(guest) + macs(guest, 1)
    assert networks.reserved == set()
    assert card.port_id not in guard.guarded
    assert len(metadata.ports(guest.XMLDesc(1))) == 1


def test_a_card_is_taken_out_once_and_all_is_given_back(guest, networks, guard, plugged, card):
    plugged.attach(card)
    guest.calls.clear()
    for _ in range(2):
        plugged.detach(card.port_id)

    assert guest.calls == [("detach", LIVE), ("detach", CONFIG)]
    assert networks.reserved == set()
    assert card.port_id not in guard.guarded
    assert card.port_id not in guest.XMLDesc(1)


def test_a_guest_that_does_not_let_go_keeps_the_card_and_its_address(guest, networks, plugged, card, monkeypatch):
    plugged.attach(card)
    guest.deaf = True
    monkeypatch.setattr(cards, "UNPLUG_S", 0.5)

    with pytest.raises(DriverError, match="did not let go"):
        plugged.detach(card.port_id)

    assert card.mac in macs(guest)
    assert networks.reserved == set(card.addresses)
