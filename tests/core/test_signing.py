"""Tickets: one purpose, one key, a short life."""

import pytest

from portal.core import signing

KEY = b"some key"


def test_a_ticket_brings_back_its_data():
    assert signing.unseal(KEY, "relay", signing.seal(KEY, "relay", {"a": 1}), 30) == {"a": 1}


@pytest.mark.parametrize(("key", "purpose"), [(b"other", "relay"), (KEY, "image-read")])
def test_another_key_or_purpose_does_not_open_it(key, purpose):
    with pytest.raises(signing.BadTicket):
        signing.unseal(key, purpose, signing.seal(KEY, "relay", {}), 30)


def test_an_old_or_changed_ticket_does_not_open():
    ticket = signing.seal(KEY, "relay", {})
    with pytest.raises(signing.BadTicket):
        signing.unseal(KEY, "relay", ticket, -1)
    with pytest.raises(signing.BadTicket):
        signing.unseal(KEY, "relay", ticket[:-6] + "AAAAA=", 30)
    with pytest.raises(signing.BadTicket):
        signing.unseal(KEY, "relay", "é", 30)
