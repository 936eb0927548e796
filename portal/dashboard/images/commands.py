"""What one would type to bring an image here."""

from typing import Any

from portal.dashboard.images.forms import ImageForm
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform

ID = "IMAGE_ID"
_DEFAULTS = {"name": "debian-12", "disk_format": "qcow2", "visibility": "private"}


def import_commands(image_id: str, *, method: str, uri: str = "", stores: list[str] | None = None) -> Commands:
    """Return what one would type to import into an image."""
    options = ["--method", method, *(["--uri", uri] if uri else [])]
    body: dict[str, object] = {"method": {"name": method, "uri": uri} if uri else {"name": method}}
    if stores:
        options += ["--store", *stores]
        body["stores"] = stores
    return Commands(
        openstack("image", "import", image_id, *options), curl("POST", f"/image/v2/images/{image_id}/import", body)
    )


def new_commands(form: ImageForm) -> Commands:
    """Return what one would type to make the image of a form and to bring its data, as far as it is filled in."""
    given = {name: str(form[name].value() or "").strip() or default for name, default in _DEFAULTS.items()}
    numbers = {name: _number(form[name].value()) for name in ("min_disk", "min_ram")}
    body: dict[str, Any] = {**given, "container_format": "bare", **{name: value for name, value in numbers.items() if value}}
    options = ["--disk-format", given["disk_format"], "--container-format", "bare", f"--{given['visibility']}"]
    for name, value in numbers.items():
        options += [f"--{name.replace('_', '-')}", str(value)] if value else []
    address = str(form["address"].value() or "").strip() if "address" in form.fields else ""
    made = curl("POST", "/image/v2/images", body)
    if address:
        imported = import_commands(ID, method="web-download", uri=address)
        return Commands(
            "\n\n".join([openstack("image", "create", *options, given["name"]), imported.openstack]),
            "\n\n".join([made, imported.curl]),
            _terraform(body, image_source_url=address, web_download=True),
        )
    file = f"{given['name']}.{given['disk_format']}"
    return Commands(
        openstack("image", "create", *options, "--file", file, given["name"]),
        "\n\n".join([made, curl("PUT", f"/image/v2/images/{ID}/file", send_file=file)]),
        _terraform(body, local_file_path=file),
    )


def _terraform(body: dict[str, Any], **data: Any) -> str:
    named = {"min_disk": "min_disk_gb", "min_ram": "min_ram_mb"}
    values = {named.get(name, name): value for name, value in body.items()}
    return terraform("openstack_images_image_v2", body["name"], **values, **data)


def _number(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
