"""The config drive: a small ISO 9660 disk from which a guest learns its name, keys and user data.

cloud-init finds it by the label ``config-2`` and reads ``openstack/latest/``; Joliet and Rock Ridge keep the small letters.
"""

import base64
import binascii
import io
import json
from pathlib import Path

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
        try:
            found["user_data"] = base64.b64decode(spec.user_data, validate=False)
        except binascii.Error as error:
            raise DriverError("The user data is not base64.") from error
    return found


def write(path: Path, spec: GuestSpec) -> None:
    """Write the disk."""
    from pycdlib import PyCdlib  # only a host that builds guests needs it in memory

    iso = PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
    for folder in ("/openstack", "/openstack/latest"):
        iso.add_directory(folder.upper(), rr_name=folder.rsplit("/", 1)[1], joliet_path=folder)
    for number, (name, content) in enumerate(sorted(documents(spec).items())):
        iso.add_fp(
            io.BytesIO(content),
            len(content),
            f"/OPENSTACK/LATEST/FILE{number}.;1",
            rr_name=name,
            joliet_path=f"/openstack/latest/{name}",
        )
    iso.write(str(path))
    iso.close()


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()
