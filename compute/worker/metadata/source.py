"""Where the facts come from: the control plane, asked over HTTP with a sealed ticket, and remembered for a few seconds."""

import http.client
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request

import msgspec

from compute.virt.driver import Card
from compute.virt.instance_data import LEAVE_PASSWORD, READ, TICKET_HEADER, TICKET_PURPOSE, InstanceData
from compute.worker.download import opener
from portal.core.signing import seal

LOG = logging.getLogger(__name__)

PATH = "/compute/instance-data"
FRESH_S = 15.0
# While the control plane is away a guest had better hear what was true some minutes ago than nothing.
KEPT_S = 600.0
_MOST = 1_000
_TIMEOUT_S = 5.0


class Unavailable(Exception):
    """The control plane does not answer."""


class Refused(Exception):
    """The control plane said no; ``status`` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The control plane answered {status}.")
        self.status = status


class Source:
    """The facts of this host's guests. Safe for any number of threads."""

    def __init__(self, url: str, key: bytes, host: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/") + PATH
        self._key = key
        self._host = host
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Card, tuple[float, InstanceData]] = OrderedDict()

    def data(self, card: Card) -> InstanceData | None:
        """Return what the server behind a card may know, None when there is no such server; raises Unavailable."""
        with self._lock:
            at, known = self._known.get(card, (0.0, None))
        if known is not None and self._clock() - at < FRESH_S:
            return known
        try:
            found = msgspec.json.decode(self._ask(card), type=InstanceData)
        except Refused as error:
            LOG.warning("The metadata of guest %s is refused: %s", card.server_id, error)
            self.forget(card)
            return None
        except (Unavailable, msgspec.ValidationError) as error:
            if known is None or self._clock() - at > KEPT_S:
                raise Unavailable from error
            LOG.warning("Guest %s hears what was true before: %s", card.server_id, error)
            return known
        self._remember(card, found)
        return found

    def keep_password(self, card: Card, sealed: bytes) -> None:
        """Give the password that a guest sealed to the control plane; raises Refused or Unavailable."""
        self._ask(card, sealed)
        self.forget(card)

    def forget(self, card: Card) -> None:
        """Ask anew next time."""
        with self._lock:
            self._known.pop(card, None)

    def _remember(self, card: Card, found: InstanceData) -> None:
        with self._lock:
            self._known[card] = (self._clock(), found)
            self._known.move_to_end(card)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def _ask(self, card: Card, body: bytes | None = None) -> bytes:
        deed = READ if body is None else LEAVE_PASSWORD
        facts = {
            "host": self._host,
            "server": card.server_id,
            "port": card.port_id,
            "deed": deed,
            "nonce": secrets.token_hex(8),
        }
        headers = {TICKET_HEADER: seal(self._key, TICKET_PURPOSE, facts), "Content-Type": "text/plain"}
        request = Request(self._url, data=body, headers=headers, method="GET" if body is None else "POST")  # noqa: S310
        try:
            with opener().open(request, timeout=_TIMEOUT_S) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if error.code >= 500:
                raise Unavailable(f"the control plane answered {error.code}") from error
            raise Refused(error.code) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(str(error)) from error
