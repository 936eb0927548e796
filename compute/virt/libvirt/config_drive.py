"""The config drive: a small ISO 9660 disk from which a guest learns its name, keys and user data.

cloud-init finds it by the label ``config-2`` and reads ``openstack/latest/``; Joliet and Rock Ridge keep the small letters.
"""

import base64
import binascii
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compute.virt.driver import GuestSpec
from compute.virt.errors import DriverError

LABEL = "config-2"


def documents(spec: GuestSpec) -> dict[str, bytes]:
    """Return the files of ``openstack/latest`` by name; user data only if there is any."""
    found = {
        "meta_data.json": _json(spec.meta_data),
        "network_data.json": _json(spec.network_data),
        "vendor_data.json": _json({}),
    }
    if spec.user_data is not None:
        found["user_data"] = _bytes(spec.user_data, "The user data is")
    return found


def contents(spec: GuestSpec) -> dict[str, bytes]:
    """Return the files of ``openstack/content`` by name: what the server was told to be born with."""
    return {name: _bytes(text, "A file that was given to the server is") for name, text in spec.files.items()}


def _bytes(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error as error:
        raise DriverError(f"{what} not base64.") from error


def write(path: Path, spec: GuestSpec) -> None:
    """Write the disk."""
    from pycdlib import PyCdlib  # only a host that builds guests needs it in memory

    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    _add_folder(iso, "/openstack", {})
    _add_folder(iso, "/openstack/latest", documents(spec))
    if spec.files:
        _add_folder(iso, "/openstack/content", contents(spec))
    iso.write(str(path))
    iso.close()


def _add_folder(iso: Any, folder: str, files: Mapping[str, bytes]) -> None:
    iso.add_directory(folder.upper(), rr_name=folder.rsplit("/", 1)[1], joliet_path=folder)
    for number, (name, content) in enumerate(sorted(files.items())):
        place = f"{folder.upper()}/FILE{number}.;1"
        iso.add_fp(io.BytesIO(content), len(content), place, rr_name=name, joliet_path=f"{folder}/{name}")


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()
