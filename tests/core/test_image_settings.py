"""The operator's file about images: what it may say, and that nonsense ends the start with a sentence."""

import pytest

from portal.settings.images import FETCH, METHODS, ImageFile

GOOD = """
default_store = "fast"
show_multiple_locations = true
do_secure_hash = false
import_methods = ["glance-direct"]
staging = "/srv/staging"
[stores.slow]
type = "file"
path = "/srv/slow"
[stores.fast]
type = "file"
weight = 10
description = "SSD"
paths = { "/srv/ssd1" = 100, "/srv/ssd2" = 50 }
[stores.bucket]
type = "s3"
bucket = "images"
[stores.web]
type = "http"
[fetch]
allowed_ports = [8080]
"""


def read(folder, text):
    file = folder / "images.toml"
    file.write_text(text)
    return ImageFile.read(file, folder)


def test_without_a_file_there_is_one_store(tmp_path):
    said = ImageFile.read(tmp_path / "images.toml", tmp_path)
    driver = "images.stores.filesystem.FilesystemStore"
    assert said.stores == {"file": {"driver": driver, "path": str(tmp_path / "images")}}
    assert (said.default_store, said.staging, said.import_methods) == ("file", tmp_path / "staging", METHODS)
    assert (said.fetch, said.show_multiple_locations, said.do_secure_hash) == (FETCH, False, True)


def test_a_file_is_read(tmp_path):
    said = read(tmp_path, GOOD)
    assert list(said.stores) == ["slow", "fast", "bucket", "web"]
    assert said.stores["fast"]["weight"] == 10
    assert said.stores["bucket"] == {"driver": "images.stores.s3.S3Store", "bucket": "images"}
    assert (said.default_store, said.show_multiple_locations, said.do_secure_hash) == ("fast", True, False)
    assert said.fetch == {**FETCH, "allowed_ports": [8080]}


def test_the_first_store_is_the_default(tmp_path):
    assert read(tmp_path, GOOD.replace('default_store = "fast"', "")).default_store == "slow"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("odd = 1", "no setting odd"),
        ("default_store = 'moon'", "not one that takes images"),
        ("[stores.web]\ntype = 'http'", "not one that takes images"),
        ("[stores.x]\ntype = 'floppy'", "must be one of file, http, s3"),
        ("[stores.x]\npath = '/srv'", "must be one of"),
        ("[stores.'a/b']\ntype = 'file'\npath = '/srv'", "cannot be the name"),
        ("[stores.os_glance_staging_store]\ntype = 'file'\npath = '/srv'", "cannot be the name"),
        ("import_methods = ['by-pigeon']", "no import method"),
        ("[fetch]\nodd = 1", "not known"),
        ("[fetch]\nallowed_ports = 80", "not of the kind"),
        ("= 1", ""),
    ],
)
def test_nonsense_is_told(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        read(tmp_path, text)
