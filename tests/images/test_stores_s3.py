"""The contract of stores on a bucket, spoken with a real S3 server, and what a bucket does that folders do not."""

import os
import subprocess
import sys
import time

import boto3
import pytest

from images.models.image import new_uuid
from images.stores import s3
from images.stores.base import NoData, StoreError, chunks_of, put
from images.stores.s3 import S3Store
from tests.e2e.cloud import free_port
from tests.images.test_stores import StoreContract

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
BUCKET = "images"


@pytest.fixture(scope="module")
def endpoint():
    """The address of an S3 server in a process of its own."""
    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **KEYS})
    try:
        yield _ready(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


def _ready(address):
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    for _attempt in range(300):
        try:
            client.create_bucket(Bucket=BUCKET)
            return address
        except Exception:  # whatever says that it does not listen yet
            time.sleep(0.1)
    raise AssertionError("the S3 server did not start")


@pytest.fixture
def credentials(tmp_path):
    file = tmp_path / "s3.toml"
    file.write_text('access_key = "testing"\nsecret_key = "testing"\n')
    return file


@pytest.fixture
def store(endpoint, credentials):
    return S3Store("bucket", bucket=BUCKET, endpoint=endpoint, region="us-east-1", prefix="a/", credentials=credentials)


def unfinished(store):
    return store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


class TestS3Store(StoreContract):
    @pytest.fixture(autouse=True)
    def _nothing_unfinished_stays(self, store):
        yield
        for upload in unfinished(store):
            store.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])

    def test_an_image_of_many_parts_is_whole(self, store, monkeypatch):
        monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
        image_id, content = new_uuid(), os.urandom(12 << 20)
        put(store, image_id, new_uuid(), (content[at : at + (1 << 20)] for at in range(0, len(content), 1 << 20)))
        reader = store.open(image_id)
        assert reader.size == len(content)
        assert b"".join(chunks_of(reader)) == content
        assert reader.read(7_000_000, 5) == content[7_000_000:7_000_005]

    def test_an_empty_image_is_an_object(self, store):
        image_id = new_uuid()
        put(store, image_id, new_uuid(), [])
        assert store.open(image_id).size == 0

    def test_no_part_stays_of_what_was_aborted_or_died(self, store):
        image_id = new_uuid()
        aborted = store.writer(image_id, new_uuid())
        aborted.write(b"x" * (s3.PART_BYTES + 1))
        aborted.abort()
        assert unfinished(store) == []
        store.writer(image_id, new_uuid()).write(b"x" * (s3.PART_BYTES + 1))
        assert len(unfinished(store)) == 1
        store.discard(image_id, new_uuid())
        assert unfinished(store) == []

    def test_its_place_and_figures_are_told_without_secrets(self, store):
        image_id = new_uuid()
        assert store.url(image_id) == f"s3://images/a/{image_id}"
        assert "testing" not in str(store.properties())
        assert store.free_bytes() is None


def test_parts_grow_so_that_any_image_fits():
    sizes = [s3.PART_BYTES << (number // s3.PARTS_OF_ONE_SIZE) for number in range(10_000)]
    assert sum(sizes) > 900 << 30
    assert max(sizes) <= 5 << 30


def test_a_bucket_that_does_not_answer_or_is_not_there_is_told(endpoint, credentials):
    dead = f"http://127.0.0.1:{free_port()}"
    for address, bucket, words in ((dead, BUCKET, "does not answer"), (endpoint, "no-such-bucket", "NoSuchBucket")):
        store = S3Store("bucket", bucket=bucket, endpoint=address, region="us-east-1", credentials=credentials)
        with pytest.raises(StoreError, match=words) as failure:
            store.writer(new_uuid(), new_uuid())
        assert not isinstance(failure.value, NoData)
