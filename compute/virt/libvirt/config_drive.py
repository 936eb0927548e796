"""The config drive: a small ISO 9660 disk from which a guest learns its name, keys and user data.

cloud-init and its kin find it by its label: ``config-2``, and then they read ``openstack/latest/``; or ``cidata``, the NoCloud of
cloud-init, and then they read the root. A volume has one label, so an image chooses by ``img_config_drive_label``; the files of
both are always there. Joliet and Rock Ridge keep the small letters.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compute.virt import hardware, instance_data
from compute.virt.driver import GuestSpec

_META_DATA = "meta_data.json"


def folders(spec: GuestSpec) -> dict[str, instance_data.Documents]:
    """Return the files of each folder by name; the empty name is the root."""
    data = instance_data.of(spec)
    found: dict[str, instance_data.Documents] = {
        "": instance_data.nocloud(data),
        "/openstack": {},
        "/openstack/latest": instance_data.openstack(data),
        "/ec2": {},
        "/ec2/latest": instance_data.ec2(data),
    }
    if data.files:
        found["/openstack/content"] = instance_data.contents(data)
    return found


def placed(spec: GuestSpec, places: Mapping[str, str]) -> GuestSpec | None:
    """Return the guest with its tagged cards where libvirt put them, by hardware address; None where nobody tagged any."""
    devices: Any = spec.meta_data.get("devices")
    if not devices:
        return None
    found = [{**one, "bus": "pci", "address": places[one["mac"]]} if one.get("mac") in places else one for one in devices]
    return replace(spec, meta_data={**spec.meta_data, "devices": found})


def write(path: Path, spec: GuestSpec) -> None:
    """Write the disk."""
    wished = hardware.resolve(spec.vcpus, spec.extra_specs, spec.image_properties)
    _write(path, wished.drive_label, folders(spec))


def write_with_password(path: Path, own: Path, admin_pass: str) -> None:
    """Write a disk that says what another says, and another password."""
    label, found = _read(own)
    latest = found["/openstack/latest"]
    told = instance_data.with_password(json.loads(latest[_META_DATA]), admin_pass)
    _write(path, label, {**found, "/openstack/latest": {**latest, _META_DATA: json.dumps(told).encode()}})


def _write(path: Path, label: str, found: Mapping[str, instance_data.Documents]) -> None:
    from pycdlib import PyCdlib  # only a host that builds guests needs it in memory

    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
    for folder, files in found.items():
        _add_folder(iso, folder, files)
    iso.write(str(path))
    iso.close()


def _read(path: Path) -> tuple[str, dict[str, instance_data.Documents]]:
    """Return the label of a disk and the files of its folders, each folder behind the one in which it lies."""
    from pycdlib import PyCdlib

    iso, found = PyCdlib(), dict[str, instance_data.Documents]()
    iso.open(str(path))
    for folder, _folders, names in iso.walk(joliet_path="/"):
        for name in names:
            content = io.BytesIO()
            iso.get_file_from_iso_fp(content, joliet_path=f"{folder.rstrip('/')}/{name}")
            found.setdefault(folder.rstrip("/"), {})[name] = content.getvalue()
        found.setdefault(folder.rstrip("/"), {})
    label = iso.pvd.volume_identifier.decode().strip()
    iso.close()
    return label, found


def _add_folder(iso: Any, folder: str, files: Mapping[str, bytes]) -> None:
    if folder:
        iso.add_directory(folder.upper(), rr_name=folder.rsplit("/", 1)[1], joliet_path=folder)
    for number, (name, content) in enumerate(sorted(files.items())):
        place = f"{folder.upper()}/FILE{number}.;1"
        iso.add_fp(io.BytesIO(content), len(content), place, rr_name=name, joliet_path=f"{folder}/{name}")
