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
from compute.virt.layout import plan
from compute.virt.libvirt import config_drive, facts, leases, network, storage
from tests.compute.virt import samples


def files(path):
    """Return the label of a disk and its files by path."""
    iso = pycdlib.PyCdlib()
    iso.open(str(path))
    found = {}
    for folder, _folders, names in iso.walk(rr_path="/"):
        for name in names:
            out, place = io.BytesIO(), f"{folder.rstrip('/')}/{name}"
            iso.get_file_from_iso_fp(out, rr_path=place)
            found[place] = out.getvalue()
    label = iso.pvd.volume_identifier.decode().strip()
    iso.close()
    return label, found


NETWORK_DATA = {
    "links": [{"id": "tap1", "vif_id": "v", "type": "bridge", "mtu": 1500, "ethernet_mac_address": "fa:16:3e:00:00:01"}],
    "networks": [
        {"id": "network0", "type": "ipv4_dhcp", "link": "tap1", "network_id": "n"},
        {
            "id": "network1",
            "type": "ipv4",
            "link": "tap1",
            "network_id": "n",
            "ip_address": "10.0.0.5",
            "netmask": "255.255.255.0",
            "routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}],
            "services": [{"type": "dns", "address": "10.0.0.2"}],
        },
    ],
    "services": [],
}


@pytest.fixture
def drive(tmp_path):
    def make(**fields):
        config_drive.write(tmp_path / "c.iso", samples.guest(**fields))
        return files(tmp_path / "c.iso")

    return make


def test_a_config_drive_has_the_documents_cloud_init_looks_for(drive):
    script = base64.b64encode(b"#!/bin/sh\nexit 0\n").decode()

    label, found = drive(user_data=script, network_data=NETWORK_DATA, vendor_data={"a": 1}, ec2_data={"ami-id": "ami-1"})

    assert label == "config-2"
    assert json.loads(found["/openstack/latest/meta_data.json"]) == samples.guest().meta_data
    assert json.loads(found["/openstack/latest/network_data.json"]) == NETWORK_DATA
    assert json.loads(found["/openstack/latest/vendor_data.json"]) == {"a": 1}
    assert json.loads(found["/openstack/latest/vendor_data2.json"]) == {"static": {"a": 1}}
    assert found["/openstack/latest/user_data"] == found["/ec2/latest/user-data"] == b"#!/bin/sh\nexit 0\n"
    assert json.loads(found["/ec2/latest/meta-data.json"]) == {"ami-id": "ami-1"}


def test_an_image_can_ask_for_the_label_that_nocloud_looks_for(drive):
    meta = {"uuid": "u-1", "hostname": "web", "public_keys": {"mine": "ssh-ed25519 AAAA"}, "availability_zone": "nova"}

    label, found = drive(
        image_properties={"img_config_drive_label": "cidata"},
        meta_data=meta,
        network_data=NETWORK_DATA,
        vendor_data={"cloud-init": "#cloud-config\n{}"},
    )

    assert label == "cidata"
    assert json.loads(found["/meta-data"]) == {
        "instance-id": "u-1",
        "local-hostname": "web",
        "availability-zone": "nova",
        "public-keys": {"mine": "ssh-ed25519 AAAA"},
    }
    assert found["/user-data"] == b""
    assert found["/vendor-data"] == b"#cloud-config\n{}"
    assert json.loads(found["/network-config"]) == {
        "version": 2,
        "ethernets": {
            "tap1": {
                "match": {"macaddress": "fa:16:3e:00:00:01"},
                "mtu": 1500,
                "dhcp4": True,
                "addresses": ["10.0.0.5/24"],
                "routes": [{"to": "0.0.0.0/0", "via": "10.0.0.1"}],
                "nameservers": {"addresses": ["10.0.0.2"]},
            }
        },
    }
    assert json.loads(found["/openstack/latest/meta_data.json"]) == meta


def test_tagged_cards_are_told_where_they_are_plugged_in(tmp_path):
    cards = [{"type": "nic", "mac": mac, "tags": ["x"], "bus": "none", "address": "none"} for mac in ("m1", "m2")]
    spec = samples.guest(meta_data={"uuid": "u", "devices": cards}, root_gb=0)
    layout = plan(tmp_path, spec)
    layout.folder.mkdir()

    storage.tell_places(layout, spec, {"m1": "0000:00:03.0"})

    devices = json.loads(files(layout.disks[-1].path)[1]["/openstack/latest/meta_data.json"])["devices"]
    assert [(one["mac"], one["bus"], one["address"]) for one in devices] == [
        ("m1", "pci", "0000:00:03.0"),
        ("m2", "none", "none"),
    ]
    assert layout.disks[-1].path.stat().st_mode & 0o777 == 0o600


def test_where_nobody_tagged_a_card_the_drive_is_written_once(tmp_path):
    spec = samples.guest()
    layout = plan(tmp_path, spec)

    storage.tell_places(layout, spec, {"m1": "0000:00:03.0"})

    assert not layout.folder.exists()


def test_without_user_data_there_is_no_such_file(drive):
    found = drive()[1]

    assert "/openstack/latest/user_data" not in found
    assert "/ec2/latest/user-data" not in found


def test_files_that_a_server_is_born_with_lie_beside_the_documents(drive):
    assert drive(files={"0000": base64.b64encode(b"hi").decode()})[1]["/openstack/content/0000"] == b"hi"


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
        config_drive.folders(samples.guest(user_data="a"))


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
    xml = network.definition(samples.network(), tmp_path)

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
