"""The store of what lies at addresses of the web: to read, never to write; the bytes are not ours."""

from collections.abc import Iterator
from typing import Any

from images import fetching
from images.stores.base import StoreError, Writer


class HttpStore:
    """Reads bytes at the addresses that images name; the key is the address."""

    kind = "http"
    read_only = True

    def __init__(self, name: str) -> None:
        self.name = name

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> Writer:
        raise StoreError(f"The image store {self.name} takes no new images.")

    def open(self, key: str) -> "HttpReader":
        return HttpReader(key)

    def delete(self, key: str) -> bool:
        return False

    def discard(self, image_id: str, upload_id: str) -> None:
        return None

    def entries(self) -> Iterator[str]:
        return iter(())

    def free_bytes(self) -> int | None:
        return None

    def url(self, key: str) -> str:
        return key

    def properties(self) -> dict[str, Any]:
        return {}


class HttpReader:
    """Bytes at an address: read in order from one answer, and from another when somebody jumps."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._fetched = fetching.fetch(address)
        self._position = 0
        if self._fetched.size is None:
            self._fetched.close()
            raise fetching.FetchFailed("The other side does not tell how many bytes there are.")
        self.size = self._fetched.size

    def read(self, offset: int, length: int) -> bytes:
        if offset >= self.size:
            return b""
        if offset != self._position:
            self._fetched.close()
            self._fetched = fetching.fetch(self._address, start=offset)
            self._position = offset
        chunk = self._fetched.read(length)
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        self._fetched.close()
