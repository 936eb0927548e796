"""The smaller parts of the libvirt driver."""

import base64
import io
import json
import struct
from pathlib import Path

import pycdlib
import pytest

from compute.virt import qemu_img
from compute.virt.errors import DriverError
from compute.virt.libvirt import config_drive, facts, leases, network, storage
from tests.compute.virt import samples


def files(path):
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    found = {}
    for name in ("meta_data.json", "network_data.json", "vendor_data.json", "user_data"):
        out = io.BytesIO()
        try:
            iso.get_file_from_iso_fp(out, rr_path=f"/openstack/latest/{name}")
        except pycdlib.pycdlibexception.PyCdlibInvalidInput:
            continue
        found[name] = out.getvalue()
    label = iso.pvd.volume_identifier.decode().strip()
    iso.close()
    return label, found


def test_a_config_drive_has_the_documents_cloud_init_looks_for(tmp_path):
    spec = samples.guest(user_data=base64.b64encode(b"#!/bin/sh\nexit 0\n").decode(), network_data={"links": []})

    config_drive.write(tmp_path / "c.iso", spec)

    label, found = files(tmp_path / "c.iso")
    assert label == "config-2"
    assert json.loads(found["meta_data.json"]) == spec.meta_data
    assert json.loads(found["network_data.json"]) == {"links": []}
    assert found["user_data"] == b"#!/bin/sh\nexit 0\n"


def test_without_user_data_there_is_no_such_file(tmp_path):
    config_drive.write(tmp_path / "c.iso", samples.guest())

    assert "user_data" not in files(tmp_path / "c.iso")[1]


def test_files_that_the_server_is_born_with_lie_beside_the_documents(tmp_path):
    config_drive.write(tmp_path / "c.iso", samples.guest(files={"0000": "b25l", "0001": "dHdv"}))

    iso = pycdlib.PyCdlib()
    iso.open(str(tmp_path / "c.iso"))
    out = io.BytesIO()
    iso.get_file_from_iso_fp(out, rr_path="/openstack/content/0001")
    iso.close()
    assert out.getvalue() == b"two"


def test_user_data_that_is_no_base64_is_a_sentence():
    with pytest.raises(DriverError, match="base64"):
        config_drive.documents(samples.guest(user_data="a"))


def test_memory_is_read_from_the_kernel(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 2048000 kB\nMemFree: 1 kB\nMemAvailable: 1024000 kB\n")

    assert facts.memory_mb(tmp_path / "meminfo") == (2000, 1000)


def test_a_lease_is_given_back_with_a_whole_dhcp_message():
    message = leases.message("10.0.0.1", "fa:16:3e:00:00:01", "10.0.0.5")

    assert len(message) >= 300
    assert message[12:16] == bytes((10, 0, 0, 5))
    assert message[28:34] == bytes.fromhex("fa163e000001")
    assert message[236:243] == b"\x63\x82\x53\x63\x35\x01\x07"


def test_a_network_names_the_folder_of_its_reservations(tmp_path):
    xml = network.definition(samples.network(), tmp_path, tmp_path / "options")

    assert f'value="dhcp-hostsdir={tmp_path}"' in xml
    assert '<ip address="10.231.77.1" netmask="255.255.255.0">' in xml


def test_qemu_img_speaks_in_sentences(tmp_path):
    with pytest.raises(DriverError, match="missing: No such file"):
        qemu_img.create_overlay(tmp_path / "o", tmp_path / "missing", "raw", None)


def test_only_a_qcow2_header_tells_what_is_under_a_disk(tmp_path):
    for name, content in {
        "under": b"QFI\xfb" + struct.pack(">IQI", 3, 64, 9) + bytes(44) + b"/b/c0ffeeXXXX",
        "alone": b"QFI\xfb" + struct.pack(">IQI", 3, 0, 0) + bytes(44),
        "raw": b"/b/c0ffee" * 100,
        "begun": b"QFI",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "disk").write_bytes(content)
    (tmp_path / "empty").mkdir()

    assert storage.bases(tmp_path) == [Path("/b/c0ffee")]


def test_a_disk_that_cannot_be_read_is_no_disk_without_a_base(tmp_path):
    (tmp_path / "guest" / "disk").mkdir(parents=True)

    with pytest.raises(DriverError, match="directory"):
        storage.bases(tmp_path)
