"""A store in memory, for tests."""

import threading
from collections.abc import Iterator
from typing import Any

from images.stores.base import NoData, StoreError, StoreFull, checked, part_name


class MemoryStore:
    """Keeps bytes in a dictionary; ``capacity`` bounds them all together."""

    kind = "memory"
    read_only = False

    def __init__(self, name: str = "memory", capacity: int | None = None) -> None:
        self.name = name
        self.capacity = capacity
        self.parts: dict[tuple[str, str], bytearray] = {}
        self.data: dict[str, bytes] = {}
        self.lock = threading.Lock()

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> "MemoryWriter":
        key = (checked(image_id), checked(upload_id))
        self.parts[key] = bytearray()
        return MemoryWriter(self, key)

    def open(self, key: str) -> "MemoryReader":
        try:
            return MemoryReader(self.data[checked(key)])
        except KeyError:
            raise NoData(f"No data of image {key}.") from None

    def delete(self, key: str) -> bool:
        return self.data.pop(checked(key), None) is not None

    def discard(self, image_id: str, upload_id: str) -> None:
        self.parts.pop((image_id, upload_id), None)

    def entries(self) -> Iterator[str]:
        yield from [*self.data, *(part_name(*key) for key in self.parts)]

    def free_bytes(self) -> int | None:
        if self.capacity is None:
            return None
        return self.capacity - sum(map(len, self.data.values())) - sum(map(len, self.parts.values()))

    def url(self, key: str) -> str:
        return f"memory://{self.name}/{key}"

    def properties(self) -> dict[str, Any]:
        return {}


class MemoryWriter:
    def __init__(self, store: MemoryStore, key: tuple[str, str]) -> None:
        self._store = store
        self._key = key

    def write(self, data: bytes) -> None:
        with self._store.lock:
            free = self._store.free_bytes()
            if free is not None and len(data) > free:
                raise StoreFull("There is no room left in the image store.")
            self._store.parts[self._key] += data

    def commit(self) -> None:
        if self._key[0] in self._store.data:
            raise StoreError("The image has data already.")
        self._store.data[self._key[0]] = bytes(self._store.parts.pop(self._key))

    def abort(self) -> None:
        self._store.parts.pop(self._key, None)


class MemoryReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def close(self) -> None:
        return None
