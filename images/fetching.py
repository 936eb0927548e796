"""Bytes from an address of the web that a user named: the one way in which this service asks other machines for something.

Whoever names an address must not be able to use this service's place in the network. So an address passes the operator's lists of
schemes, hosts and ports; its host is resolved here, and every address it has must be public; the connection goes to the very address
that was checked, so a second answer of the name server changes nothing. A redirect passes the same checks. Nothing is decompressed,
no proxy is asked, and every step has its limit in time.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from images.stores.base import StoreError

MAX_LENGTH = 2048
CHUNK_BYTES = 1 << 20
CONNECT_S = 10
GRACE_S = 60
MOST_ADDRESSES = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\.?$)([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?")
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")
_TRANSLATED = [ipaddress.IPv6Network(text) for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")]

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchRefused(StoreError):
    """The address is not one that this service asks; the reason names no secret of it."""


class FetchFailed(StoreError):
    """The other side did not give what was asked."""


@dataclass(frozen=True)
class Target:
    """A checked address, taken apart once and for all."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"


def check(url: Any) -> Target:
    """Return the parts of an address that the operator's lists let pass; raises FetchRefused. Asks no name server."""
    if not isinstance(url, str) or len(url) > MAX_LENGTH or not re.fullmatch(r"[!-\[\]-~]+", url):
        raise FetchRefused(_("it is not an address of printable ASCII characters"))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchRefused(_("its host or port is malformed")) from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or not _passes("schemes", parts.scheme):
        raise FetchRefused(_("its scheme is not allowed"))
    if "@" in parts.netloc:
        raise FetchRefused(_("it carries credentials"))
    target = Target(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, _path(parts.path, parts.query))
    _check_host(target)
    return target


def fetch(url: str, *, start: int = 0) -> "Fetched":
    """Return the bytes at an address from ``start`` on, opened; raises FetchRefused or FetchFailed."""
    target = check(url)
    for _hop in range(int(_rule("max_redirects")) + 1):
        response, connection = _ask(target, start)
        if response.status not in _REDIRECTS:
            return Fetched(response, connection, start)
        connection.close()
        url = _onward(url, response.headers.get("Location", ""))
        onward = check(url)
        if (target.scheme, onward.scheme) == ("https", "http"):
            raise FetchRefused(_("it leads from https to http"))
        target = onward
    raise FetchFailed(_("The address leads to too many others."))


def _onward(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchRefused(_("it leads to an address that is malformed")) from error


class Fetched:
    """An open answer. ``size`` is what the other side announced of the whole, None when it did not."""

    def __init__(self, response: BaseHTTPResponse, connection: HTTPConnection, start: int) -> None:
        self._response = response
        self._connection = connection
        self._began = time.monotonic()
        self._taken = 0
        try:
            self._check_status(start)
        except BaseException:
            connection.close()
            raise
        length = response.headers.get("Content-Length", "")
        self.size = start + int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None

    def read(self, length: int = CHUNK_BYTES) -> bytes:
        """Return what has arrived, at most ``length`` bytes; empty at the end. Raises FetchFailed."""
        try:
            chunk = self._response.read1(length)
        except (HTTPError, OSError, ValueError) as error:
            raise FetchFailed(_("The data stopped arriving: %(why)s.") % {"why": type(error).__name__}) from error
        self._taken += len(chunk)
        elapsed = time.monotonic() - self._began - GRACE_S
        if self._taken < elapsed * int(_rule("least_bytes_per_s")):
            said = _("The data arrives slower than %(rate)s bytes a second.")
            raise FetchFailed(said % {"rate": _rule("least_bytes_per_s")})
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they arrive."""
        while chunk := self.read():
            yield chunk

    def close(self) -> None:
        self._connection.close()

    def _check_status(self, start: int) -> None:
        headers = self._response.headers
        if self._response.status != (206 if start else 200):
            raise FetchFailed(_("The other side answered with status %(status)s.") % {"status": self._response.status})
        if start and not headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise FetchFailed(_("The other side sent another range than it was asked for."))
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchFailed(_("The other side compressed the data, although it was asked not to."))


def _ask(target: Target, start: int) -> tuple[BaseHTTPResponse, HTTPConnection]:
    headers = {"Host": target.host_header, "Accept-Encoding": "identity", "User-Agent": "nebulet-image-import"}
    if start:
        headers["Range"] = f"bytes={start}-"
    failure: Exception | None = None
    for address in _addresses(target):
        connection = _connection(target, address)
        late = threading.Event()
        watch = threading.Timer(CONNECT_S + float(_rule("idle_timeout_s")), _cut, [connection, late])
        watch.daemon = True
        watch.start()
        try:
            connection.connect()
            connection.timeout = float(_rule("idle_timeout_s"))
            connection.request("GET", target.path, headers=headers, preload_content=False, decode_content=False)
            response = connection.getresponse()
            if late.is_set():
                raise TimeoutError("the head of the answer took too long")
            return response, connection
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            connection.close()
            failure = error
        finally:
            watch.cancel()
    said = _("%(host)s does not answer: %(why)s.") % {"host": target.host, "why": type(failure).__name__}
    raise FetchFailed(said) from failure


def _connection(target: Target, address: IpAddress) -> HTTPConnection:
    """Return a connection to the address itself; with TLS the certificate must still be the name's."""
    options: dict[str, Any] = {"port": target.port, "timeout": CONNECT_S}
    if target.scheme == "http":
        return HTTPConnection(str(address), **options)
    options |= {"ssl_context": ssl.create_default_context(), "server_hostname": target.host, "assert_hostname": target.host}
    return HTTPSConnection(str(address), **options)


def _cut(connection: HTTPConnection, late: threading.Event) -> None:
    """End a connection whose other side takes too long for the head of its answer."""
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _addresses(target: Target) -> list[IpAddress]:
    """Return the host's addresses, all of them checked: a name that has one bad address is not asked at all."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(_("There is no host %(host)s.") % {"host": target.host}) from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not _allowed(address):
            raise FetchRefused(_("its host %(host)s is at an address that is not public") % {"host": target.host})
    return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]


def _check_host(target: Target) -> None:
    try:
        literal = ipaddress.ip_address(target.host)
    except ValueError as error:
        if not _NAME.fullmatch(target.host) or _NUMERIC.fullmatch(target.host):
            raise FetchRefused(_("its host is neither a name nor an address in its usual form")) from error
    else:
        if not _allowed(literal):
            raise FetchRefused(_("its host is at an address that is not public"))
    if not _passes("hosts", target.host):
        raise FetchRefused(_("its host %(host)s is not allowed") % {"host": target.host})
    if not _passes("ports", target.port):
        raise FetchRefused(_("its port %(port)s is not allowed") % {"port": target.port})


def _allowed(address: IpAddress) -> bool:
    """Return whether an address is public, or in a network that the operator opened."""
    mapped = getattr(address, "ipv4_mapped", None)
    real: IpAddress = mapped or address
    networks = [ipaddress.ip_network(text) for text in _rule("allowed_networks")]
    if any(real in network for network in networks if network.version == real.version):
        return True
    if isinstance(real, ipaddress.IPv6Address) and (real.is_site_local or any(real in each for each in _TRANSLATED)):
        return False
    return real.is_global and not real.is_multicast and not real.is_reserved


def _passes(kind: str, value: object) -> bool:
    """Return whether the allow list, where there is one, names the value and the deny list does not."""
    allowed, denied = _rule(f"allowed_{kind}"), _rule(f"disallowed_{kind}")
    return (not allowed or value in allowed) and value not in denied


def _rule(name: str) -> Any:
    rules: Mapping[str, Any] = settings.IMAGE_FETCH
    return rules[name]


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")
