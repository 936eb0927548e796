"""The store in a bucket that speaks S3: one object an image, named by the image's id.

Bytes go up in parts; the object appears when the last part is there and the upload is completed, so an object with an image's name is
whole. Parts grow as an image does, since an upload may have 10,000 of them.
"""

import logging
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from images.stores.base import NoData, StoreError, checked

LOG = logging.getLogger(__name__)

PART_BYTES = 16 << 20
PARTS_OF_ONE_SIZE = 2000
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_NO_UPLOAD = frozenset({"404", "NoSuchUpload"})


class S3Store:
    """A bucket. ``credentials`` names a TOML file with ``access_key`` and ``secret_key``; without it those of the machine are used."""

    kind = "s3"
    read_only = False

    def __init__(
        self,
        name: str,
        *,
        bucket: str,
        endpoint: str | None = None,
        region: str | None = None,
        prefix: str = "",
        credentials: str | Path | None = None,
    ) -> None:
        self.name = name
        self.bucket = bucket
        self.prefix = prefix
        keys = tomllib.loads(Path(credentials).read_text()) if credentials else {}
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=keys.get("access_key"),
            aws_secret_access_key=keys.get("secret_key"),
            config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"}),
        )

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> "S3Writer":
        checked(upload_id)
        return S3Writer(self, self.place(image_id))

    def open(self, key: str) -> "S3Reader":
        place = self.place(key)
        with self.answers():
            head = self.client.head_object(**place)
        return S3Reader(self, place, int(head["ContentLength"]))

    def delete(self, key: str) -> bool:
        place = self.place(key)
        if not self.has(place):
            return False
        with self.answers():
            self.client.delete_object(**place)
        return True

    def discard(self, image_id: str, upload_id: str) -> None:
        place = self.place(image_id)
        with self.answers():
            found = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=place["Key"]).get("Uploads", [])
        for upload in found:
            self.end(place, upload["UploadId"])

    def entries(self) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        with self.answers():
            for page in pages:
                for found in page.get("Contents", []):
                    yield str(found["Key"]).removeprefix(self.prefix)

    def has(self, place: dict[str, str]) -> bool:
        """Whether there is an object of this name."""
        try:
            with self.answers():
                self.client.head_object(**place)
        except NoData:
            return False
        return True

    def free_bytes(self) -> int | None:
        return None

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.place(key)['Key']}"

    def properties(self) -> dict[str, Any]:
        return {"bucket": self.bucket, "s3_store_large_object_chunk_size": PART_BYTES >> 20}

    def place(self, key: str) -> dict[str, str]:
        """Return bucket and name of an image's object."""
        return {"Bucket": self.bucket, "Key": self.prefix + checked(key)}

    def end(self, place: dict[str, str], upload: str) -> None:
        """Throw an unfinished upload's parts away; one that is gone already is fine."""
        try:
            self.client.abort_multipart_upload(**place, UploadId=upload)
        except ClientError as error:
            if _code(error) not in _NO_UPLOAD:
                LOG.error("Parts of %s stay in store %s: %s", place["Key"], self.name, _code(error))
        except BotoCoreError as error:
            LOG.error("Parts of %s stay in store %s: %s", place["Key"], self.name, type(error).__name__)

    @contextmanager
    def answers(self) -> Iterator[None]:
        """Turn what goes wrong between us and the bucket into this service's words."""
        try:
            yield
        except ClientError as error:
            if _code(error) in _MISSING:
                raise NoData(f"No such data in store {self.name}.") from error
            raise StoreError(f"The image store {self.name} refused: {_code(error)}.") from error
        except BotoCoreError as error:
            raise StoreError(f"The image store {self.name} does not answer: {type(error).__name__}.") from error


class S3Writer:
    """One upload in parts; holds less than a part in memory."""

    def __init__(self, store: S3Store, place: dict[str, str]) -> None:
        self._store = store
        self._place = place
        self._parts: list[dict[str, Any]] = []
        self._buffer = bytearray()
        with store.answers():
            self._upload: str | None = store.client.create_multipart_upload(**place)["UploadId"]

    def write(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= self._part_bytes:
            self._send(self._part_bytes)

    def commit(self) -> None:
        if self._buffer or not self._parts:
            self._send(len(self._buffer))
        if self._store.has(self._place):
            raise StoreError("There is already data of this image.")
        with self._store.answers():
            self._store.client.complete_multipart_upload(
                **self._place, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        self._upload = None

    def abort(self) -> None:
        if self._upload is not None:
            self._store.end(self._place, self._upload)
            self._upload = None

    @property
    def _part_bytes(self) -> int:
        return PART_BYTES << (len(self._parts) // PARTS_OF_ONE_SIZE)

    def _send(self, length: int) -> None:
        number = len(self._parts) + 1
        with self._store.answers():
            sent = self._store.client.upload_part(
                **self._place, UploadId=self._upload, PartNumber=number, Body=bytes(self._buffer[:length])
            )
        del self._buffer[:length]
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class S3Reader:
    """An object, read range by range."""

    def __init__(self, store: S3Store, place: dict[str, str], size: int) -> None:
        self._store = store
        self._place = place
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        with self._store.answers():
            data: bytes = self._store.client.get_object(**self._place, Range=f"bytes={offset}-{end - 1}")["Body"].read()
        return data

    def close(self) -> None:
        return None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
